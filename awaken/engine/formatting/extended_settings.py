"""The settings files that ruff reads, with those that ``extend`` names, read before it does.

Ruff would follow any path that a project names: a device, a pipe, a file of somebody else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from awaken.workspace.formats.toml_text import NotToml, parse_toml, value_at
from awaken.workspace.reading import METADATA_LIMIT, Enclosure

_MANIFEST = "pyproject.toml"


class UnusableSettings(Exception):
    """Settings that a formatter must not read: they lead to what is no file of the project."""


def extended_files(
    enclosure: Enclosure, settings: Path, content: bytes
) -> Iterator[tuple[Path, bytes]]:
    """Yield the files that the settings at ``settings`` extend, one after the other.

    Raises UnusableSettings for a path that is not relative, a file that cannot be read inside the
    project, settings that cannot be parsed, and a cycle.
    """
    seen = {settings}
    while (named := _extend(settings, content)) is not None:
        # Ruff puts the home directory and variables of the environment there.
        if os.path.isabs(named) or named.startswith("~") or "$" in named:  # noqa: PTH117  text
            raise UnusableSettings(f"{settings} extends {named}, which is not a relative path")
        settings = Path(os.path.normpath(settings.parent / named))
        if settings in seen:
            raise UnusableSettings(f"{settings} extends itself")
        seen.add(settings)
        try:
            content = enclosure.read(settings, METADATA_LIMIT)
        except OSError as error:
            raise UnusableSettings(f"{settings} cannot be read in the project") from error
        yield settings, content


def _extend(settings: Path, content: bytes) -> str | None:
    """Return what settings extend, as written; None if they extend nothing."""
    try:
        table = parse_toml(content.decode())
    except (NotToml, UnicodeDecodeError) as error:
        raise UnusableSettings(f"{settings} is not TOML") from error
    own = ("tool", "ruff") if settings.name == _MANIFEST else ()
    named = value_at(table, (*own, "extend"))
    if named is not None and not isinstance(named, str):
        raise UnusableSettings(f"{settings} extends a value that is not a path")
    return named
