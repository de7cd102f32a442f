"""Sentences to people: the one way to stderr for what is not drawn on a console.

Imports next to nothing, because it must also work where everything else failed.
"""

from __future__ import annotations

import sys

from awaken.preview.streams.visible import harmless


def say(text: str) -> None:
    """Write ``text`` and a line end to stderr; nothing in it can act on a terminal or in a log."""
    # Not with print: it would write text and line end apart, and another process between them.
    sys.stderr.write(harmless(text) + "\n")
