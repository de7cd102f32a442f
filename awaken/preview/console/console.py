"""Consoles and colours: one palette that can be read on dark and on light terminals.

A terminal does not say how its background looks, so every foreground has about the same
contrast against white as against a usual dark grey (4 to 1), and words inside a changed line bring
their own background.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Literal, NoReturn

from msgspec import Struct
from rich.console import Console
from rich.segment import Segment
from rich.theme import Theme

from awaken.preview.choices import Color
from awaken.preview.streams.visible import inert, printable

_USUAL_WIDTH = 80
"""Where the terminal gives no usable width: what Rich and most programs take then."""


class _Palette(Struct, frozen=True):
    green: str
    red: str
    blue: str
    amber: str
    pink: str
    violet: str
    teal: str
    grey: str
    removed: str
    added: str


_MANY = _Palette(
    green="#22963f",
    red="#dc4545",
    blue="#3383d3",
    amber="#b17312",
    pink="#ca4fa3",
    violet="#a269d6",
    teal="#128c7e",
    grey="#838383",
    removed="#ffffff on #b3302f",
    added="#ffffff on #1a7336",
)
# The nearest of 16 colours would be a grey that nobody sees on white; these are the user's own.
_SIXTEEN = _Palette(
    green="green",
    red="red",
    blue="blue",
    amber="yellow",
    pink="magenta",
    violet="magenta",
    teal="cyan",
    grey="bright_black",
    # the background's own colour on the other: how light either is, only the user knows
    removed="red reverse",
    added="green reverse",
)


def _theme(palette: _Palette) -> Theme:
    return Theme(
        {
            "safe": f"bold {palette.green}",
            "unsafe": f"bold {palette.amber}",
            "manual": f"bold {palette.pink}",
            "advice": f"bold {palette.blue}",
            "error": f"bold {palette.red}",
            "path": "bold",
            "faint": palette.grey,
            "command": f"bold {palette.blue}",
            "removed": f"bold {palette.red}",
            "added": f"bold {palette.green}",
            "removed.word": f"bold {palette.removed}",
            "added.word": f"bold {palette.added}",
            "escape": f"bold {palette.pink}",
            "markdown.code": palette.amber,
            "markdown.h1": "bold",
            "markdown.h2": f"bold {palette.blue}",
            "markdown.h3": "bold",
            "code.keyword": palette.violet,
            "code.string": palette.teal,
            "code.number": palette.amber,
            "code.comment": f"italic {palette.grey}",
            "code.name": palette.blue,
            "code.decorator": palette.amber,
        }
    )


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        # Rich would end the process with 1; the command line has its own answer.
        raise BrokenPipeError

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        # All that rich writes, and all that a pager gets, comes along here. Rich's own control
        # codes come through ``control``; a text may hold styles, but no escapes.
        inactive = (
            piece if piece.control else Segment(printable(piece.text), piece.style)
            for piece in buffer
        )
        return inert(super()._render_buffer(inactive))


def make_console(stream: IO[str], color: Color) -> Console:
    """Return a console on ``stream`` that takes no text as markup and changes no character."""
    forced = color is Color.ALWAYS
    console = _Console(
        file=stream,
        theme=_theme(_MANY),
        color_system=_color_system(color),
        # Only None lets Rich look at the stream itself.
        force_terminal=forced or None,
        no_color=False if forced else None,
        # Brackets in code are no markup, and `:smile:` in a string is no emoji.
        markup=False,
        emoji=False,
        highlight=False,
    )
    if console.width < 1:  # COLUMNS=0, as some terminals say: rich would print nothing
        console.width = _USUAL_WIDTH
    if console.color_system in {"standard", "windows"}:
        console.push_theme(_theme(_SIXTEEN))
    return console


def _color_system(color: Color) -> Literal["auto", "standard"] | None:
    if color is Color.NEVER:
        return None
    forced_on_dumb = color is Color.ALWAYS and os.environ.get("TERM") in {"dumb", "unknown"}
    return "standard" if forced_on_dumb else "auto"
