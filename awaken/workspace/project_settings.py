"""The facts about a project other than its Python files and versions."""

from __future__ import annotations

from msgspec import Struct

from awaken.workspace.manifests.pytest_settings import PytestSettings
from awaken.workspace.outside import Outside
from awaken.workspace.sources import FileProblem


class ProjectSettings(Struct, frozen=True):
    """Facts about a project; the defaults promise least.

    ``published`` says whether code outside the project may import from it, and
    ``published_because`` why, as a sentence without its full stop. ``reads`` are the patterns of
    files that the running rules ask for, ``unread`` those files that are not read. ``locks`` are
    the names of the lock files in the root, which changes of requirements make stale.
    ``source_folders`` are on the path of the program, relative to the root. ``outside`` are Python
    files next to the project, where a rule asks. ``declared_above`` are the distributions that
    projects around it declare. ``pytest_above`` are the settings of pytest above the root, where a
    rule asks.
    """

    published: bool = True
    reads: tuple[str, ...] = ()
    unread: tuple[FileProblem, ...] = ()
    locks: tuple[str, ...] = ()
    pytest_above: PytestSettings | None = None
    published_because: str = ""
    source_folders: tuple[str, ...] = ()
    outside: Outside = Outside()
    declared_above: tuple[str, ...] = ()


UNTOLD = ProjectSettings()
"""What holds where no file is read."""
