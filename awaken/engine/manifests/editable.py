"""The manifests of a project that a requirement can be added to, as files of its snapshot."""

from __future__ import annotations

from pathlib import Path

from awaken.workspace.reading import enclosure_of
from awaken.workspace.sources import SourceFile
from awaken.workspace.text_files import read_texts

MANIFESTS = ("pyproject.toml", "requirements.txt", "setup.cfg")
"""The manifests that awaken edits, relative to a project root, in the order it looks at them."""


def read_manifests(root: Path) -> dict[str, SourceFile]:
    """Return the manifests of the project in ``root`` that are there and are text, by name."""
    return dict(read_texts(enclosure_of(root), root, MANIFESTS).files)
