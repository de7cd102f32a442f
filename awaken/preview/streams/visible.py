r"""Foreign text made fit for a terminal and a log: nothing in it can act, and nothing disappears.

Everything that awaken prints passes here: each name and message by ``visible``, where it is put
into a line, and every line by ``harmless``, where it is written. ``output``, ``messages`` and
``awaken.preview.console`` always escape what a terminal would interpret; the former keeps columns
aligned.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Cc and Cf hold terminal escapes and the bidirectional overrides that make code read as
# something else; Zl and Zp break lines in some terminals; Cs cannot be encoded.
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})

# No sign is drawn for these two, and no XML may hold them.
_NO_CHARACTERS = frozenset("\ufffe\uffff")

_PLAIN = frozenset((*map(chr, range(ord(" "), ord("~") + 1)), *"│┃┊⋯▲─"))

# A line of a log that starts with `::warning ::` or holds `##[warning]` is a command to the runner
# of GitHub Actions, and `##vso[` and `##teamcity[` are commands to those of Azure and TeamCity.
_STARTS_COMMAND = re.compile(r"^((?:[^\S\n]|\x1b\[[\d;]*m)*+):(?=:)", re.MULTILINE)
_HOLDS_COMMAND = re.compile(r"##(?=\w*\[)")


def visible(text: str) -> str:
    r"""Return ``text`` with each control or invisible character as its escape (``\x1b``)."""
    return escaped_text(text, _python_escape)


def harmless(text: str) -> str:
    r"""Return lines of output in which nothing can act, each as readable as before.

    Line ends and tabs stay, because they are awaken's own. A line that a CI system would take for a
    command is broken by an escape that JSON and TOML read as the same character:
    ``#\u0023[group]``.
    """
    return inert(printable(text))


def printable(text: str) -> str:
    """Return ``text``, which may have several lines, with all but line ends and tabs visible."""
    return escaped_text(text, _python_escape, kept="\n\t")


def inert(text: str) -> str:
    """Return ``text`` with nothing in it that a CI system takes for a command."""
    return _HOLDS_COMMAND.sub(r"#\\u0023", _STARTS_COMMAND.sub(r"\1\\u003a", text))


def inert_markup(text: str) -> str:
    """Return HTML with nothing in it that a CI system takes for a command."""
    return _HOLDS_COMMAND.sub("#&#35;", _STARTS_COMMAND.sub(r"\1&#58;", text))


def escaped_text(text: str, escape: Callable[[str], str], kept: str = "") -> str:
    """Return ``text`` with each hidden character but those ``kept`` as ``escape`` writes it."""
    # Nearly always, and thousands of times a run: most rows of code have a bar.
    if (text.isascii() and text.isprintable()) or _PLAIN.issuperset(text):
        return text
    hidden = {char for char in set(text) if unicodedata.category(char) in _HIDDEN}
    hidden |= _NO_CHARACTERS.intersection(text)
    return text.translate({ord(char): escape(char) for char in hidden.difference(kept)})


def _python_escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
