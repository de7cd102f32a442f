"""The answers of one file to the searches of ``LookedAt``, from its path and text alone."""

from __future__ import annotations

from awaken.engine.planning.exports import names_from
from awaken.project.source.looked_at import Search
from awaken.project.source.test_files import is_around_tests, may_configure
from awaken.project.source.words import WORDS_OF, stands_alone
from awaken.workspace.sources import SourceFile


def answer(search: Search, source: SourceFile) -> bytes | None:
    """Return what ``source`` answers: None for no, b"" for a mere yes."""
    text, sought = source.text, search.sought
    if sought not in text:
        return None
    if search.kind == "doubles":
        return b"" if is_around_tests(source.path) and may_configure(text) else None
    if search.kind == "exports":
        return "\n".join(sorted(names_from(sought.decode(), text))).encode() or None
    # The patterns know ASCII words only; any other word may be in every file.
    if search.kind == "bytes" or not sought.isascii():
        return b""
    if not stands_alone(sought, text):
        return None
    words = WORDS_OF[search.kind](text) if search.kind in WORDS_OF else None
    return b"" if words is None or sought in words else None
