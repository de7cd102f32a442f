"""Files that are left out, and the pattern that does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from awaken.engine.explaining.explanation import Why
from awaken.engine.root_run import RootRun
from awaken.workspace.discovery import DiscoverySettings
from awaken.workspace.ignores import (
    DEFAULT_EXCLUDE,
    Patterns,
    TrackedPaths,
    gitignore,
    outer_gitignores,
)


def why_excluded(run: RootRun, path: str) -> Why | None:
    """Return which pattern keeps the project-relative ``path`` from being looked at, if any."""
    root, settings = run.found.root, run.settings
    exclusion = None
    if not root.lone:
        discovery = DiscoverySettings(
            exclude=settings.exclude, respect_gitignore=settings.respect_gitignore
        )
        exclusion = _exclusion_of(root.path, path, discovery)
    if exclusion is None:
        return None
    what = f"the directory {exclusion.what}" if exclusion.what.endswith("/") else "the file"
    where = _origin(run, exclusion)
    return Why(
        code="excluded",
        message=f"{what} matches the pattern `{exclusion.pattern}` {where}",
        help=(
            "Change the pattern. force-exclude excludes the file even if you name it."
            if settings.force_exclude
            else "Name the file itself as a path, as in `awaken check FILE`, or change the pattern."
        ),
    )


def _origin(run: RootRun, found: Exclusion) -> str:
    if found.file:
        path, root = Path(found.file), run.found.root.path
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        return f"in {shown}:{found.line}"
    origins = run.settings.origins
    if found.pattern in DEFAULT_EXCLUDE and "exclude" not in origins:
        return "that awaken excludes by default"
    said = [origins[name] for name in ("exclude", "extend-exclude") if name in origins]
    return f"in the setting exclude ({', '.join(said) or 'the command line'})"


class Exclusion(Struct, frozen=True):
    """``pattern`` leaves out ``what``: the file, or a directory above it (ends in a slash).

    ``file`` is the absolute path of the ignore file and ``line`` the pattern's line there; empty
    and 0 for the setting ``exclude``.
    """

    what: str
    pattern: str
    file: str = ""
    line: int = 0


def _exclusion_of(root: Path, path: str, settings: DiscoverySettings) -> Exclusion | None:
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
