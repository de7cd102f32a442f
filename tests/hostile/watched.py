"""Runs awaken's commands one after the other in this process, and writes down what it does.

::

    python watched.py COMMANDS DIRECTORY

``COMMANDS`` is a JSON file with one list of words per command. ``DIRECTORY`` gets per command what
it printed (``0.out``, ``0.err``) and ``events``: JSON lines of what an audit hook heard, each with
the number of the command. A line ``["code", number, code]`` ends each command.
"""

# The hook hears every file: it takes no detour over objects.
# ruff: noqa: PTH115, PTH117, PTH118, PTH119, PTH120
from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

MEMORY = 4 * 2**30
"""Bytes of addresses: a reader without a limit ends here, before the machine does."""
_READING = {"open", "os.listdir", "os.scandir"}
_CHANGING = {
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link"),
    *("os.symlink", "os.truncate", "os.utime", "os.setxattr", "os.removexattr"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "shutil.copytree"),
}
_STARTING = {
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("pty.spawn", "socket.connect", "socket.bind", "socket.getaddrinfo", "ctypes.dlopen"),
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Listener:
    """Writes down what an audit hook hears, with the number of the command that runs."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        self.number = 0
        self._directory: int | None = None
        self._open = os.open

    def open(
        self, path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        """Stand for ``os.open``: what the hook hears of it leaves the directory out."""
        self._directory = dir_fd
        try:
            return self._open(path, flags, mode, dir_fd=dir_fd)
        finally:
            self._directory = None

    def note(self, kind: str, *words: object) -> None:
        """Write one line of JSON."""
        os.write(self._file, (json.dumps([kind, self.number, *words]) + "\n").encode())

    def hear(self, event: str, arguments: tuple) -> None:
        """Note ``event`` if it reads, changes or starts something."""
        if event in _READING and isinstance(arguments[0], (str, bytes)):
            flags = arguments[2] if event == "open" else 0
            self.note(
                "write" if flags & _WRITES else "read", _real(arguments[0], flags, self._directory)
            )
        elif event in _CHANGING:
            # What a link leads to is not changed by making it.
            for path in arguments[1:2] if event == "os.symlink" else arguments[:2]:
                if isinstance(path, (str, bytes)):
                    self.note(event, _real(path, os.O_NOFOLLOW, arguments[-1]))
        elif event in _STARTING:
            self.note(event, *map(repr, arguments))


def main(commands: Path, directory: Path) -> None:
    """Run every command."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    from awaken.cli import main as awaken  # noqa: PLC0415  before the hook: this is no input

    listener = Listener(directory / "events")
    sys.addaudithook(listener.hear)
    os.open = listener.open
    os.supports_dir_fd.add(listener.open)
    for number, words in enumerate(json.loads(commands.read_text())):
        listener.number = number
        for stream, name in ((1, "out"), (2, "err")):
            file = os.open(directory / f"{number}.{name}", os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(file, stream)
            os.close(file)
        code = awaken(words)
        sys.stdout.flush()
        sys.stderr.flush()
        listener.note("code", code)


def _real(path: str | bytes, flags: int, directory: object = None) -> str:
    """Return the file that is meant, behind links if they are followed."""
    text = os.fsdecode(path)
    if isinstance(directory, int) and directory > 0 and not os.path.isabs(text):
        text = os.path.join(os.readlink(f"/proc/self/fd/{directory}"), text)
    if flags & os.O_NOFOLLOW:
        return os.path.join(os.path.realpath(os.path.dirname(text)), os.path.basename(text))
    return os.path.realpath(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
