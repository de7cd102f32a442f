"""Changes that are one stretch of lines of one file: what a code host can show as a suggestion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from awaken.contract import ChangeId
from awaken.engine.report import FileChange, RootReport
from awaken.preview.diffs.hunks import hunks
from awaken.preview.streams.output import Staged
from awaken.preview.streams.visible import printable


class Suggestion(NamedTuple):
    """The lines ``first`` to ``last`` of a file (1-based, both included) and what replaces them.

    ``path`` is project-relative. ``text`` is empty where the lines go, and has no last line end.
    """

    path: str
    first: int
    last: int
    text: str


class Alone(NamedTuple):
    """The effect of a change that is made alone: the paths that it edits, and its suggestion."""

    paths: tuple[str, ...]
    suggestion: Suggestion | None


class AloneChanges:
    """Shows the changes of a report alone, each worked out once."""

    def __init__(self, staged: Staged | None) -> None:
        self._staged = staged
        self._known: dict[tuple[Path, ChangeId], Alone] = {}

    def effect_of(self, root: RootReport, change: ChangeId) -> Alone:
        """Return what ``change`` does alone; nothing where the run can't show it."""
        key = root.root, change
        if key not in self._known:
            files = () if self._staged is None else tuple(self._staged.files_of(*key))
            paths = tuple(file.path for file in files)
            self._known[key] = Alone(paths, _suggestion(root, files))
        return self._known[key]


def _suggestion(root: RootReport, files: Sequence[FileChange]) -> Suggestion | None:
    """Return the change of ``files`` as a suggestion; None where it is more than one stretch."""
    if len(files) != 1 or files[0].before is None:
        return None
    file, before = files[0], files[0].before
    on_disk = root.sources.get(file.path)
    # A reader applies it to the file on disk, and counts lines as git does. It is unknown what git
    # and the host do with `\r\n` in a suggestion.
    if on_disk is None or on_disk.text != before.text or b"\r" in before.text + file.after.text:
        return None
    old, new = (text.text.split(b"\n") for text in (before, file.after))
    stretches = hunks(old, new)
    if len(stretches) != 1:
        return None
    changed = [block for block in stretches[0] if not block.equal]
    start, stop = changed[0].start, changed[-1].stop
    new_start, new_stop = changed[0].new_start, changed[-1].new_stop
    if start == stop:  # lines are replaced, so what is inserted comes with a line next to it
        step = 1 if start == 0 else 0
        start, stop = start - 1 + step, stop + step
        new_start, new_stop = new_start - 1 + step, new_stop + step
    try:
        text = b"\n".join(new[new_start:new_stop]).decode()
    except UnicodeDecodeError:
        return None
    # Hidden characters would be shown as nothing, and the reader could not see what is accepted.
    if printable(text) != text:
        return None
    return Suggestion(file.path, start + 1, stop, text)
