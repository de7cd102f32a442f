"""The state of the git working tree around a directory."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from awaken.engine.machine import git


class Repository(Struct, frozen=True):
    """A git working tree: its top, and how many entries ``git status`` lists.

    ``changed`` are files that git tracks, ``untracked`` are new files and directories.
    """

    top: Path
    changed: int
    untracked: int


def repository_of(directory: Path) -> Repository | None:
    """Return the git working tree that holds ``directory``; None without one that git can read."""
    try:
        with git.open_repository(directory) as repository:
            if repository is None:
                return None
            status = repository.ask(directory, *git.STATUS)
    except git.GitError:
        return None
    if status.returncode:
        return None
    listed = [entry for entry in status.stdout.split(b"\0") if entry]
    untracked = sum(entry.startswith(b"??") for entry in listed)
    return Repository(repository.top, len(listed) - untracked, untracked)
