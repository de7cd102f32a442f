"""The store of the summaries of texts: one file in the user's cache, for all projects."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from awaken.engine.machine.filesystem import WALKS, require_ours
from awaken.engine.machine.state_directory import cache_key
from awaken.engine.remembering.result_places import cache_directory, made_by
from awaken.engine.remembering.results_cache import create_file, made_directories
from awaken.project.store.summaries import Store
from awaken.project.store.table import Table

_FOLDER = "summaries"
_FILE = "summaries-1.sqlite"
"""The number is that of the schema: another one has a file of its own."""


def summary_store(base: Path | None, *, use: bool) -> Store:
    """Return the store of summaries in the cache directory ``base``, None for the user's.

    It is in memory alone without ``use``, and where a file that is the user's own cannot be had.
    """
    secret = cache_key() if use and WALKS else None
    file = None if secret is None else _own_file(base)
    if secret is None or file is None:
        return Store()
    return Store(made_by(base, secret), Table(file, secret))


def _own_file(base: Path | None) -> Path | None:
    """Return the file, made if it is missing; None if anybody else could have written it."""
    base = base or cache_directory()
    try:
        with made_directories(base, [_FOLDER]) as directory:
            with suppress(FileExistsError):
                create_file(_FILE, directory, b"")
            for name in (_FILE, f"{_FILE}-journal"):
                with suppress(FileNotFoundError):
                    _require_own_file(os.stat(name, dir_fd=directory, follow_symlinks=False))
    except OSError:
        return None
    return Path(base.absolute(), _FOLDER, _FILE)


def _require_own_file(status: os.stat_result) -> None:
    require_ours(status)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise OSError("it is not a separate file")
