"""Foreign text made fit for a terminal: nothing in it can act, and nothing disappears."""

from __future__ import annotations

import unicodedata

# Cc and Cf hold terminal escapes and the bidirectional overrides that make code read as
# something else; Zl and Zp break lines in some terminals; Cs cannot be encoded.
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def visible(text: str) -> str:
    r"""Return ``text`` with each control or invisible character as its escape (``\x1b``)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
