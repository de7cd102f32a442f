"""The places that settings name: each has to be there, and those of a project lie inside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from awaken.contract.nearest import nearest
from awaken.settings.model import Layer
from awaken.settings.typed_settings import Wrong
from awaken.workspace.formats.toml_text import KeyPath
from awaken.workspace.reading import enclosure_of

_WILD = frozenset("*?[\\")


def wrong_places(layer: Layer) -> Iterator[Wrong]:
    """Yield what is wrong with the places that a layer names, each with where it says so."""
    settings = layer.settings
    for number, name in enumerate(settings.src or ()):
        if not _place(layer, name).is_dir():
            yield _missing(layer, ("src", number), name, "directory")
    for number, pattern in enumerate(settings.members or ()):
        plain = pattern.removeprefix("!").strip("/")
        if not _has_directory(layer, pattern.removeprefix("!")):
            yield _missing(layer, ("members", number), plain, "directory")
    for at, override in enumerate(settings.overrides):
        for number, pattern in enumerate(override.paths):
            plain = pattern.removeprefix("!")
            if _is_place(plain) and not os.path.lexists(_place(layer, plain.strip("/"))):
                path = ("overrides", at, "paths", number)
                yield _missing(layer, path, plain.strip("/"), "file or directory")
    if layer.is_found:
        yield from _for_the_user(layer)


def _for_the_user(layer: Layer) -> Iterator[Wrong]:
    """Yield what a cloned project must not choose: where awaken writes, and that its code runs."""
    settings = layer.settings
    said = {"cache-dir": settings.cache_dir, "trust-passes": settings.trust_passes}
    for key, value in said.items():
        if value is not None:
            why = "is not allowed in a project's own settings"
            yield Wrong((key,), f"{key!r} {why}; remove it, and say --{key} instead")
    place = settings.baseline
    if place is not None:
        home = os.path.expanduser(place)  # noqa: PTH111 - Path's raises where there is no home
        if not enclosure_of(layer.directory).holds(layer.directory / home):
            why = f"must be in the project, not at {place!r}"
            yield Wrong(("baseline",), f"'baseline' {why}; --baseline accepts any path")


def _place(layer: Layer, name: str) -> Path:
    return Path(os.path.normpath(layer.directory / name))


def _is_place(pattern: str) -> bool:
    """Whether a pattern of a ``.gitignore`` names one place, and no names in every directory."""
    return "/" in pattern.strip().rstrip("/") and _WILD.isdisjoint(pattern)


def _has_directory(layer: Layer, pattern: str) -> bool:
    """Whether some directory matches ``pattern``; the search ends with the first."""
    plain = pattern.strip("/")
    if _is_place(pattern):
        return _place(layer, plain).is_dir()
    search = layer.directory.glob if "/" in pattern.rstrip("/") else layer.directory.rglob
    # Patterns that the file system cannot express are left to the callers that match with them.
    with suppress(ValueError, NotImplementedError, OSError):
        return any(path.is_dir() for path in search(plain))
    return True


def _missing(layer: Layer, path: KeyPath, name: str, what: str) -> Wrong:
    """Return what is wrong with a name that is no place, with what looks like it."""
    place = _place(layer, name)
    names = [] if "*" in name else enclosure_of(layer.directory).names(place.parent)
    beside = [word for word in names if what != "directory" or (place.parent / word).is_dir()]
    meant = nearest(place.name, beside)
    hint = f"; did you mean {str(Path(name).parent / meant)!r}?" if meant is not None else ""
    key = next(candidate for candidate in reversed(path) if isinstance(candidate, str))
    return Wrong(path, f"{key!r} names {name!r}, which is no {what}{hint}")
