"""The exclusion of one file from a walk: the deciding pattern and its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from awaken.workspace.discovery import DiscoverySettings
from awaken.workspace.ignores import Patterns, TrackedPaths, gitignore, outer_gitignores


class Exclusion(Struct, frozen=True):
    """``pattern`` leaves out ``what``: the file, or a directory above it (ends in a slash).

    ``file`` is the absolute path of the ignore file and ``line`` the pattern's line there; empty
    and 0 for the setting ``exclude``.
    """

    what: str
    pattern: str
    file: str = ""
    line: int = 0


def exclusion_of(root: Path, path: str, settings: DiscoverySettings) -> Exclusion | None:
    """Return why a walk of ``root`` leaves out the project-relative ``path``; None if it does not.

    Goes down the directories as the walk does, because nothing below an excluded one is ever read.
    """
    base = f"{root}/"
    excluded = [
        candidate.patterns_below(root) for candidate in settings.exclude if candidate.patterns
    ]
    ignores = outer_gitignores(root) if settings.respect_gitignore else []
    tracked = TrackedPaths(root)
    ignored = None
    parts = path.split("/")
    for depth, part in enumerate(parts):
        above = "".join(f"{name}/" for name in parts[:depth])
        what = above + (part if depth == len(parts) - 1 else f"{part}/")
        if settings.respect_gitignore:
            ignores.append(gitignore(base + above))
        # In the order of the walk, which asks the option first.
        exclusion = _decided_pattern(excluded, base, what)
        if exclusion is not None:
            return exclusion
        # Below an ignored directory no other pattern says anything.
        ignored = ignored or _decided_pattern(ignores, base, what)
        if ignored is not None and not tracked.hold(what):
            return ignored
    return None


def _decided_pattern(patterns: Sequence[Patterns], base: str, what: str) -> Exclusion | None:
    """Return the pattern that leaves out ``what``; the last of ``patterns`` that says anything."""
    full, name = base + what, what.rstrip("/").rpartition("/")[2] + ("/" * what.endswith("/"))
    for one in reversed(patterns):
        decision = one.decision(full, name)
        line, pattern = one.deciding(full, name) or (0, "")
        if decision is not None:
            return Exclusion(what, pattern, one.file, line if one.file else 0) if decision else None
    return None
