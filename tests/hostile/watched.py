"""Runs awaken's commands one after the other in this process, and writes down what it does.

::

    python watched.py COMMANDS DIRECTORY

``COMMANDS`` is a JSON file with one list of words per command. ``DIRECTORY`` gets per command what
it printed (``0.out``, ``0.err``) and ``events``: JSON lines of what an audit hook heard, each with
the number of the command. A line ``["code", number, code]`` ends each command.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
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


def main(commands: Path, directory: Path) -> None:
    """Run every command."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    from awaken.cli import main as awaken  # noqa: PLC0415  before the hook: this is no input

    events = os.open(directory / "events", os.O_WRONLY | os.O_CREAT, 0o600)
    number = 0

    def note(*words: object) -> None:
        os.write(events, (json.dumps(words) + "\n").encode())

    def hear(event: str, arguments: tuple) -> None:
        for words in _heard(event, arguments):
            note(words[0], number, *words[1:])

    sys.addaudithook(hear)
    for number, words in enumerate(json.loads(commands.read_text())):
        for stream, name in ((1, "out"), (2, "err")):
            file = os.open(directory / f"{number}.{name}", os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(file, stream)
            os.close(file)
        code = awaken(words)
        sys.stdout.flush()
        sys.stderr.flush()
        note("code", number, code)


def _heard(event: str, arguments: tuple) -> Iterator[tuple[str, ...]]:
    """Yield what an audit event says: its kind, and of which file, or what is started."""
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, _, flags = arguments
        if flags & (os.O_NOFOLLOW | os.O_EXCL) and "/" not in os.fsdecode(path):
            return  # in an open directory, of which the event says nothing; strace sees where
        yield "write" if flags & _WRITES else "read", _real(path, flags)
    elif event in _READING and isinstance(arguments[0], (str, bytes)):
        yield "read", _real(arguments[0], 0)
    elif event in _CHANGING:
        # What a link is to lead to is only its text.
        for path in arguments[1:2] if event == "os.symlink" else arguments[:2]:
            if isinstance(path, (str, bytes)):
                yield event, _real(path, os.O_NOFOLLOW, arguments[-1])
    elif event in _STARTING:
        yield event, *map(repr, arguments)


def _real(path: str | bytes, flags: int, directory: object = None) -> str:
    """Return the file that is meant, behind links if they are followed."""
    meant = Path(os.fsdecode(path))
    if isinstance(directory, int) and directory > 0:
        meant = Path(f"/proc/self/fd/{directory}").readlink() / meant
    if flags & os.O_NOFOLLOW:
        return str(Path(os.path.realpath(meant.parent), meant.name))
    return os.path.realpath(meant)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
