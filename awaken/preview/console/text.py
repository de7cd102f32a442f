"""Styled text: characters, and the names of the styles that stretches of them have.

As in Rich, whose texts it becomes on a console that has colours. Where nothing is coloured only the
characters count, and Rich, which takes longer than all else of a short run, is not imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text as RichText

Stretch = tuple[int, int, str]
"""The start and the end of some characters, and the name of their style."""


def cell_len(text: str) -> int:
    """Return how many cells of a terminal ``text`` takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    from rich import cells  # noqa: PLC0415  hardly any line needs the tables of Unicode

    return cells.cell_len(text)


class Text:
    """Characters; ``style`` is that of all, ``stretches`` are drawn over it in their order."""

    __slots__ = ("plain", "stretches", "style")

    def __init__(self, plain: str = "", style: str = "", stretches: Iterable[Stretch] = ()) -> None:
        self.plain = plain
        self.style = style
        self.stretches = list(stretches)

    @classmethod
    def assemble(cls, *parts: str | Text | tuple[str, str]) -> Text:
        """Return ``parts`` as one text, each with its own style."""
        text = cls()
        for part in parts:
            if isinstance(part, tuple):
                text.append(*part)
            else:
                text.append(part)
        return text

    def append(self, part: str | Text, style: str = "") -> None:
        """Add ``part`` at the end; a ``style`` is that of a string."""
        start = len(self.plain)
        if isinstance(part, str):
            if part and style:
                self.stretches.append((start, start + len(part), style))
            self.plain += part
            return
        if part.style:
            self.stretches.append((start, start + len(part), part.style))
        self.stretches += ((item + start, end + start, kind) for item, end, kind in part.stretches)
        self.plain += part.plain

    def stylize(self, style: str, start: int, end: int) -> None:
        """Draw ``style`` over the characters from ``start`` to ``end``."""
        if style and start < min(end, len(self.plain)):
            self.stretches.append((start, min(end, len(self.plain)), style))

    def divide(self, offsets: Sequence[int]) -> list[Text]:
        """Return the text in parts that begin at ``offsets``, and the text before them."""
        length = len(self.plain)
        edges = [0, *(min(offset, length) for offset in offsets), length]
        return [self._part(start, max(start, end)) for start, end in pairwise(edges)]

    def rstrip(self) -> None:
        """Remove the blanks at the end."""
        kept = self._part(0, len(self.plain.rstrip()))
        self.plain, self.stretches = kept.plain, kept.stretches

    @property
    def cell_len(self) -> int:
        """How many cells of a terminal it takes."""
        return cell_len(self.plain)

    def __len__(self) -> int:
        return len(self.plain)

    def __getitem__(self, part: slice) -> Text:
        start, end, _ = part.indices(len(self.plain))
        return self._part(start, max(start, end))

    def __add__(self, other: str | Text) -> Text:
        text = Text(self.plain, self.style, self.stretches)
        text.append(other)
        return text

    def __str__(self) -> str:
        return self.plain

    def _part(self, start: int, end: int) -> Text:
        stretches = (
            (max(item - start, 0), min(stop, end) - start, style)
            for item, stop, style in self.stretches
            if item < end and stop > start
        )
        return Text(self.plain[start:end], self.style, stretches)

    def rich(self) -> RichText:
        """Return the same as Rich has it."""
        from rich.text import Span  # noqa: PLC0415  as said above
        from rich.text import Text as RichText  # noqa: PLC0415

        spans = [Span(*stretch) for stretch in self.stretches]
        return RichText(self.plain, self.style, no_wrap=True, spans=spans)


def from_rich(text: RichText) -> Text:
    """Return a text of Rich that ``Text.rich`` made, or a part of one."""
    return Text(
        text.plain, str(text.style), ((item, end, str(style)) for item, end, style in text.spans)
    )
