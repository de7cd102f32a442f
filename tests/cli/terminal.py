"""A Python program on a terminal of its own, as a user starts it (POSIX)."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

INTERRUPT = "\x03"
_PATIENCE = 60
"""Seconds without output after which a program is stuck."""
_UNHEARD = 3
"""Seconds without output after which Ctrl-C is pressed again."""
# The first terminal that the leader of a session opens is that whose Ctrl-C it gets.
_TAKE_TERMINAL = "import os; os.close(os.open(os.ttyname(0), os.O_RDWR))\n"


class Session:
    """A program whose stdin, stdout and stderr are a terminal of ``rows`` and 80 columns."""

    def __init__(
        self, program: str, directory: Path, rows: int, environment: Mapping[str, str]
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
        left_out = {"COLUMNS", "LINES", "PAGER", "AWAKEN_PAGER", "LESS", "CI", "NO_COLOR"}
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL + program],
            cwd=directory,
            env={**kept, "TERM": "xterm-256color", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._shown = b""

    def wait_for(self, text: str, times: int = 1) -> None:
        """Read until ``text`` was printed so often; fail if the program ends before."""
        while self._shown.count(text.encode()) < times:
            assert self._read(), self._shown.decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until it is heard: Python misses one right before it waits for a line."""
        before = len(self._shown)
        for _ in range(_PATIENCE // _UNHEARD):
            self.type(INTERRUPT)
            while self._output_within(_UNHEARD) and self._read():
                pass
            if self._shown[before:].replace(b"^C", b""):
                break

    def end(self) -> tuple[int, str]:
        """Return the exit code, and all that was printed."""
        while self._read():
            pass
        os.close(self._ours)
        return self._process.wait(), self._shown.decode().replace("\r\n", "\n")

    def _read(self) -> bool:
        if not self._output_within(_PATIENCE):
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"it waits for somebody: {self._shown.decode()}")
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux says so at the end
            return False
        self._shown += data
        return bool(data)

    def _output_within(self, seconds: float) -> bool:
        return bool(select.select([self._ours], [], [], seconds)[0])


def on_terminal(
    program: str, directory: Path, rows: int = 10, **environment: str
) -> tuple[int, str]:
    """Run ``program`` to its end; return its exit code and what the terminal got."""
    return Session(program, directory, rows, environment).end()
