"""A report that holds everything at once, with names and texts that some format takes amiss."""

from __future__ import annotations

import os
from pathlib import Path

from report_builders import RULE, change_of, finding, report, root_report, source

from awaken.contract import ChangeId, Level, Outline, OutlinePart, OutlineRow, Place, SiteId, Span
from awaken.engine.report import (
    Diagnostic,
    FileChange,
    LeftToDo,
    Report,
    RootReport,
    SuppressedBy,
    SuppressedSite,
)
from awaken.workspace.sources import decode

ROOT = Path("/home/me/my project")
NASTY = "::error::100% `a|b` ]](x) <b>&amp; {0} @me #1 a,b:c\nsecond \u202e line"
NAMES = (
    "with blank/a b.py",
    "ünï/日本😀.py",
    "has#hash/100%.py",
    "a:b/c,d.py",
    "back`tick/p|pe [x](y).py",
    "<b>/new\nline.py",
    os.fsdecode(b"caf\xe9.py"),
)
TEXT = (
    "x = '😀', s.query(A)\r\ny = (s.query(B)\r\n  .all())\r\ns.query(C)\r\ns.query(D)  # held\r\n"
)


def _root(directory: Path, names: tuple[str, ...]) -> RootReport:
    files, findings, suppressed, sources = [], [], [], {}
    for name in names:
        file = source(name, TEXT.encode())
        sources[name] = file
        chain = (Place(name, Span(0, 1), NASTY), Place("unseen.py", Span(3, 4), "imported"))
        safe = finding(file, "s.query(A)", related=chain)
        unsafe = finding(file, "s.query(B)\r\n  .all()", Level.UNSAFE, message=NASTY)
        manual = finding(file, "s.query(C)", Level.MANUAL, message=NASTY, help=NASTY)
        advice = finding(file, "s", Level.ADVICE, rule="other", site=f"{name} advice")
        findings += [safe, unsafe, manual, advice]
        after = file.with_text(file.text.replace(b"s.query(A)", b"s.scalars(\r\n  select(A))"))
        files.append(FileChange(name, file, after, (safe,)))
        left = finding(file, "s.query(D)")
        where = Place(name, Span(len(file.text) - 8, len(file.text) - 2))
        suppressed += [SuppressedSite(left, SuppressedBy.COMMENT, "# held", where)]
        suppressed += [
            SuppressedSite(finding(file, "s.query(C)", site=f"{name} {by}"), by, "a note")
            for by in (SuppressedBy.SETTINGS, SuppressedBy.BASELINE, SuppressedBy.SINCE)
        ]
    files.append(FileChange("new.py", None, decode("new.py", b"x = 1\n")))
    return root_report(
        directory,
        *files,
        findings=tuple(findings),
        sources=sources,
        suppressed=tuple(suppressed),
        notes=("other did not run: it needs python >=3.14",),
        diagnostics=(Diagnostic("bad %.py", 3, NASTY), Diagnostic("", 0, "no path")),
        left_to_do=(
            LeftToDo("pyproject.toml", 3, "mode = 1", "[tool.x]", "it is not valid TOML"),
            LeftToDo("uv.lock", 0, "", "", NASTY),
        ),
        outlines=(_outline(names[0], "change"), _outline("unseen.py", None)),
    )


def _outline(name: str, change: str | None) -> Outline:
    place = Place(name, Span(0, 1))
    rows = (OutlineRow(NASTY, 3, place), OutlineRow("", 2, place), OutlineRow("without a place"))
    parts = (OutlinePart("seeds", NASTY, rows, 6), OutlinePart("tests", "Tests", rows[1:2], 2))
    made = None if change is None else ChangeId(change)
    return Outline(rule=RULE, title=NASTY, parts=parts, sites=(SiteId("one"),), change=made)


def everything() -> Report:
    """Return a report over two roots with every kind of entry."""
    roots = _root(ROOT / "one", NAMES), _root(ROOT / "two", NAMES[:1])
    return report(*roots, diagnostics=(Diagnostic("nowhere", 0, "does not exist"),))


def only_diagnostics() -> Report:
    """Return a report of a run that found nothing but trouble."""
    return report(
        root_report(ROOT, findings=(), diagnostics=(Diagnostic("bad.py", 3, "does not parse"),))
    )


__all__ = ["NASTY", "RULE", "change_of", "everything", "only_diagnostics"]
