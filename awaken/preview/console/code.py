"""Lines of code as styled text: syntax colours, visible escapes, tabs in columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol, cast

from awaken.preview.console.text import Text, cell_len
from awaken.preview.streams.visible import visible
from awaken.workspace.sources import is_python

if TYPE_CHECKING:
    from rich.console import Console
    from rich.syntax import SyntaxTheme

TAB_WIDTH = 4
"""Cells that a tab goes on to: as wide as the indentation that PEP 8 asks for."""

Marks = Iterable[tuple[int, int, str]]
"""Stretches of one line, in characters, with the style that each gets."""

# Nearest ancestor wins: Keyword.Constant is found before Keyword.
_TOKENS = {
    "Keyword": "code.keyword",
    "Keyword.Constant": "code.number",
    "Operator.Word": "code.keyword",
    "Literal.String": "code.string",
    "Literal.String.Interpol": "code.number",
    "Literal.Number": "code.number",
    "Comment": "code.comment",
    "Name.Function": "code.name",
    "Name.Class": "code.name",
    "Name.Decorator": "code.decorator",
}


# Only what may span lines, or look like it, matters: where a string is open, Pygments must begin
# before it. Possessive, for a file may be one long string.
_STRING_OR_COMMENT = re.compile(
    r"""
      \"{3} [^"\\]*+ (?: (?: \\. | "(?!"") ) [^"\\]*+ )*+ (?: \"{3} | \Z )
    | '{3} [^'\\]*+ (?: (?: \\. | '(?!'') ) [^'\\]*+ )*+ (?: '{3} | \Z )
    | " (?: \\. | [^"\\\n] )*+ "?
    | ' (?: \\. | [^'\\\n] )*+ '?
    | \# [^\n]*+
    """,
    re.VERBOSE | re.DOTALL,
)


class _Lexer(Protocol):
    """The used part of a Pygments lexer, which has no types."""

    def get_tokens_unprocessed(self, text: str) -> Iterable[tuple[int, object, str]]: ...


class Highlighted:
    """The lines of one file with the syntax colours of its language.

    ``shown`` are the stretches of lines (from 0) that will be asked for; only they are read, for
    Pygments takes longer over a large file than all the rest of a preview.
    """

    def __init__(self, path: str, lines: Sequence[str], shown: Sequence[range]) -> None:
        self.lines = lines
        self._marks: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        if not shown:
            return
        # Of other languages nobody knows where a string begins: from the top.
        shown = _outside_strings(lines, shown) if is_python(path) else [range(shown[-1].stop)]
        lexer = _lexer(path)
        if lexer is not None:
            for part in shown:
                self._read(lexer, part)

    def text(self, index: int, marks: Marks = ()) -> Text:
        """Return the line at ``index`` (from 0), with ``marks`` over its colours."""
        return code_text(self.lines[index], [*self._marks[index], *marks])

    def _read(self, lexer: _Lexer, part: range) -> None:
        lines = self.lines[part.start : part.stop]
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        for offset, kind, value in lexer.get_tokens_unprocessed("\n".join(lines)):
            style = _style(str(kind).removeprefix("Token."))
            if not style:
                continue
            index = bisect_right(starts, offset) - 1
            column = offset - starts[index]
            for text in value.split("\n"):
                if text:
                    mark = column, column + len(text), style
                    self._marks[part.start + index].append(mark)
                # A token of several lines goes on at the start of the next one.
                index, column = index + 1, 0


def _outside_strings(lines: Sequence[str], shown: Sequence[range]) -> list[range]:
    """Return ``shown`` with each start moved up to where no string is open."""
    text = "\n".join(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    opened: dict[int, int] = {}
    for match in _STRING_OR_COMMENT.finditer(text):
        if "\n" in match[0]:
            first = bisect_right(starts, match.start()) - 1
            last = bisect_right(starts, match.end()) - 1
            # the line where this string starts may itself start in the one before
            first = opened.get(first, first)
            opened.update(dict.fromkeys(range(first + 1, last + 1), first))
    return [range(opened.get(part.start, part.start), part.stop) for part in shown]


def code_theme(console: Console) -> SyntaxTheme:
    """Return the colours of ``console`` for whole blocks of code in a text."""
    from pygments.token import string_to_tokentype  # type: ignore[import-untyped]  # noqa: PLC0415
    from rich.syntax import ANSISyntaxTheme  # noqa: PLC0415

    return ANSISyntaxTheme(
        {string_to_tokentype(kind): console.get_style(name) for kind, name in _TOKENS.items()}
    )


def code_text(line: str, marks: Marks) -> Text:
    """Return one line of code ready to print: nothing is markup, nothing stays invisible."""
    pieces = _pieces(line)
    shown = Text("".join(pieces))
    offsets = list(accumulate(map(len, pieces), initial=0))
    for start, stop, style in marks:
        shown.stylize(style, offsets[start], offsets[stop])
    for index, piece in enumerate(pieces):
        # One character that is shown by several is an escape, unless it is a tab.
        if len(piece) > 1 and not piece.isspace():
            shown.stylize("escape", offsets[index], offsets[index + 1])
    return shown


def underline(line: str, start: int, stop: int) -> str:
    """Return the row that underlines the characters ``start`` to ``stop`` of a shown line."""
    pieces = _pieces(line)
    before = cell_len("".join(pieces[:start]))
    return " " * before + "^" * max(cell_len("".join(pieces[start:stop])), 1)


def fold(text: Text, width: int, later: int) -> list[Text]:
    """Return ``text`` as rows of at most ``width`` cells, all but the first of ``later`` cells.

    Every character is in one of them. A row ends after a blank, comma or bracket, or before a dot,
    if there is one in its second half.
    """
    plain = text.plain
    if cell_len(plain) <= width:
        return [text]
    cuts: list[int] = []
    start = used = 0
    for index, char in enumerate(plain):
        # it makes the character before it an emoji, which many terminals show wider
        size = 1 if char == "\ufe0f" else cell_len(char)
        if used + size > (later if cuts else width):
            start = _cut(plain, start, index)
            cuts.append(start)
            used = cell_len(plain[start:index])
        used += size
    return text.divide(cuts)


def _cut(plain: str, start: int, full: int) -> int:
    for index in range(full, full - (full - start) // 2, -1):
        if plain[index] == "." or (plain[index - 1] in " ,([{" and plain[index] not in ")]}"):
            return index
    return full


def _pieces(line: str) -> list[str]:
    # Nearly every line is plain, and needs no look at each character.
    if line.isascii() and line.isprintable():
        return list(line)
    pieces: list[str] = []
    column = 0
    for char in line:
        piece = " " * (TAB_WIDTH - column % TAB_WIDTH) if char == "\t" else visible(char)
        column += cell_len(piece)
        pieces.append(piece)
    return pieces


def _style(kind: str) -> str:
    while kind:
        if kind in _TOKENS:
            return _TOKENS[kind]
        kind = kind.rpartition(".")[0]
    return ""


def _lexer(path: str) -> _Lexer | None:
    if is_python(path):
        from pygments.lexers.python import (  # type: ignore[import-untyped]  # noqa: PLC0415
            PythonLexer,
        )

        return cast("_Lexer", PythonLexer())
    from pygments.lexers import get_lexer_for_filename  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return cast("_Lexer", get_lexer_for_filename(path))
    except ClassNotFound:
        return None
