"""The applies that can be undone, and what an undo did, as lines of text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from awaken.engine.writing.undoing import Undone, UndoStack
from awaken.preview.counts import plural
from awaken.preview.paths import relative
from awaken.preview.streams.visible import visible


def stack_lines(stack: UndoStack, current: Path, *, verbose: bool) -> Iterator[str]:
    """Yield one line per apply, the next to be taken back first.

    ``verbose`` adds its files, relative to ``current``, and the place of its journal.
    """
    counts = [plural(len(entry.files), "file") for entry in stack.entries]
    width = max(map(len, counts), default=0)
    for entry, files in zip(stack.entries, counts, strict=True):
        unfinished = "  (stopped half way)" if entry.unfinished else ""
        yield visible(f"{_time(entry.started)}  {files:<{width}}  {entry.command}{unfinished}")
        if verbose:
            for path in entry.files:
                yield visible(f"    {relative(path, '', current)}")
            yield visible(f"    journal: {entry.place}")


def inside_lines(stack: UndoStack, current: Path) -> Iterator[str]:
    """Yield, for each project inside the one of ``stack``, the command that lists its applies."""
    for root in stack.inside:
        where = shlex.quote(relative(root, "", current))
        yield visible(f"To see those of a project inside: awaken undo --list {where}")


def undone_lines(undone: Undone, current: Path, *, verbose: bool) -> Iterator[str]:
    """Yield what was left alone, with ``verbose`` also each file, and the whole in a sentence."""
    for path in undone.kept:
        yield visible(f"kept {relative(path, '', current)}: it was edited since")
    if verbose:
        for did, paths in (("restored", undone.restored), ("removed", undone.removed)):
            for path in paths:
                yield visible(f"{did} {relative(path, '', current)}")
    files = f"{plural(len(undone.restored), 'file')} as before"
    removed = f", {plural(len(undone.removed), 'new file')} removed" if undone.removed else ""
    yield visible(f"Took back {undone.command} of {_time(undone.started)}: {files}{removed}.")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
