"""``awaken undo``: takes the last apply back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from awaken.cli import FAILED
from awaken.cli import options as given


def undo(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="The project, or a path in it; the current directory by default.",
            show_default=False,
        ),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show what can be taken back, the latest first.")
    ] = False,
    keep_edited: Annotated[
        bool, typer.Option("--keep-edited", help="Leave files alone that were edited since.")
    ] = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> int:
    """Take the last apply back; call it again for the one before.

    Also finishes an apply that was killed. Stops if a file was edited since.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.preview.undo_lines import inside_lines, stack_lines, undone_lines  # noqa: PLC0415

    start, current = path or Path(), Path.cwd()
    if not listed:
        undone = api.undo(start, keep_edited=keep_edited)
        for line in undone_lines(undone, current, verbose=verbose) if not quiet else ():
            typer.echo(line, err=True)
        return 0
    stack = api.undo_list(start)
    for line in stack_lines(stack, current, verbose=verbose):
        typer.echo(line)
    for sentence in stack.damaged:
        typer.echo(f"error: {sentence}", err=True)
    if not stack.entries:
        typer.echo("Nothing to undo.", err=True)
    for line in inside_lines(stack, current):
        typer.echo(line, err=True)
    return FAILED if stack.damaged else 0
