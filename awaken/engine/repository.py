"""What git says of a directory."""

from __future__ import annotations

import subprocess
from pathlib import Path

from msgspec import Struct

from awaken.engine import git

_SECONDS = 20


class Repository(Struct, frozen=True):
    """A git working tree: its top, and how many entries ``git status`` lists.

    ``changed`` are files that git tracks, ``untracked`` are new files and directories.
    """

    top: Path
    changed: int
    untracked: int


def repository_of(directory: Path) -> Repository | None:
    """Return the git working tree that holds ``directory``; None without one, or without git."""
    top = _git(directory, "rev-parse", "--show-toplevel")
    if not top:
        return None
    entries = _git(directory, "status", "--porcelain", "-z", "--no-renames") or ""
    listed = [entry for entry in entries.split("\0") if entry]
    untracked = sum(entry.startswith("??") for entry in listed)
    return Repository(Path(top.rstrip("\n")), len(listed) - untracked, untracked)


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        done = git.ask(directory, *arguments, seconds=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
