"""The facts about a project beside its Python files and the versions it runs on."""

from __future__ import annotations

from msgspec import Struct

from awaken.workspace.sources import FileProblem


class ProjectSettings(Struct, frozen=True):
    """What is told of a project; the defaults are those that promise least.

    ``published`` says whether code outside the project may import from it. ``reads`` are the
    patterns of files that the running rules ask for, ``unread`` those files that are not read.
    """

    published: bool = True
    reads: tuple[str, ...] = ()
    unread: tuple[FileProblem, ...] = ()


UNTOLD = ProjectSettings()
"""What holds where no file is read."""
