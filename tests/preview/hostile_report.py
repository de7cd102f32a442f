"""A report that says one text wherever a repository has a say."""

from __future__ import annotations

from pathlib import Path

from report_builders import finding, report, root_report, source

from awaken.contract import Level, Place, Span
from awaken.engine.report import (
    Diagnostic,
    FileChange,
    Report,
    SuppressedBy,
    SuppressedSite,
    TargetVersion,
)

TOP = Path("/program")


def hostile_report(text: str, top: Path | None = None) -> Report:
    """Return a report that says ``text`` wherever a repository has a say, but in ``top``."""
    name = f"{text}/b.py"
    # No Python file holds a NUL byte; the others are lines of their own.
    line = text.translate(dict.fromkeys(map(ord, "\0\r\n"))).encode("utf-8", "replace")
    file = source(name, b"'''" + line + b"'''\ns.query(A); " + line + b"\n" + line + b"\n# end\n")
    chain = (Place(name, Span(0, 1), text), Place(text, Span(3, 4), text))
    found = [
        finding(file, "s.query(A)", level, rule=text, scope=text, message=text, help=text)
        for level in Level
    ]
    safe = finding(file, "s.query(A)", scope=text, message=text, related=chain)
    after = file.with_text(file.text.replace(b"s.query(A)", b"s.scalars(select(A))" + line))
    suppressed = [
        SuppressedSite(finding(file, "s.query(A)", site=f"{by}"), by, text, Place(name, Span(0, 3)))
        for by in SuppressedBy
    ]
    root = root_report(
        TOP / text if top is None else top,
        FileChange(name, file, after, (safe,)),
        FileChange(f"new{name}", None, source(f"new{name}", b"x = 1\n")),
        findings=(safe, *found),
        sources={name: file},
        suppressed=tuple(suppressed),
        notes=(text,),
        diagnostics=(Diagnostic(name, 3, text), Diagnostic("", 0, text)),
        targets=(TargetVersion(text, text, text),),
    )
    return report(root, root_report(TOP, notes=(text,)), diagnostics=(Diagnostic(text, 0, text),))
