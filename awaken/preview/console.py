"""Consoles and colours: one palette that can be read on dark and on light terminals.

A terminal does not say how its background looks, so every foreground has about the same
contrast against white as against a usual dark grey (4 to 1), and words inside a changed line bring
their own background.
"""

from __future__ import annotations

import os
from typing import IO, Literal, NoReturn

from rich.console import Console
from rich.theme import Theme

from awaken.preview.choices import Color

_GREEN = "#22963f"
_RED = "#dc4545"
_BLUE = "#3383d3"
_AMBER = "#b17312"
_PINK = "#ca4fa3"
_GREY = "#838383"

STYLES = {
    "safe": f"bold {_GREEN}",
    "unsafe": f"bold {_AMBER}",
    "manual": f"bold {_PINK}",
    "advice": f"bold {_BLUE}",
    "error": f"bold {_RED}",
    "path": "bold",
    "faint": _GREY,
    "command": f"bold {_BLUE}",
    "removed": f"bold {_RED}",
    "added": f"bold {_GREEN}",
    "removed.word": "bold #ffffff on #b3302f",
    "added.word": "bold #ffffff on #1a7336",
    "escape": f"bold {_PINK}",
    "markdown.code": _AMBER,
    "markdown.h1": "bold",
    "markdown.h2": f"bold {_BLUE}",
    "markdown.h3": "bold",
    "code.keyword": "#a269d6",
    "code.string": "#128c7e",
    "code.number": _AMBER,
    "code.comment": f"italic {_GREY}",
    "code.name": _BLUE,
    "code.decorator": "#a17c14",
}


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        # Rich would end the process with 1; the command line has its own answer.
        raise BrokenPipeError


def make_console(stream: IO[str], color: Color) -> Console:
    """Return a console on ``stream`` that takes no text as markup and changes no character."""
    forced = color is Color.ALWAYS
    return _Console(
        file=stream,
        theme=Theme(STYLES),
        color_system=_color_system(color),
        force_terminal=forced or None,
        no_color=False if forced else None,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _color_system(color: Color) -> Literal["auto", "standard"] | None:
    if color is Color.NEVER:
        return None
    forced_on_dumb = color is Color.ALWAYS and os.environ.get("TERM") in {"dumb", "unknown"}
    return "standard" if forced_on_dumb else "auto"
