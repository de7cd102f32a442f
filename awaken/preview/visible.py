"""Foreign text made fit for a terminal: nothing in it can act, and nothing disappears."""

from __future__ import annotations

import re
import unicodedata

TAB_WIDTH = 4

# Cc and Cf hold terminal escapes and the bidirectional overrides that make code read as
# something else; Zl and Zp break lines in some terminals; Cs cannot be encoded.
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
_PLAIN = re.compile(r"[ -~]*")


def visible(text: str) -> str:
    r"""Return ``text`` with each control or invisible character as its escape (``\x1b``)."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(map(_escaped, text))


def expanded(text: str) -> str:
    """Return one line of code made visible, its tabs expanded to ``TAB_WIDTH`` columns."""
    return "".join(cells(text))


def cells(text: str) -> list[str]:
    """Return what to show for each character of one line of code."""
    if "\t" not in text:
        return list(text) if _PLAIN.fullmatch(text) else [_escaped(char) for char in text]
    shown: list[str] = []
    column = 0
    for char in text:
        piece = " " * (TAB_WIDTH - column % TAB_WIDTH) if char == "\t" else _escaped(char)
        column += _width(piece)
        shown.append(piece)
    return shown


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _width(piece: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in piece)
