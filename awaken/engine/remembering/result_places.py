"""The folders of kept results: by project, by Python, and by awaken's own code.

A digest of that code is part of the place, so that no version takes what another one came to. To
read all of it takes longer than all else that a run does of which nothing changed. So the digest is
kept with the state of each file, as that of a project's file is.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from awaken.engine.remembering.results_cache import TOP, ResultsCache
from awaken.workspace.file_reading import TICK
from awaken.workspace.reading import FileState, state_at

_CODE = hashlib.sha256(b"own code").digest()
"""The key of the one digest of an installation."""


class OwnCode(Struct, frozen=True):
    """The digest of awaken's own code when its files had these states, by path."""

    states: dict[str, FileState]
    digest: str


def results_directory(root: Path, base: Path | None = None, key: bytes | None = None) -> Path:
    """Return where the results of the project in ``root`` are kept, for this Python and awaken.

    ``base`` is ``--cache-dir``; by default the user's cache directory. With the user's ``key`` the
    digest of awaken's own code is taken from there, if that is still the same.
    """
    return (base or cache_directory()) / TOP / _project(root) / made_by(base, key)


def made_by(base: Path | None, key: bytes | None) -> str:
    """Return the name of what makes the results: the Python, and a digest of awaken's own code."""
    return _named_text(own_digest(base or cache_directory(), key))


def own_results(base: Path | None, key: bytes | None) -> ResultsCache:
    """Return the results that are about awaken itself and no project."""
    return ResultsCache(results_directory(_own_package(), base, key), key)


def cache_directory() -> Path:
    """Return the user's cache directory of awaken."""
    import platformdirs  # noqa: PLC0415 - a run without cache does not need it

    return platformdirs.user_cache_path("awaken")


def _project(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:16]


def _named_text(digest: str) -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{sys.implementation.name}-{python}-{digest}"


def _own_package() -> Path:
    spec = find_spec("awaken")
    # Not `__file__`: a namespace or a frozen package has none.
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    return Path(places[0] if places else ".")


@cache
def own_digest(base: Path, key: bytes | None) -> str:
    """Return a digest of awaken's own code, that in ``base`` if no file has another state."""
    started = time.time_ns()
    own = os.fspath(_own_package())
    # An editor may leave a link that leads nowhere.
    states = {path: state for path in _files(own) if (state := state_at(path)) is not None}
    # No version of the code is part of this place: the code itself is looked for.
    place = base / TOP / _project(Path(own)) / _named_text(f"{0:016}")
    cache_of_code = ResultsCache(place if key else None, key)
    known = cache_of_code.get(OwnCode, _CODE)
    if known is not None and known.states == states:
        return known.digest
    digest = _digest(own, states)
    # A file that was written just now may be written again at the same time.
    if all(file_state.latest < started - TICK for file_state in states.values()):
        cache_of_code.put(_CODE, OwnCode(states, digest))
        cache_of_code.save()
    return digest


def _files(own: str) -> list[str]:
    # os.walk takes a third of the time of Path.rglob, and every run pays it.
    return sorted(
        os.path.join(directory, name)  # noqa: PTH118
        for directory, _, names in os.walk(own)
        for name in names
        if name.endswith((".py", ".pyi", ".toml"))
    )


def _digest(own: str, files: Mapping[str, FileState]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.removeprefix(own).encode() + b"\0" + Path(file).read_bytes() + b"\0")
    return digest.hexdigest()[:16]
