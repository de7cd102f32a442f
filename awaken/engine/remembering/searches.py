"""The answer of one file to a search of ``LookedAt``, from its text alone."""

from __future__ import annotations

from awaken.engine.planning.exports import names_from
from awaken.project.source.looked_at import Search
from awaken.project.source.words import holds


def answer(search: Search, text: bytes) -> bytes | None:
    """Return what a file with this text answers: None for no, b"" for a mere yes."""
    if search.kind != "exports":
        return b"" if holds(search, text) else None
    if search.sought not in text:
        return None
    return "\n".join(sorted(names_from(search.sought.decode(), text))).encode() or None
