"""Keeps foreign code from the network and from files, as far as the system allows it.

It is no wall against code that wants to get out: whoever runs foreign code trusts it. It keeps an
honest codemod from doing what nobody expects of a dry run.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = frozenset(
    {"os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
    | {"os.symlink", "os.truncate", "shutil.rmtree", "shutil.move"}
)
_NETWORK = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"})


class NotAllowed(PermissionError):
    """Foreign code did what a pass must not do."""


def leave_the_network() -> None:
    """Take this process off the network, where an ordinary user may do so (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK)


def forbid() -> None:
    """From now on raise NotAllowed where this process opens a connection or changes a file.

    Files of the system's directory for temporary ones may be written.
    """
    # Where the code stands, nothing is put beside it.
    sys.dont_write_bytecode = True
    place = os.path.realpath(tempfile.gettempdir()) + os.sep
    sys.addaudithook(_hook(place))


def _hook(place: str) -> Callable[[str, tuple[object, ...]], None]:
    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in _NETWORK and not _is_local(arguments):
            raise NotAllowed("a pass must not use the network")
        if event == "open":
            path, mode, flags = arguments
            is_writing = isinstance(flags, int) and bool(flags & _WRITING)
            if is_writing and isinstance(path, str | bytes) and not _may_write(path, place):
                raise NotAllowed(f"a pass must not write files, and this one writes {path!r}")
            del mode
        elif event in _CHANGING and not _may_write(arguments[0], place):
            raise NotAllowed(f"a pass must not change files, and this one changes {arguments[0]!r}")

    return audit


def _is_local(arguments: tuple[object, ...]) -> bool:
    # A socket of the file system, which libraries make for their own processes.
    return len(arguments) > 1 and isinstance(arguments[1], str | bytes)


def _may_write(path: object, place: str) -> bool:
    if isinstance(path, int):
        return True
    try:
        real = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    # Its directory is opened for a file without a name.
    return f"{real}{os.sep}".startswith(place) or real == os.devnull
