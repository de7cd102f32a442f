"""``awaken undo``: takes the last apply back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from awaken.cli.exit_codes import FAILED
from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument, Option


def undo(
    path: Annotated[
        Path | None,
        Argument(
            metavar="PATH",
            help="The project, or a path in it; the current directory by default.",
            show_default=False,
        ),
    ] = None,
    listed: Annotated[
        bool, Option("--list", help="Show what can be undone, latest first.")
    ] = False,
    keep_edited: Annotated[
        bool, Option("--keep-edited", help="Leave files alone that were edited since the apply.")
    ] = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> int:
    """Take the last apply back; call it again for the one before.

    Also finishes an apply that was killed. Stops if a file was edited since.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.output import send  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415
    from awaken.preview.terminal.undo_lines import inside_lines, stack_lines, undone_lines  # noqa: PLC0415

    # The summary goes to stderr: stdout is for the list alone.
    start, current = path or Path(), Path.cwd()
    if not listed:
        undone = api.undo(start, keep_edited=keep_edited)
        for line in undone_lines(undone, current, verbose=verbose) if not quiet else ():
            say(line)
        return 0
    stack = api.undo_list(start)
    send(stack_lines(stack, current, verbose=verbose), sys.stdout)
    for sentence in stack.damaged:
        say(visible(f"error: {sentence}"))
    if not stack.entries:
        say("Nothing to undo.")
    for line in inside_lines(stack, current):
        say(line)
    return FAILED if stack.damaged else 0
