"""Texts that answers were made from, kept to tell an edit of comments from an edit of code."""

from __future__ import annotations

import io
import tokenize
import zlib
from collections.abc import Iterator

from msgspec import Struct

from awaken.engine.remembering.results_cache import ResultsCache

_FASTEST = 1
_LEFT_OUT = {tokenize.COMMENT, tokenize.NL}


class KnownText(Struct, frozen=True, array_like=True):
    """The text of a file, compressed."""

    compressed: bytes


class KnownTexts:
    """The texts of files by their digests, in ``cache``."""

    def __init__(self, cache: ResultsCache) -> None:
        self._cache = cache
        self._compared: dict[tuple[bytes, bytes], bytes | None] = {}

    def keep(self, digest: bytes, text: bytes) -> None:
        """Keep the text of the file with this digest."""
        if self._cache.get(KnownText, digest) is None:
            self._cache.put(digest, KnownText(zlib.compress(text, _FASTEST)))

    def with_same_code(self, digest: bytes, text: bytes) -> bytes | None:
        """Return the text of the file with this digest; None if it has other code than ``text``.

        The same if it is not known. Each stage of a run asks this of the same files.
        """
        key = digest, text
        if key not in self._compared:
            known = self._cache.get(KnownText, digest)
            before = None if known is None else zlib.decompress(known.compressed)
            is_same = before is not None and has_same_code(before, text)
            self._compared[key] = before if is_same else None
        return self._compared[key]


def has_same_code(before: bytes, after: bytes) -> bool:
    """Whether two texts differ in nothing but comments, blank lines and the numbers of lines."""
    try:
        return [*_code_tokens(before)] == [*_code_tokens(after)]
    except (SyntaxError, tokenize.TokenError):
        return False


def _code_tokens(text: bytes) -> Iterator[tuple[int, str, int, bool]]:
    """Yield each token with its type, its column, and whether it is the first of its line."""
    last_line = 0
    # As str: the text is UTF-8, whatever its cookie says.
    for token in tokenize.generate_tokens(io.StringIO(text.decode()).readline):
        if token.type not in _LEFT_OUT:
            line, column = token.start
            # A comment moves the end of its line, and a last line may lack its newline.
            said, column = ("", 0) if token.type == tokenize.NEWLINE else (token.string, column)
            yield token.type, said, column, line != last_line
            last_line = token.end[0]
