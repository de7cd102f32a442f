"""Texts that answers were made from, kept to tell an edit of comments from an edit of code."""

from __future__ import annotations

import zlib

from msgspec import Struct

from awaken.engine.remembering.code_lines import MovedLines, moved_lines
from awaken.engine.remembering.results_cache import ResultsCache

_FASTEST = 1


class KnownText(Struct, frozen=True, array_like=True):
    """The text of a file, compressed."""

    compressed: bytes


class KnownTexts:
    """The texts of files by their digests, in ``cache``."""

    def __init__(self, cache: ResultsCache) -> None:
        self._cache = cache
        self._compared: dict[tuple[bytes, bytes], MovedLines | None] = {}

    def keep(self, digest: bytes, text: bytes) -> None:
        """Keep the text of the file with this digest."""
        if self._cache.get(KnownText, digest) is None:
            self._cache.put(digest, KnownText(zlib.compress(text, _FASTEST)))

    def with_same_code(self, digest: bytes, text: bytes) -> MovedLines | None:
        """Return what maps the text of the file with this digest to ``text``.

        None if the file has other code, or is not known. Each stage of a run asks this of the same
        files.
        """
        key = digest, text
        if key not in self._compared:
            known = self._cache.get(KnownText, digest)
            before = None if known is None else zlib.decompress(known.compressed)
            self._compared[key] = None if before is None else moved_lines(before, text)
        return self._compared[key]
