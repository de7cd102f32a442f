"""Pictures of commands as a terminal shows them.

    python benchmarks/pictures.py OUT.png --width 80 --theme dark -- awaken diff PATH

The command runs in a real terminal (tmux), so colours, widths, pagers and questions are what a
user sees; then everything that it printed, also what scrolled off, becomes one picture. Needs
`tmux` and `rsvg-convert`. `--keys "y n Enter"` types these (names as tmux knows them), each once
the screen is still. Pages through nothing unless `--pager` names a pager. `--rows` cuts out the
middle of longer outputs. The command runs where this is started; `awaken` is the one beside the
running Python.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.color import Color
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

STILL = 0.6  # seconds without a new character
LAST_ROWS = 24

BRIGHT = "#7f7f7f #ff0000 #00c800 #c8b400 #5c5cff #e600e6 #00c8c8 #ffffff"
DARK = "#1e1e1e #d4d4d4", "#000000 #de382b #39b54a #c4a000 #4078dc #be50be #2cb5c1 #cccccc"
LIGHT = "#ffffff #1e1e1e", "#000000 #cd0000 #00a000 #a08200 #0050c8 #b400b4 #008c8c #e5e5e5"


def colors(words: str) -> list[tuple[int, int, int]]:
    return [tuple(Color.parse(word).triplet or ()) for word in words.split()]  # type: ignore[misc]


def theme_of(grounds: str, normal: str) -> TerminalTheme:
    """Return a theme of background and foreground, and the eight colours."""
    background, foreground = colors(grounds)
    return TerminalTheme(background, foreground, colors(normal), colors(BRIGHT))


THEMES = {"dark": theme_of(*DARK), "light": theme_of(*LIGHT)}


class Terminal:
    """A tmux server of its own, with one window."""

    def __init__(self, width: int, height: int) -> None:
        self._socket = f"awaken-pictures-{os.getpid()}"
        self._size = ["-x", str(width), "-y", str(height)]
        self._settings = tempfile.NamedTemporaryFile("w", suffix=".conf")  # noqa: SIM115

    def start(self, command: str, environment: dict[str, str]) -> None:
        self._settings.write(
            "set -g history-limit 100000\nset -g status off\nset -g remain-on-exit on\n"
            "set -g default-terminal xterm-256color\nset -g remain-on-exit-format ''\n"
        )
        self._settings.flush()
        unset = ["-u", "NO_COLOR", "-u", "COLUMNS", "-u", "LINES"]
        words = [f"{name}={value}" for name, value in environment.items()]
        shell = shlex.join(["exec", "env", *unset, *words, "sh", "-c", command])
        self._tmux("-f", self._settings.name, "new-session", "-d", *self._size, shell)

    def ended(self) -> bool:
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def type(self, key: str) -> None:
        self._tmux("send-keys", key)

    def resolve_conflicts(self, longest: float) -> None:
        """Wait until nothing new is printed for a while, or the command ended."""
        stop, seen, since = time.monotonic() + longest, "", time.monotonic()
        while time.monotonic() < stop and not self.ended():
            time.sleep(0.1)
            now = self.shown()
            if now != seen:
                seen, since = now, time.monotonic()
            elif now.strip() and time.monotonic() - since > STILL:
                return

    def shown(self) -> str:
        """Return all that is on the screen and above, with its colours."""
        return self._tmux("capture-pane", "-e", "-p", "-S", "-")

    def close(self) -> None:
        self._tmux("kill-server")
        self._settings.close()

    def _tmux(self, *words: str) -> str:
        asked = ["tmux", "-L", self._socket, *words]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


@contextmanager
def opened(width: int, height: int) -> Iterator[Terminal]:
    terminal = Terminal(width, height)
    try:
        yield terminal
    finally:
        terminal.close()


def recorded(asked: argparse.Namespace, command: list[str]) -> str:
    """Return what `command` left on its terminal."""
    scripts = Path(sys.executable).parent
    environment = {
        "TERM": "xterm-256color",
        "COLORTERM": asked.colors,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "AWAKEN_PAGER": asked.pager,
        "LC_ALL": "C.UTF-8",
    }
    with opened(asked.width, asked.height) as terminal:
        terminal.start(shlex.join(command), environment)
        for key in asked.keys.split():
            terminal.resolve_conflicts(asked.seconds)
            terminal.type(key)
        stop = time.monotonic() + asked.seconds
        while not terminal.ended() and not asked.keys and not asked.pager:
            if time.monotonic() > stop:
                break
            time.sleep(0.1)
        terminal.resolve_conflicts(asked.seconds)
        return terminal.shown().rstrip("\n")


def picture(shown: str, title: str, out: Path, asked: argparse.Namespace) -> None:
    """Write `shown` to `out`, and the same as SVG beside it."""
    lines = list(Text.from_ansi(shown).split("\n"))
    widest = max(line.cell_len for line in lines)
    if len(lines) > asked.rows:
        lines = [*lines[: asked.rows - LAST_ROWS - 1], Text("…"), *lines[-LAST_ROWS:]]
    console = Console(
        record=True,
        file=io.StringIO(),
        width=asked.width,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
    )
    console.print(Text("\n").join(lines), soft_wrap=True)
    svg = console.export_svg(title=title, theme=THEMES[asked.theme])
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    svg = svg.replace("<text ", '<text xml:space="preserve" ')
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".svg").write_text(svg)
    subprocess.run(["rsvg-convert", "-o", str(out), str(out.with_suffix(".svg"))], check=True)
    print(f"{out}: {len(shown.splitlines())} rows, the widest of {widest} cells")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=80)
    parser.add_argument("--height", type=int, default=50)
    parser.add_argument("--rows", type=int, default=110, help="the most rows in the picture")
    parser.add_argument("--theme", choices=sorted(THEMES), default="dark")
    parser.add_argument("--keys", default="")
    parser.add_argument("--pager", default="")
    parser.add_argument("--colors", default="truecolor", help="COLORTERM; empty for 256 colours")
    parser.add_argument("--seconds", type=float, default=60.0, help="the longest to wait")
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    picture(recorded(asked, asked.command), shlex.join(asked.command), asked.out, asked)


if __name__ == "__main__":
    main()
