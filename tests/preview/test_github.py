from __future__ import annotations

import os
from pathlib import Path

from awkward import NASTY, ROOT, everything, only_diagnostics
from report_builders import RULE, finding, report, root_report, source

from awaken.contract import Finding, Level
from awaken.engine.report import Diagnostic, FileChange, Report
from awaken.preview.hosts.github import command, write
from awaken.preview.streams.output import Asked
from awaken.workspace.sources import SourceFile

TEXT = "é = s.query(A)\ns.query(B)\n  .all()\n".encode()


def lines(of: Report, current: Path, name: str = "check") -> list[str]:
    return b"".join(write(of, Asked(name, current))).decode("utf-8", "surrogateescape").splitlines()


def one_file(file: SourceFile, *findings: Finding) -> Report:
    return report(root_report(ROOT, findings=findings, sources={file.path: file}))


def test_a_finding_is_one_command_with_its_place() -> None:
    file = source("app/a.py", TEXT)
    manual = finding(file, "s.query(A)", Level.MANUAL, message="`A` is unknown")

    assert lines(one_file(file, manual), ROOT) == [
        (
            f"::warning title={RULE}%3A manual,file=app/a.py,line=1,endLine=1,col=5,endColumn=15::"
            f"app/a.py:1:5: `A` is unknown [{RULE}/unknown-entity]%0Aname the class in the call"
        )
    ]


def test_over_several_lines_there_are_no_columns() -> None:
    file = source("a.py", TEXT)
    found = finding(file, "s.query(B)\n  .all()")

    (line,) = lines(one_file(file, found), ROOT)

    assert ",line=2,endLine=3::" in line
    assert "col=" not in line


def test_what_needs_a_decision_comes_first_and_is_a_warning() -> None:
    file = source("a.py", TEXT)
    by_level = [finding(file, "s", level, rule=level.value) for level in reversed(Level)]
    root = root_report(
        ROOT,
        findings=tuple(by_level),
        sources={"a.py": file},
        diagnostics=(Diagnostic("bad.py", 3, "does not parse"),),
    )

    assert [line.partition(",")[0] for line in lines(report(root), ROOT)] == [
        "::error title=awaken",
        "::warning title=manual%3A manual",
        "::warning title=unsafe%3A unsafe",
        "::notice title=safe%3A safe",
        "::notice title=advice%3A advice",
    ]


def test_the_message_says_which_command_rewrites_it() -> None:
    file = source("a.py", TEXT)
    safe, unsafe = finding(file, "s.query(A)"), finding(file, "s.query(B)", Level.UNSAFE)
    change = FileChange("a.py", file, file, (safe,))
    root = root_report(ROOT, change, findings=(safe, unsafe))

    warning, notice = lines(report(root), ROOT)

    assert warning.endswith("%0A`awaken apply --unsafe-fixes` rewrites it.")
    assert notice.endswith("%0A`awaken apply` rewrites it.")


def test_paths_are_relative_to_the_top_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    roots = []
    for name in ("one", "two"):
        file = source("a.py", TEXT)
        (tmp_path / name).mkdir()
        trouble = (Diagnostic("bad.py", 3, "does not parse"),)
        roots.append(
            root_report(
                tmp_path / name,
                findings=(finding(file, "s.query(A)"),),
                sources={"a.py": file},
                diagnostics=trouble,
            )
        )
    whole = report(*roots, diagnostics=(Diagnostic("gone", 0, "does not exist"),))

    found = [line.split("file=")[1].split("::")[0] for line in lines(whole, tmp_path / "one")]

    assert found == [
        "one/gone",
        "one/bad.py,line=3",
        "two/bad.py,line=3",
        "one/a.py,line=1,endLine=1,col=5,endColumn=15",
        "two/a.py,line=1,endLine=1,col=5,endColumn=15",
    ]


def test_more_than_github_shows_is_said_first() -> None:
    file = source("a.py", TEXT)
    ten = [finding(file, "s.query(A)") for _ in range(10)]

    assert len(lines(one_file(file, *ten), ROOT)) == 10
    first, *rest = lines(one_file(file, *ten, ten[0]), ROOT)
    assert first.startswith("::notice title=awaken::11 sites (11 safe) in 1 file;")
    assert first.endswith("GitHub shows 10 annotations of each kind; the log of this step has all.")
    assert len(rest) == 11


def test_text_can_neither_end_a_command_nor_start_another() -> None:
    assert command("notice", {"title": "a,b:c%\r\n::d"}, "1,2:3%0A\r\n::e") == (
        b"::notice title=a%2Cb%3Ac%25\\r%0A%3A%3Ad::1,2:3%250A\\r%0A::e\n"
    )
    for line in lines(everything(), ROOT):
        assert line.startswith(("::error title=", "::warning title=", "::notice title="))
        assert "\u202e" not in line
    assert any(NASTY.partition("%")[0] in line for line in lines(everything(), ROOT))


def test_a_name_that_is_not_utf_8_is_escaped() -> None:
    name = os.fsdecode(b"caf\xe9.py")
    file = source(name, TEXT)

    whole = b"".join(write(one_file(file, finding(file, "s.query(A)")), Asked("check", ROOT)))

    assert b",file=caf\\udce9.py,line=1" in whole
    assert b"::caf\\udce9.py:1:5: write" in whole


def test_after_apply_only_what_it_left_where_it_now_stands() -> None:
    file = source("a.py", TEXT + b"s.query(C)\n")
    after = file.with_text(b"import x\n\n" + file.text.replace(b"s.query(B)\n  .all()", b"b"))
    safe, left = finding(file, "s.query(B)\n  .all()"), finding(file, "s.query(C)", Level.MANUAL)
    root = root_report(ROOT, FileChange("a.py", file, after, (safe,)), findings=(safe, left))

    (line,) = lines(report(root), ROOT, "apply")

    assert ",line=5,endLine=5,col=1,endColumn=11::a.py:5:1: " in line


def test_after_apply_a_place_in_a_rewritten_line_has_no_column() -> None:
    file = source("a.py", b"s.query(A), s.query(B)\n")
    after = file.with_text(b"select(A), s.query(B)\n")
    safe, left = finding(file, "s.query(A)"), finding(file, "s.query(B)", Level.MANUAL)
    root = root_report(ROOT, FileChange("a.py", file, after, (safe,)), findings=(safe, left))

    (line,) = lines(report(root), ROOT, "apply")

    assert f",file=a.py,line=1,endLine=1::a.py:1: {left.message} [" in line


def test_nothing_found_is_nothing_printed() -> None:
    assert lines(report(), ROOT) == []
    assert len(lines(only_diagnostics(), ROOT)) == 1
