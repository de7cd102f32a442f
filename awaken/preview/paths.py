"""Paths as people and programs read them: relative to a directory, with ``/``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from awaken.workspace.reading import working_tree


def relative(root: Path, path: str, base: Path) -> str:
    """Return ``path``, which is relative to ``root``, relative to ``base`` instead."""
    try:
        shown = os.path.relpath(root / path, base)
    except ValueError:  # another drive on Windows: no relative path leads there
        shown = str(root / path)
    return shown.replace(os.sep, "/")


def patch_base(roots: Iterable[Path], current: Path) -> Path:
    """Return the directory to which the paths of one patch over ``roots`` are relative.

    ``git apply`` reads the paths of a ``diff --git`` patch from the top of the working tree. So
    that is the base where all roots share one, else ``current``.
    """
    tops = {working_tree(root) for root in roots}
    top = tops.pop() if len(tops) == 1 else None
    return top or current
