from __future__ import annotations

from pathlib import Path

from report_builders import RULE, finding, report, root_report, source

from awaken.contract import Level
from awaken.preview.documents.concise import concise
from awaken.preview.documents.statistics import statistics

TEXT = "import x\nalso = [s.query(A).all(), s.query(B).all()]\né = s.query(C).all()\n".encode()


def test_one_line_per_finding_relative_to_where_the_user_stands() -> None:
    file = source("app/a.py", TEXT)
    root = root_report(
        Path("/home/me/project"),
        findings=(
            finding(file, "s.query(A).all()"),
            finding(file, "s.query(B).all()", Level.UNSAFE, message="the order may change"),
            finding(file, "s.query(C).all()", Level.MANUAL, message="`C` is unknown"),
            finding(file, "import x", Level.ADVICE, rule="other", message="rename [red]x[/red]"),
        ),
        sources={"app/a.py": file},
    )

    assert list(concise(report(root), Path("/home/me/project/app"))) == [
        f"a.py:2:9: safe {RULE} write this query as select()",
        f"a.py:2:27: unsafe {RULE} the order may change",
        f"a.py:3:5: manual {RULE} `C` is unknown [{RULE}/unknown-entity]",
        "a.py:1:1: advice other rename [red]x[/red]",
    ]


def test_the_same_path_in_two_roots_is_two_files() -> None:
    one, two = source("a.py", b"s.query(A)\n"), source("a.py", b"\n\ns.query(A)\n")
    roots = [
        root_report(Path("/r") / name, findings=(finding(file, "s.query"),), sources={"a.py": file})
        for name, file in (("one", one), ("two", two))
    ]

    lines = list(concise(report(*roots), Path("/r")))

    assert [line.split(": ")[0] for line in lines] == ["one/a.py:1:1", "two/a.py:3:1"]


def test_a_line_stays_one_line_whatever_the_path_and_message_hold() -> None:
    file = source("new\nline \x1b[31m.py", b"s.query(A)\n")
    root = root_report(
        Path("/r"),
        findings=(finding(file, "s.query", message="two\nlines"),),
        sources={file.path: file},
    )

    (line,) = concise(report(root), Path("/r"))

    assert line == f"new\\nline \\x1b[31m.py:1:1: safe {RULE} two\\nlines"


def test_statistics_count_levels_and_reasons() -> None:
    file = source("a.py", TEXT)
    manual = [finding(file, part, Level.MANUAL) for part in ("query(A)", "query(B)")]
    other = finding(file, "query(C)", Level.MANUAL, reason=f"{RULE}/view")
    root = root_report(
        Path("/r"),
        findings=(finding(file, "import"), *manual, other),
        sources={"a.py": file},
    )

    assert list(statistics(report(root))) == [
        "sites\trule\tlevel\treason",
        f"1\t{RULE}\tsafe",
        f"3\t{RULE}\tmanual",
        f"2\t{RULE}\tmanual\t{RULE}/unknown-entity",
        f"1\t{RULE}\tmanual\t{RULE}/view",
    ]
