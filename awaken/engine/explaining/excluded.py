"""Files that are left out, and the pattern that does it."""

from __future__ import annotations

from pathlib import Path

from awaken.engine.explaining.exclusion import Exclusion, exclusion_of
from awaken.engine.explaining.explanation import Why
from awaken.engine.root_run import RootRun
from awaken.workspace.discovery import DiscoverySettings
from awaken.workspace.ignores import DEFAULT_EXCLUDE


def why_excluded(run: RootRun, path: str) -> Why | None:
    """Return which pattern keeps the project-relative ``path`` from being looked at, if any."""
    root, settings = run.found.root, run.settings
    exclusion = None
    if not root.lone:
        discovery = DiscoverySettings(
            exclude=settings.exclude, respect_gitignore=settings.respect_gitignore
        )
        exclusion = exclusion_of(root.path, path, discovery)
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
