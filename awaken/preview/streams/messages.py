"""Sentences to people: the one way to stderr for what is not drawn on a console.

Imports next to nothing, because it must also work where everything else failed.
"""

from __future__ import annotations

import os
import sys
import textwrap

from awaken.preview.streams.visible import harmless

_NARROWEST, _USUAL = 24, 80
"""Columns of a terminal: at least, and where it does not say."""


def say(text: str) -> None:
    """Write ``text`` and a line end to stderr; nothing in it can act on a terminal or in a log.

    On a terminal a sentence is folded between words.
    """
    text = harmless(text)
    # Readers of a pipe fold nothing; several lines are folded already.
    if sys.stderr.isatty() and "\n" not in text:
        rows = textwrap.wrap(
            text,
            _width(),
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        # A word at the start of a row may be a command to a CI system.
        text = harmless("\n".join(rows)) or text
    # Not with print: it would write text and line end apart, and another process between them.
    sys.stderr.write(text + "\n")


def _width() -> int:
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, _NARROWEST)
    except (OSError, ValueError):
        return _USUAL
