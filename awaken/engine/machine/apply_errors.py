"""The exceptions that stop an apply or an undo, each one sentence that ends with what to do next.

ApplyError
├── FileConflictError      a file is not as it must be; nothing was written
├── WriteError             a write failed; everything was put back as it was
├── PutBackError           a file could not be put back; `awaken undo` goes on with it
├── UnfinishedApplyError   an earlier apply was killed; `awaken undo` comes first
├── NothingToUndoError     the stack of this root is empty
├── DamagedJournalError    a journal file cannot be read
├── TreeLockedError        another run works on this tree
├── TreeChangedError       an apply or undo wrote to this tree while it was read
└── StateDirectoryError    the state directory cannot be used
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from awaken.contract import UserError


class ApplyError(UserError):
    """An apply or undo that was not done; ``str()`` is the sentence for the user."""


class FileConflict(Struct, frozen=True):
    """A file that stops the run, and why; ``path`` is shown relative to the root."""

    path: str
    message: str


class FileConflictError(ApplyError):
    """Files are not as they must be, and nothing was written.

    ``conflicts`` names all of them; the sentence names the first and counts the others.
    """

    def __init__(self, undone: str, conflicts: Sequence[FileConflict], help_text: str) -> None:
        self.conflicts = tuple(conflicts)
        first = self.conflicts[0]
        more = len(self.conflicts) - 1
        others = f" (and {more} more file{'s'[: more > 1]} cannot be written)" if more else ""
        super().__init__(f"nothing was {undone}: {first.path} {first.message}{others}; {help_text}")


class WriteError(ApplyError):
    """A write failed; every file was put back as it was."""


class PutBackError(ApplyError):
    """A file could not be put back; the journal still holds every original."""


class UnfinishedApplyError(ApplyError):
    """An earlier apply was killed before its end and must be undone first."""


class NothingToUndoError(ApplyError):
    """No apply is left on the stack of this root."""


class DamagedJournalError(ApplyError):
    """A journal file cannot be read."""


class TreeLockedError(ApplyError):
    """Another run works on this tree, or on one inside or around it."""


class TreeChangedError(ApplyError):
    """An apply or undo wrote to a tree while another run read it."""


class StateDirectoryError(ApplyError):
    """The state directory cannot be read or written."""

    def __init__(self, directory: Path, error: OSError) -> None:
        super().__init__(
            f"the state directory {directory} cannot be used ({error.strerror or error}); "
            "set AWAKEN_STATE_DIR to a directory that only you can write to"
        )


def display_path(path: Path | str, root: Path) -> str:
    """Return ``path`` for a message: relative to ``root`` if inside, printable and on one line."""
    place = Path(path)
    text = place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def blame(error: OSError, root: Path) -> str:
    """Return ``app/models.py (No space left on device)``: the file of ``error`` and the reason."""
    return f"{display_path(error.filename or root, root)} ({error.strerror or error})"


def undo_command(root: Path, *options: str) -> str:
    """Return the command line that undoes the last apply of ``root``, quoted for the shell."""
    words = ["awaken", "undo", *options, str(root)]
    if sys.platform == "win32":
        import subprocess  # noqa: PLC0415  only an error needs it

        return subprocess.list2cmdline(words)
    return shlex.join(words)
