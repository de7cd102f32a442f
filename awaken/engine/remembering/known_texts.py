"""Texts that answers were made from, kept to tell an edit of comments from an edit of code."""

from __future__ import annotations

import io
import tokenize
import zlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from msgspec import Struct

from awaken.contract import Span
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


_NO_CODE = {tokenize.COMMENT, tokenize.NL}
_WITHOUT_TEXT = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_FUNCTION = (b"def ", b"async def ")


class Changed(Exception):
    """A part of the text differs, or what is next to it."""


class Code(Struct, frozen=True):
    """The code of a text; lines are 0-based.

    tokens: without comments. Each has its type, its text and its column, and whether it is the
        first token of its line.
    lines: those with code.
    starts, columns: the lines in which statements and headers start, with their columns.
    """

    tokens: tuple[tuple[int, str, int, bool], ...]
    lines: tuple[int, ...]
    starts: tuple[int, ...]
    columns: tuple[int, ...]


def code_of(text: bytes) -> Code | None:
    """Return the code of a text; None if it has no tokens."""
    tokens, lines, starts = list[tuple[int, str, int, bool]](), dict[int, None](), dict[int, int]()
    last_line, is_start = 0, True
    try:
        # As str: the text is UTF-8, whatever its cookie says.
        for token in tokenize.generate_tokens(io.StringIO(text.decode()).readline):
            if token.type in _NO_CODE:
                continue
            line, column = token.start
            if token.type not in _WITHOUT_TEXT:
                lines.update(dict.fromkeys(range(line - 1, token.end[0])))
                if is_start:
                    starts[line - 1] = column
            # A comment moves the end of its line, and a last line may lack its newline.
            is_start = token.type in _WITHOUT_TEXT
            ends_line = token.type == tokenize.NEWLINE
            said, column = ("", 0) if ends_line else (token.string, column)
            tokens.append((token.type, said, column, line != last_line))
            last_line = token.end[0]
    except (SyntaxError, tokenize.TokenError):
        return None
    return Code(tuple(tokens), tuple(lines), tuple(starts), tuple(starts.values()))


class MovedLines:
    """Maps places of the text ``before`` to the same code in ``after``."""

    def __init__(self, before: bytes, after: bytes, code: Code, now: Code) -> None:
        self.before, self.after = before, after
        self._code, self._now = code, now
        self._old, self._new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        self._offsets, self._new_offsets = _offsets(self._old), _offsets(self._new)
        # By line of code, with what is between it and the code above; then the end of the text.
        self._is_changed = [self._differs(rank) for rank in range(len(code.lines) + 1)]

    def _differs(self, rank: int) -> bool:
        old, new = self._code.lines, self._now.lines
        return _block(self._old, old, rank) != _block(self._new, new, rank)

    def changed_lines(self) -> Iterator[bytes]:
        """Yield the lines of each text that the other one does not have at the same code."""
        for rank, is_changed in enumerate(self._is_changed):
            if is_changed:
                old = Counter(_block(self._old, self._code.lines, rank))
                new = Counter(_block(self._new, self._now.lines, rank))
                yield from old - new
                yield from new - old

    def first_difference(self) -> int:
        """Return the number, in ``before``, of the first line of code with other lines above.

        It is the number of all lines if only the end of the text differs.
        """
        rank = self._is_changed.index(True)
        return self._code.lines[rank] if rank < len(self._code.lines) else len(self._old)

    def statements(self) -> Iterator[tuple[int, bytes]]:
        """Yield the first line of each statement of the module, with its number in ``before``."""
        starts = zip(self._code.starts, self._code.columns, strict=True)
        return ((line, self._old[line]) for line, column in starts if not column)

    def require_same(self, first: int, last: int) -> None:
        """Raise Changed unless the statements in the lines ``first`` to ``last`` are the same.

        So are the lines around them, up to the code above and the end of the line of code below.
        """
        starts, lines = self._code.starts, self._code.lines
        above, below = bisect_right(starts, first) - 1, bisect_right(starts, last)
        start = starts[above] if above >= 0 else 0
        end = starts[below] - 1 if below < len(starts) else len(self._old)
        if any(self._is_changed[bisect_left(lines, start) : bisect_right(lines, end) + 1]):
            raise Changed

    def require_same_function(self, offset: int) -> None:
        """Raise Changed unless all of the innermost function around ``offset`` is the same.

        Outside of functions, that is one statement.
        """
        starts, columns = self._code.starts, self._code.columns
        first = self._header_around(max(bisect_right(starts, self._line_at(offset)) - 1, 0))
        last = first
        while last + 1 < len(starts) and columns[last + 1] > columns[first]:
            last += 1
        self.require_same(starts[first], starts[last])

    def _header_around(self, statement: int) -> int:
        """Return the number of the header of the function around a statement, or its own."""
        starts, columns = self._code.starts, self._code.columns
        column = columns[statement]
        for number in range(statement - 1, -1, -1):
            # Nothing is around a statement of the module.
            if not column:
                break
            if columns[number] < column:
                column = columns[number]
                if self._old[starts[number]].lstrip().startswith(_FUNCTION):
                    return number
        return statement

    def line(self, number: int) -> int:
        """Return the number, in ``after``, of a line in a part that is the same."""
        rank = bisect_right(self._code.lines, number) - 1
        return number if rank < 0 else self._now.lines[rank] + number - self._code.lines[rank]

    def span(self, span: Span) -> Span:
        """Return where a part of the text is after it. Raises Changed."""
        first, last = (self._line_at(at) for at in (span.start, max(span.start, span.end - 1)))
        self.require_same(first, last)
        moved = self._new_offsets[self.line(first)] - self._offsets[first]
        return Span(span.start + moved, span.end + moved)

    def with_edits(self, edited: bytes) -> bytes:
        """Return ``after`` with the edits that make ``edited`` of ``before``. Raises Changed."""
        lines, result, done = edited.splitlines(keepends=True), list[bytes](), 0
        opcodes = SequenceMatcher(None, self._old, lines).get_opcodes()
        for tag, start, end, new_start, new_end in opcodes:
            if tag != "equal":
                # An empty hunk is between two lines.
                self.require_same(max(start - 1, 0), end)
                result += self._new[done : self.line(start)] + lines[new_start:new_end]
                done = self.line(end)
        return b"".join((*result, *self._new[done:]))

    def _line_at(self, offset: int) -> int:
        return bisect_right(self._offsets, offset) - 1


def _block(text: list[bytes], lines: tuple[int, ...], rank: int) -> list[bytes]:
    """Return the line of code ``rank``, with the lines between it and the code above."""
    start = lines[rank - 1] + 1 if rank else 0
    return text[start : lines[rank] + 1] if rank < len(lines) else text[start:]


def _offsets(lines: list[bytes]) -> list[int]:
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    return offsets


def moved_lines(before: bytes, after: bytes) -> MovedLines | None:
    """Return what maps places of ``before`` to ``after``; None if they have other code."""
    old, new = code_of(before), code_of(after)
    if old is None or new is None or old.tokens != new.tokens:
        return None
    return MovedLines(before, after, old, new)
