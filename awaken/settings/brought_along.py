"""Settings files that a project brings along may name foreign code, and not have it run."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import structs

from awaken.contract import UserError
from awaken.settings.model import Layer
from awaken.workspace.reading import working_tree


def as_brought_along(layer: Layer, path: Path, root: Path) -> Layer:
    """Return a layer whose file the user named, as the project's if that is where it lies.

    The author of the project wrote it too, and may have asked the user to name it. Raises UserError
    where it says itself that foreign code is to be run.
    """
    if not Path(os.path.realpath(path)).is_relative_to(_project(root)):
        return layer
    if layer.settings.trust_passes is not None:
        raise UserError(
            f"{layer.origin}: 'trust-passes' is not taken from a file of the project; "
            f"remove it, and say --trust-passes instead"
        )
    return structs.replace(layer, is_found=True)


def _project(root: Path) -> Path:
    """Return the directory that came with a project: its repository, if it is in one."""
    real = Path(os.path.realpath(root))
    tree = working_tree(real) or real
    # A home directory may be in git and still have settings.
    home = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111  Path's may raise
    return real if home.is_relative_to(tree) else tree
