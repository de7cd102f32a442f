from __future__ import annotations

from pathlib import Path

from report_builders import RULE, finding, report, root_report, source

from awaken.contract import Level
from awaken.preview.terminal.grouped import grouped_names

TEXT = b"s.query(A)\n" + b"\n" * 9 + b"  s.query(B)\n"


def test_the_findings_of_a_file_stand_below_its_path_in_two_columns() -> None:
    one, two = source("app/a.py", TEXT), source("app/b.py", b"s.query(C)\n")
    root = root_report(
        Path("/r"),
        findings=(
            finding(one, "s.query(A)"),
            finding(one, "s.query(B)", Level.MANUAL, message="`B` is unknown"),
            finding(two, "s.query(C)", Level.UNSAFE, message="the order may change"),
        ),
        sources={"app/a.py": one, "app/b.py": two},
    )

    assert list(grouped_names(report(root), Path("/r/app"))) == [
        "a.py:",
        f"  1:1  safe {RULE} write this query as select()",
        f"  11:3 manual {RULE} `B` is unknown [{RULE}/unknown-entity]",
        "",
        "b.py:",
        f"  1:1 unsafe {RULE} the order may change",
        "",
    ]


def test_the_same_path_in_two_roots_is_two_files() -> None:
    roots = [
        root_report(Path("/r") / name, findings=(finding(file, "s.query"),), sources={"a.py": file})
        for name, file in (("one", source("a.py", TEXT)), ("two", source("a.py", TEXT)))
    ]

    lines = list(grouped_names(report(*roots), Path("/r")))

    assert [line for line in lines if line.endswith(":")] == ["one/a.py:", "two/a.py:"]


def test_nothing_found_is_nothing_printed() -> None:
    assert list(grouped_names(report(), Path("/r"))) == []


def test_awkward_names_and_messages_stay_on_their_lines() -> None:
    file = source("new\nline \x1b[31m.py", b"s.query(A)\n")
    found = finding(file, "s.query", message="two\nlines")
    root = root_report(Path("/r"), findings=(found,), sources={file.path: file})

    assert list(grouped_names(report(root), Path("/r")))[:2] == [
        "new\\nline \\x1b[31m.py:",
        f"  1:1 safe {RULE} two\\nlines",
    ]
