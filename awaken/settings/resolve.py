"""Joins the layers of one project root's settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from awaken.contract import Rule
from awaken.project.ignores import DEFAULT_EXCLUDE, PathPatterns
from awaken.settings.model import Resolved, Settings
from awaken.settings.selection import choose


def resolve(
    root: Path,
    given: Settings,
    config: Sequence[str] = (),
    *,
    isolated: bool = False,
    rules: Sequence[Rule] = (),
) -> Resolved:
    """Return what holds for the project in ``root``.

    ``given`` is what the command line says, ``config`` its ``--config`` values; ``rules`` are all
    that are installed, to validate the options of each. Raises UserError, with file and line,
    for a file or value that is none, and with the nearest name for an unknown key or rule.
    """
    del config, isolated
    base = Path.cwd()
    target_version = given.target_version
    return Resolved(
        root=root,
        rules=tuple(rule.name for rule in choose(rules, given.select or (), given.ignore)),
        unsafe_fixes=bool(given.unsafe_fixes),
        target_version=None if target_version == "auto" else target_version,
        target=given.target,
        exclude=(
            PathPatterns(DEFAULT_EXCLUDE if given.exclude is None else given.exclude),
            PathPatterns(given.extend_exclude),
        ),
        force_exclude=bool(given.force_exclude),
        respect_gitignore=given.respect_gitignore is not False,
        baseline=None if given.baseline is None else base / given.baseline,
        cache_dir=None if given.cache_dir is None else base / given.cache_dir,
    )
