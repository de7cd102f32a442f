from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from report_builders import RULE, change_of, file_change, finding, report, root_report, source

from awaken.contract import Level, Place, Span
from awaken.engine.report import Diagnostic, FileChange, Report
from awaken.preview.documents.document import document

ROOT = Path("/home/me/project")


def read(of: Report, current: Path = ROOT) -> dict[str, Any]:
    whole = json.loads(document(of, current))
    assert isinstance(whole, dict)
    return whole


def sample() -> Report:
    file = source(
        "app/a.py", "é = (s.query(A)\n  .all())\nb = s.query(B)\nc = s.query(c)\n".encode()
    )
    after = file.with_text(file.text.replace(b"query(A)", b"scalars(select(A))"))
    safe = finding(file, "s.query(A)\n  .all()", scope="<module>")
    unsafe = finding(file, "s.query(B)", Level.UNSAFE, message="the order may change")
    manual = finding(
        file,
        "s.query(c)",
        Level.MANUAL,
        related=(
            Place("app/a.py", Span(0, 2), "assigned here"),
            Place("gone.py", Span(3, 4), "imported"),
        ),
    )
    return report(
        root_report(
            ROOT,
            FileChange("app/a.py", file, after, (safe,)),
            file_change("app/new.py", None, b"x = 1\n"),
            findings=(safe, unsafe, manual),
            diagnostics=(Diagnostic("app/bad.py", 3, "does not parse"),),
        ),
        diagnostics=(Diagnostic("nowhere", 0, "does not exist"),),
    )


def test_every_part_is_there_in_its_order() -> None:
    whole = read(sample())

    assert list(whole) == [
        "version", "awaken", "command", "rules", "roots", "findings", "held", "changes", "files",
        "diagnostics", "left_to_do", "plans", "summary",
    ]  # fmt: skip
    assert whole["version"] == 1
    assert whole["rules"] == [RULE]


def test_a_finding_says_where_in_characters() -> None:
    safe, unsafe, manual = read(sample(), ROOT / "app")["findings"]

    assert safe == {
        "site": "app/a.py:6", "rule": RULE, "level": "safe",
        "path": "a.py", "line": 1, "column": 6, "end_line": 2, "end_column": 9,
        "message": "write this query as select()", "reason": None, "cure": "",
        "scope": "<module>", "chain": [], "change": "change of app/a.py:6",
    }  # fmt: skip
    assert (unsafe["level"], unsafe["line"]) == ("unsafe", 3)
    assert (manual["reason"], manual["change"]) == (f"{RULE}/unknown-entity", None)
    assert manual["cure"] == "name the class in the call"


def test_a_chain_says_where_as_far_as_it_is_known() -> None:
    known, unknown = read(sample())["findings"][2]["chain"]

    assert known == {
        "path": "app/a.py", "line": 1, "column": 1, "end_line": 1, "end_column": 2,
        "note": "assigned here",
    }  # fmt: skip
    assert (unknown["path"], unknown["line"], unknown["note"]) == ("gone.py", 0, "imported")


def test_changes_say_whether_they_are_in_the_files() -> None:
    whole = read(sample())

    assert [(change["level"], change["admitted"]) for change in whole["changes"]] == [
        ("safe", True),
        ("unsafe", False),
    ]
    assert whole["changes"][0]["sites"] == ["app/a.py:6"]
    assert whole["files"] == [
        {"path": "app/a.py", "created": False, "sites": ["app/a.py:6"]},
        {"path": "app/new.py", "created": True, "sites": []},
    ]


def test_a_change_names_the_files_of_its_edits() -> None:
    file = source("a.py", b"s.query(A)\n")
    found = finding(file, "s.query(A)")
    whole = read(
        report(
            root_report(
                ROOT,
                findings=(found,),
                sources={"a.py": file},
                changes=(change_of(found, "b.py", "c.py"),),
                pending=(),
            )
        )
    )

    assert whole["changes"][0]["files"] == ["b.py", "c.py"]


def test_diagnostics_and_summary() -> None:
    whole = read(sample())

    assert whole["diagnostics"] == [
        {"path": "nowhere", "line": 0, "message": "does not exist"},
        {"path": "app/bad.py", "line": 3, "message": "does not parse"},
    ]
    assert whole["summary"] == {
        "sites": 3, "safe": 1, "unsafe": 1, "manual": 1, "advice": 0, "files": 1,
        "files_changed": 2, "held": 0,
        "rules": [
            {"rule": RULE, "sites": 3, "safe": 1, "unsafe": 1, "manual": 1, "advice": 0, "files": 1}
        ],
        "reasons": [{"rule": RULE, "reason": f"{RULE}/unknown-entity", "sites": 1}],
    }  # fmt: skip
    assert whole["roots"] == [
        {
            "path": ".",
            "targets": [{"name": "python", "specifier": ">=3.11", "origin": "pyproject.toml"}],
            "files_read": 1,
            "seconds": 0.1,
            "notes": [],
        }
    ]


def test_a_path_that_is_not_utf_8_can_still_be_written() -> None:
    file = source(os.fsdecode(b"caf\xe9.py"), b"s.query(A)\n")
    root = root_report(ROOT, findings=(finding(file, "s.query"),), sources={file.path: file})

    assert read(report(root))["findings"][0]["path"] == "caf\\udce9.py"


def test_advice_is_counted_apart() -> None:
    file = source("a.py", b"s.query(A)\n")
    advice = finding(file, "s.query", Level.ADVICE)
    summary = read(report(root_report(ROOT, findings=(advice,), sources={"a.py": file})))["summary"]

    assert (summary["sites"], summary["advice"], summary["files"]) == (0, 1, 1)
