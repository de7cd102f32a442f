"""The state directory: where the journal, the locks and the key of the cache lie.

Its content decides what ``undo`` writes. So it must belong to the user, nobody else may write to
it, and it must not be a link.
"""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

from awaken.engine.machine.apply_errors import StateDirectoryError
from awaken.engine.machine.filesystem import (
    REAL,
    NotOursError,
    make_private_directories,
    read_regular,
    require_ours,
    write_file,
)

_KEY_FILE = "cache-key"
_KEY_BYTES = 32
"""As long as the digests that are made with it."""


def state_directory(chosen: Path | None = None) -> Path:
    """Return where awaken keeps its state, below real directories.

    That is ``chosen``, else the environment's AWAKEN_STATE_DIR, else the platform's own place.
    """
    place = chosen or os.environ.get("AWAKEN_STATE_DIR")
    if not place:
        place = platformdirs.user_state_dir("awaken", appauthor=False)
    path = Path(place).absolute()
    # The directory itself is not resolved: a link in its place is for ``require_private`` to see.
    return Path(os.path.realpath(path.parent), path.name)


def require_private(state: Path, *inside: str) -> None:
    """Raise StateDirectoryError unless ``state`` and the directories ``inside`` are the user's.

    A path that does not exist yet belongs to nobody else; nor does an unreadable one.
    """
    for directory in (state, *(state / name for name in inside)):
        try:
            require_ours(directory.lstat())
        except NotOursError as error:
            raise StateDirectoryError(directory, error) from error
        except OSError:
            continue


def cache_key(state: Path | None = None) -> bytes | None:
    """Return random bytes that only this user can read, made when first asked for.

    ``state`` is the state directory. None where there is none that can be used.
    """
    directory = state_directory(state)
    place = directory / _KEY_FILE
    try:
        require_private(directory)
        if not os.path.lexists(place):
            _make_key(directory, place)
        result = read_regular(place, ours=True)
    except (OSError, StateDirectoryError):
        return None
    return result if len(result) == _KEY_BYTES else None


def _make_key(directory: Path, place: Path) -> None:
    """Write the key in one step: of two runs at once, the first one's stays."""
    make_private_directories(REAL, directory)
    draft = directory / f".{secrets.token_hex(8)}.draft"
    try:
        write_file(REAL, draft, secrets.token_bytes(_KEY_BYTES), 0o600)
        if sys.platform == "win32":
            draft.rename(place)  # which fails where it exists
        else:
            with suppress(FileExistsError):
                os.link(draft, place)
    finally:
        with suppress(OSError):
            draft.unlink()
