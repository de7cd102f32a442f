"""Rows of text on a console: what folds, what hangs, and what is never touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from awaken.preview.console.code import Highlighted, fold
from awaken.preview.console.plain_console import PlainConsole, print_line
from awaken.preview.console.text import Text, from_rich
from awaken.preview.streams.visible import inert, visible

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole

_NARROWEST = 24
"""Cells that a row has at least. A choice: in a narrower terminal folding leaves single words."""
_HANG = 4
"""How far folded rows stand inside the indentation of the first one."""

RowPart = str | Text | tuple[str, str]
"""Text to print: plain, styled, or with the name of its style. Only ``Text`` is taken as is."""


class Page:
    """Prints rows to ``console``: folded to a terminal's width, at full length elsewhere."""

    def __init__(self, console: AnyConsole) -> None:
        self._console = console
        # Text that is piped is read by programs, which fold nothing.
        self.width = max(console.width, _NARROWEST) if console.is_terminal else None
        self._fine = console.encoding.lower().startswith("utf")

    def glyph(self, fine: str, plain: str) -> str:
        """Return ``fine``, or ``plain`` where the output cannot encode it."""
        return fine if self._fine else plain

    def highlight(self, path: str, lines: Sequence[str], shown: Sequence[range]) -> Highlighted:
        """Return the lines of a file, those of ``shown`` in colours if the output has any."""
        # To read code for colours takes longer than all the rest of a preview.
        colours = self._console.color_system is not None
        return Highlighted(path, lines, shown if colours else [])

    @property
    def continuation_sign(self) -> str:
        """The sign before a folded row of a removed or added line."""
        return self.glyph("┊", ":")

    def row(self, *parts: RowPart) -> None:
        """Print one row, whatever its length; control characters are shown as escapes."""
        print_line(self._console, joined_text(parts))

    def rule(self, *parts: RowPart) -> None:
        """Print a heading between two lines, the second one up to the right edge."""
        dash = self.glyph("─", "-")
        text = joined_text([(dash * 2 + " ", "faint"), *parts, (" " + dash * 2, "faint")])
        text.append(dash * max((self.width or 0) - text.cell_len, 0), style="faint")
        print_line(self._console, text)

    def sentence(self, *parts: RowPart) -> None:
        """Print one sentence, its further rows indented."""
        rows = self._wrapped_texts(joined_text(parts), _HANG)
        for index, row in enumerate(map(_inert, rows)):
            print_line(self._console, Text(" " * _HANG if index else "") + row)

    def code(self, gutter: Text, code: Text, continued: Text, under: Text | None = None) -> None:
        """Print a line of code after its gutter; its folded rows follow ``continued``.

        ``under`` is a row of marks to print below it, folded at the same places.
        """
        hang, rows = 0, [code]
        if self.width is not None:
            room = max(self.width - gutter.cell_len, _NARROWEST)
            indent = len(code.plain) - len(code.plain.lstrip(" "))
            # Deep code would leave no room for the text of its folded rows.
            hang = min(indent + _HANG, room // 2)
            rows = fold(code, room, room - hang)
        start, under = 0, under or Text()
        for index, row in enumerate(rows):
            edge = Text.assemble(continued, " " * hang) if index else continued
            print_line(self._console, (edge if index else gutter) + row)
            last = index == len(rows) - 1  # a mark may stand behind the last character
            stop = start + (len(under) if last else row.cell_len)
            if (marks := under[start:stop]).plain.strip():
                print_line(self._console, edge + marks)
            start = stop

    def hanging(self, head: Text, body: str, style: str = "") -> None:
        """Print ``head`` and the sentence ``body``, its further rows below its first word."""
        rows = self._wrapped_texts(Text(visible(body), style=style), head.cell_len, _NARROWEST // 2)
        for index, row in enumerate(rows):
            before = Text(" " * head.cell_len) if index else head
            print_line(self._console, before + row)

    def print_labelled(self, indent: int, label: str, text: str) -> None:
        """Print ``= label: text`` below code with numbers ``indent`` cells wide; "" is nothing."""
        if text:
            head = joined_text([" " * (indent + 1), ("= ", "faint"), (f"{label}: ", "faint")])
            self.hanging(head, text)

    def _wrapped_texts(self, text: Text, edge: int, least: int = 0) -> list[Text]:
        """Return ``text`` folded between words, next to an ``edge``; at full length elsewhere."""
        console = self._console
        if self.width is None or isinstance(console, PlainConsole):
            return [text]
        room = max(self.width - edge, least)
        rows = text.rich().wrap(console, room, overflow="fold", no_wrap=False)
        return list(map(from_rich, rows))


def _inert(row: Text) -> Text:
    """Return a row that folding has made, which may now begin as a command of a CI system does."""
    plain = inert(row.plain)
    return row if plain == row.plain else Text(plain, style=row.style)


def joined_text(parts: Iterable[RowPart]) -> Text:
    """Return ``parts`` as one text."""
    text = Text()
    for part in parts:
        if isinstance(part, Text):
            text.append(part)
        elif isinstance(part, tuple):
            text.append(visible(part[0]), style=part[1])
        else:
            text.append(visible(part))
    return text
