"""``awaken apply --interactive``: the terminal around the questions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.contract import UserError

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.asking.answers import Agreed, ExcludedSites
    from awaken.engine.asking.staged_runs import StagedReport
    from awaken.preview.choices import View


def ask(line: CommandLine, view: View, *, allow_dirty: bool) -> Agreed:
    """Ask on the terminal about each change that ``line`` gives; nothing is written.

    Raises UserError where nobody can answer, and for a dirty tree unless that is allowed.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.editor import edit  # noqa: PLC0415
    from awaken.cli.worktree import require_clean  # noqa: PLC0415
    from awaken.engine.asking.answers import ask_about_all  # noqa: PLC0415
    from awaken.preview.console.console import make_console  # noqa: PLC0415
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.terminal.question_screen import Screen  # noqa: PLC0415

    require_terminal()
    first = not allow_dirty

    def run_staged(excluded: ExcludedSites) -> StagedReport:
        nonlocal first
        # Remembered results serve the next command, which does not know the answers.
        options = structs.replace(
            line.options,
            excluded_in=excluded,
            use_cache=line.options.use_cache and not excluded,
        )
        with bar(view) as progress:
            staged_report = api.run_staged(line.paths, options, progress=progress)
        # Once: edits of the user between two questions are intended.
        if first:
            require_clean(staged_report.report)
        first = False
        return staged_report

    screen = Screen(make_console(sys.stdout, view.color), Path.cwd(), _read, edit, view)
    try:
        return ask_about_all(run_staged, screen.ask)
    except KeyboardInterrupt:
        say("\nNothing was written.")
        raise


def require_terminal() -> None:
    """Raise UserError unless a user can see the questions and answer them."""
    for is_terminal, name in ((sys.stdin.isatty(), "stdin"), (sys.stdout.isatty(), "stdout")):
        if not is_terminal:
            raise UserError(f"--interactive needs a terminal, and {name} is not one; leave it out")


def _read() -> str:
    return sys.stdin.readline()
