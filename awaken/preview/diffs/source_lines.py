"""Byte spans of a file's text as the lines and columns that an editor shows."""

from __future__ import annotations

import bisect
from functools import cached_property
from itertools import accumulate

from msgspec import Struct

from awaken.contract import Span
from awaken.workspace.sources import LINE_END_BYTES


class Region(Struct, frozen=True):
    """A span as 1-based lines and 1-based columns in characters; the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def last_line(self) -> int:
        """The last line with a character of it: not the one that it only reaches the start of."""
        reaches = self.end_column == 1 and self.end_line > self.line
        return self.end_line - 1 if reaches else self.end_line


class SourceLines:
    r"""The lines of one text, split as Python splits source: at ``\r\n``, ``\n`` and ``\r``.

    ``lines`` are without their ends and ``ends`` are these ends, as text. A text that ends
    with a line end has no further empty line.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        # Nearly every text has one kind of line ends, and hundreds of texts are shown in a run.
        self._is_plain = b"\r" not in text
        # No line follows the last line end, and a text without one has a last line.
        self._is_ended = not text or text.endswith((b"\n", b"\r"))

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        if self._is_plain:
            lines = self._text.decode("utf-8", "replace").split("\n")
        else:
            parts = LINE_END_BYTES.split(self._text)
            lines = [line.decode("utf-8", "replace") for line in parts]
        return lines[:-1] if self._is_ended else lines

    @cached_property
    def ends(self) -> list[str]:
        """The ends of the lines."""
        result = [end.decode() for end in LINE_END_BYTES.findall(self._text)]
        return result if self._is_ended else [*result, ""]

    @property
    def whole(self) -> list[str]:
        """The lines with their ends."""
        return [line + end for line, end in zip(self.lines, self.ends, strict=True)]

    @cached_property
    def _starts(self) -> list[int]:
        lines = self._text.splitlines(keepends=True)
        return list(accumulate(map(len, lines), initial=0))[: len(lines)]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column (1-based, in characters) of the byte at ``offset``."""
        index = max(bisect.bisect_right(self._starts, offset) - 1, 0)
        start = self._starts[index] if self._starts else 0
        return index + 1, len(self._text[start:offset].decode("utf-8", "replace")) + 1

    def region(self, span: Span) -> Region:
        """Return where ``span`` starts and where it ends."""
        return Region(*self.position(span.start), *self.position(span.end))
