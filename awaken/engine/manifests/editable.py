"""The manifests of a project that a requirement can be added to, as files of its snapshot."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from awaken.workspace.reading import METADATA_LIMIT, enclosure_of
from awaken.workspace.sources import SourceFile, Undecodable, decode_settings

MANIFESTS = ("pyproject.toml", "requirements.txt", "setup.cfg")
"""The manifests that awaken edits, relative to a project root, in the order it looks at them."""


def read_manifests(root: Path) -> dict[str, SourceFile]:
    """Return the manifests of the project in ``root`` that are there and are text, by name."""
    found = {}
    enclosure = enclosure_of(root)
    for name in MANIFESTS:
        with suppress(OSError, Undecodable):
            raw = enclosure.read(root / name, METADATA_LIMIT)
            found[name] = decode_settings(name, raw)
    return found
