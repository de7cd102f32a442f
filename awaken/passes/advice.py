"""Messages of foreign code about a file, as advice with a place."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from awaken.contract import Finding, Level, Place, SiteId, Span
from awaken.passes.protocol import Answer, Warned
from awaken.project.source.modules import Module
from awaken.workspace.sources import SourceFile


def advice(rule: str, module: Module, answer: Answer) -> Iterator[Finding]:
    """Yield a finding for each thing that was said of a file, and for what was printed meanwhile.

    It is at its line; a message without one is at the first.
    """
    seen: Counter[str] = Counter()
    for item in dict.fromkeys(_said_items(answer)):
        # Lines move, and the words stay.
        again = f"\0{seen[item.text]}" if seen[item.text] else ""
        digest = hashlib.sha256(f"{rule}\0{module.path}\0{item.text}{again}".encode())
        seen[item.text] += 1
        yield Finding(
            site=SiteId(digest.hexdigest()[:16]),
            rule=rule,
            level=Level.ADVICE,
            place=Place(module.path, line_of(module.source, item.line)),
            scope="",
            message=item.text,
            help="Its author knows what that means.",
        )


def _said_items(answer: Answer) -> Iterator[Warned]:
    for item in getattr(answer, "warnings", ()):
        yield Warned(f"the codemod warns: {' '.join(item.text.split())}", item.line)
    if printed := " ".join(answer.said.split()):
        yield Warned(f"the codemod prints: {printed}")


def line_of(source: SourceFile | None, line: int) -> Span:
    """Return a line, counted from 1, without the space at its edges; else the start of the file."""
    spans = [] if source is None else source.line_spans()
    if source is None or not 0 < line <= len(spans):
        return Span(0, 0)
    span = spans[line - 1]
    text = source.text[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip())
    return Span(start, start + len(text.strip()))
