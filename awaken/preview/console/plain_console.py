"""A console without colours and without an edge: a pipe, or a file.

It prints what Rich would print, without Rich. Importing Rich and drawing a thousand rows takes
longer than a run in which nothing changed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, TypeAlias

from awaken.preview.choices import Color
from awaken.preview.console.text import Text
from awaken.preview.streams.visible import harmless

if TYPE_CHECKING:
    from rich.console import Console

    AnyConsole: TypeAlias = "Console | PlainConsole"

_USUAL_WIDTH = 80
"""Where no terminal says how wide it is: as for Rich."""

_FORCING = ("FORCE_COLOR", "TTY_COMPATIBLE", "JPY_PARENT_PID", "DATABRICKS_RUNTIME_VERSION")
"""What makes Rich see a terminal, or a notebook, where there is none."""


class PlainConsole:
    """Writes rows to ``file`` as they are; nothing in them can act."""

    is_terminal = False
    color_system = None
    width = _USUAL_WIDTH

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.encoding: str = getattr(file, "encoding", None) or "utf-8"

    def rich(self) -> Console:
        """Return a console of Rich on the same stream, for text that must be folded."""
        from awaken.preview.console.console import make_console  # noqa: PLC0415  as said above

        return make_console(self.file, Color.NEVER)

    def row(self, text: str) -> None:
        """Write one row."""
        self.file.write(f"{harmless(text)}\n")


def console_on(stream: IO[str], color: Color) -> AnyConsole:
    """Return a console on ``stream``: a plain one where nothing can be coloured."""
    if color is not Color.ALWAYS and not _may_be_terminal(stream):
        return PlainConsole(stream)
    from awaken.preview.console.console import make_console  # noqa: PLC0415  as said above

    return make_console(stream, color)


def print_line(console: AnyConsole, text: Text) -> None:
    """Print one row, whatever its length."""
    if isinstance(console, PlainConsole):
        console.row(text.plain)
    else:
        console.print(text.rich(), soft_wrap=True)


def _may_be_terminal(stream: IO[str]) -> bool:
    return stream.isatty() or "IPython" in sys.modules or any(map(os.environ.get, _FORCING))


def fits(width: int) -> bool:
    """Whether what takes ``width`` cells has room on a console that is no terminal.

    Rich looks for a width all the same, in the environment and at other streams.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal():
        return width <= (int(given) or _USUAL_WIDTH)
    widths = [_USUAL_WIDTH]
    for descriptor in range(3):
        with suppress(OSError):
            widths.append(os.get_terminal_size(descriptor).columns or _USUAL_WIDTH)
    return width <= min(widths)
