"""Byte spans of a file's text as the lines and columns that an editor shows."""

from __future__ import annotations

import bisect

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
        matches = list(LINE_END_BYTES.finditer(text))
        self._starts = [0, *(match.end() for match in matches)]
        stops = [match.start() for match in matches]
        self.ends = [match.group().decode() for match in matches]
        # Behind the last line end there is no line, and a text without one has a last line.
        if self._starts[-1] == len(text):
            self._starts.pop()
        else:
            stops.append(len(text))
            self.ends.append("")
        self._text = text
        self.lines = [
            text[start:stop].decode("utf-8", "replace")
            for start, stop in zip(self._starts, stops, strict=True)
        ]

    @property
    def whole(self) -> list[str]:
        """The lines with their ends."""
        return [line + end for line, end in zip(self.lines, self.ends, strict=True)]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column (1-based, in characters) of the byte at ``offset``."""
        index = max(bisect.bisect_right(self._starts, offset) - 1, 0)
        start = self._starts[index] if self._starts else 0
        return index + 1, len(self._text[start:offset].decode("utf-8", "replace")) + 1

    def region(self, span: Span) -> Region:
        """Return where ``span`` starts and where it ends."""
        return Region(*self.position(span.start), *self.position(span.end))
