"""Long output goes through a pager, as in git; short output is printed at once."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.pager import Pager
from rich.text import Text

from awaken.preview.streams.messages import say
from awaken.preview.streams.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

_USUAL = "less -FRX"
"""As git does: ends at once if all fits, passes colours on, leaves the text on the screen."""


@contextmanager
def paging(console: Console, *, wanted: bool) -> Iterator[None]:
    """Page what is printed to ``console`` meanwhile, if stdin and stdout are terminals.

    The pager is ``AWAKEN_PAGER``, else ``PAGER``, else ``less -FRX``; none where that is empty
    or ``cat``. One that cannot be started costs a note on stderr.
    """
    words = _pager() if wanted and _on_terminal(console) else []
    if not words:
        yield
        return
    with console.pager(_Process(console, words), styles=True, links=True):
        yield


def _on_terminal(console: Console) -> bool:
    return console.file is sys.stdout and sys.stdout.isatty() and sys.stdin.isatty()


def _pager() -> list[str]:
    given = os.environ.get("AWAKEN_PAGER", os.environ.get("PAGER", _USUAL))
    try:
        words = shlex.split(given)
    except ValueError:  # a quote that is not closed
        words = given.split()
    return [] if words == ["cat"] else words


class _Process(Pager):
    """Shows a text by the command ``words`` if it is longer than the screen of ``console``."""

    def __init__(self, console: Console, words: Sequence[str]) -> None:
        self._console = console
        self._words = words

    def show(self, content: str) -> None:
        stream = self._console.file
        if not _is_longer(content, self._console) or not self._run_pager(content):
            stream.write(content)
            stream.flush()

    def _run_pager(self, content: str) -> bool:
        """Run the pager to its end; return whether it could be started."""
        # The pager deals with Ctrl-C; a handler, unlike SIG_IGN, is not handed on to it.
        before = signal.signal(signal.SIGINT, _do_nothing)
        try:
            process = subprocess.Popen(  # noqa: S603  the user's own choice
                self._words,
                stdin=subprocess.PIPE,
                env={"LESS": "FRX", "LV": "-c", **os.environ},  # what git sets, for colours
            )
            with process:  # that it ends before it has read all is no error here
                process.communicate(content.encode(sys.stdout.encoding, "backslashreplace"))
        except OSError as error:
            # Nobody chose the usual pager, so nobody misses it.
            if shlex.join(self._words) != _USUAL:
                why = f"cannot start the pager {self._words[0]}: {error.strerror}"
                say(visible(f"note: {why}"))
            return False
        finally:
            signal.signal(signal.SIGINT, before)
        return True


def _do_nothing(*_: object) -> None:
    """Do nothing, as a handler."""


def _is_longer(content: str, console: Console) -> bool:
    """Whether ``content`` takes as many rows as the screen has, or more."""
    # Counting is enough for most; only short texts are measured.
    if content.count("\n") >= console.height:
        return True
    lines = Text.from_ansi(content).split("\n")
    return sum(max(-(-line.cell_len // console.width), 1) for line in lines) >= console.height
