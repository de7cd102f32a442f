"""Keeps foreign code from the network and from files, as far as the system allows it.

It is no wall against code that wants to get out: whoever runs foreign code trusts it. It keeps an
honest codemod from doing what nobody expects of a dry run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {
    **dict.fromkeys(("os.link", "os.rename", "shutil.move"), (0, 1)),
    **dict.fromkeys(("os.chmod", "os.chown", "os.mkdir", "os.remove", "os.rmdir"), (0,)),
    **dict.fromkeys(("os.truncate", "shutil.rmtree"), (0,)),
    "os.symlink": (1,),
}
"""What changes files, and where the paths stand among its arguments."""
_NETWORK = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"})
_PROGRAMS = frozenset({"os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"}) | {
    "subprocess.Popen",
    "pty.spawn",
}


_FORKS = frozenset({"os.fork", "os.forkpty"})
_OURS: list[bool] = []
"""Holds something while awaken itself forks."""


class NotAllowed(PermissionError):
    """Foreign code did what a pass must not do."""


def leave_the_network() -> None:
    """Take this process off the network, where an ordinary user may do so (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK)


def end_with_parent() -> None:
    """Let the system end this process when the one that started it ends (Linux).

    When a user kills awaken, no foreign code runs on.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def fork() -> int:
    """Fork this process as ``os.fork`` does, which foreign code must not."""
    _OURS.append(True)
    try:
        return os.fork()
    finally:
        _OURS.clear()


def forbid(root: str) -> None:
    """From now on raise NotAllowed where this process reaches out of itself.

    That is where it opens a connection, starts a program or changes a file. Files of the system's
    directory for temporary ones may be written, except for those of the project in ``root``.
    """
    # Nothing is written next to the code.
    sys.dont_write_bytecode = True
    place = os.path.realpath(tempfile.gettempdir()) + os.sep
    sys.addaudithook(_hook(place, os.path.realpath(root) + os.sep))


def _hook(place: str, root: str) -> Callable[[str, tuple[object, ...]], None]:
    def may_write(path: object) -> bool:
        if isinstance(path, int):
            return True
        try:
            real = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return False
        # The directory itself is opened for a file without a name.
        is_temporary = f"{real}{os.sep}".startswith(place)
        return real == os.devnull or (is_temporary and not real.startswith(root))

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in _NETWORK and not _is_local(arguments):
            raise NotAllowed("a pass must not use the network")
        if event in _FORKS and not _OURS:
            raise NotAllowed("a pass must not start programs, and this one forks its process")
        if event in _PROGRAMS:
            raise NotAllowed(
                f"a pass must not start programs, and this one starts {arguments[0]!r}"
            )
        for path in _written_paths(event, arguments):
            if not may_write(path):
                raise NotAllowed(f"a pass must not change files, and this one changes {path!r}")

    return audit


def _written_paths(event: str, arguments: tuple[object, ...]) -> Sequence[object]:
    """Return the paths that an event changes."""
    if event != "open":
        return [arguments[index] for index in _CHANGING.get(event, ())]
    path, _, flags = arguments
    is_writing = isinstance(flags, int) and bool(flags & _WRITING)
    return [path] if is_writing and isinstance(path, str | bytes) else []


def _is_local(arguments: tuple[object, ...]) -> bool:
    # A socket of the file system, which libraries make for their own processes.
    return len(arguments) > 1 and isinstance(arguments[1], str | bytes)
