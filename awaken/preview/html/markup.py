"""Code as HTML: escaped, with its colours as short classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from awaken.preview.console.code import Highlighted, Marks
from awaken.preview.console.text import Stretch
from awaken.preview.streams.visible import visible

_CLASSES = {
    "code.keyword": "k",
    "code.number": "n",
    "code.string": "s",
    "code.comment": "c",
    "code.name": "f",
    "code.decorator": "d",
}
_WORD = "word"
COLOURED_LINES = 20_000
"""A page with more lines of code than these has no colours: they double its size."""


class Code:
    """The lines of one text; ``shown`` are the stretches of lines (from 0) that are asked for."""

    def __init__(
        self, path: str, lines: Sequence[str], shown: Sequence[range], *, coloured: bool
    ) -> None:
        self._shown = Highlighted(path, lines, shown if coloured else ())

    @property
    def lines(self) -> Sequence[str]:
        """The lines as they are in the file."""
        return self._shown.lines

    def markup(self, index: int, words: Sequence[tuple[int, int]] = ()) -> Markup:
        """Return the line at ``index`` (from 0); ``words`` are the characters that changed."""
        marks: Marks = [(start, stop, _WORD) for start, stop in words]
        text = self._shown.text(index, marks)
        return coloured_markup(text.plain, text.stretches)


def coloured_markup(plain: str, stretches: Sequence[Stretch]) -> Markup:
    """Return ``plain`` with an element around each stretch: a class, or a mark for a word."""
    if not stretches:
        return escape(plain)
    edges = sorted({0, len(plain), *(edge for stretch in stretches for edge in stretch[:2])})
    pieces: list[Markup] = []
    for start, stop in pairwise(edges):
        styles = {style for first, last, style in stretches if first <= start and stop <= last}
        piece = escape(plain[start:stop])
        for name in sorted(styles & _CLASSES.keys()):
            piece = Markup("<i class={}>{}</i>").format(_CLASSES[name], piece)
        pieces.append(Markup("<b>{}</b>").format(piece) if _WORD in styles else piece)
    return Markup("").join(pieces)


def rows(text: str) -> Markup:
    """Return text of several lines with nothing invisible in it but their ends."""
    return Markup("\n").join(escape(visible(line)) for line in text.splitlines())


def inline(text: str) -> Markup:
    """Return a message, with what is between backticks as code and nothing invisible in it."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:  # a backtick of its own
        return escape(visible(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )
