"""A bar on stderr for a run that takes its time, on a terminal only; it leaves no trace."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from awaken.preview.choices import View

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0
"""Seconds before a bar appears: up to a second people wait without wondering."""
_PAUSE = 0.1
"""Seconds between two pictures of it: ten a second look like movement, and cost nothing."""


@contextmanager
def bar(view: View) -> Iterator[Callable[[str, int, int], None] | None]:
    """Give what ``awaken.api.run`` takes as ``progress``; the bar is gone at the end.

    None, which costs nothing, where no bar is wanted: stderr is no terminal, ``view`` is quiet,
    or it is a log of continuous integration, some of which pose as a terminal.
    """
    logged = os.environ.get("CI") or os.environ.get("TERM") in {"dumb", "unknown"}
    if view.quiet or logged or not sys.stderr.isatty():
        yield None
        return
    shown = _Bar(view)
    try:
        yield shown.advance
    finally:
        shown.close()


class _Bar:
    """Shows how far the latest stage is, once the run takes longer than people wait gladly."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._due = time.monotonic() + _PATIENCE
        self._drawn: Progress | None = None

    def advance(self, stage: str, done: int, total: int) -> None:
        """Show that ``done`` of the ``total`` items of ``stage`` are done, if that is due."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _PAUSE
        if self._drawn is None:
            self._drawn = _bar(self._view)
            self._drawn.add_task("")
        task = self._drawn.task_ids[0]
        self._drawn.update(task, description=stage, completed=done, total=total)
        self._drawn.start()
        # Without its thread Rich draws only on request.
        self._drawn.refresh()

    def close(self) -> None:
        """Take the bar off the screen, for good: a staged run may go on showing changes."""
        self._due = math.inf
        if self._drawn is not None:
            self._drawn.stop()


def _bar(view: View) -> Progress:
    # Rich takes a twentieth of a second to import what most runs do not need.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    from awaken.preview.console.console import make_console  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}", style="faint", markup=False),
        BarColumn(bar_width=30, style="faint", complete_style="command", finished_style="command"),
        MofNCompleteColumn(),
        console=make_console(sys.stderr, view.color),
        transient=True,
        # A thread would keep workers from being forked.
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
