"""The comment on a pull request: what ``markdown`` says, with a mark by which it is updated."""

from __future__ import annotations

from collections.abc import Iterator

from awaken.engine.report import Report
from awaken.preview.markdown.remaining_work import markdown
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import harmless

MARK = "<!-- awaken -->"
"""The first line of the one comment that awaken keeps on a pull request; it is not seen."""


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    yield harmless(f"{MARK}\n{markdown(report, asked, room=len(MARK) + 1)}").encode()
