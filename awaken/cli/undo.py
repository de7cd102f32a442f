"""``awaken undo``: takes the last apply back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awaken.cli import FAILED
from awaken.cli import options as given

if TYPE_CHECKING:
    from awaken.engine.undo import Undone, UndoStack


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

    start = path or Path()
    if listed:
        return _print_stack(api.undo_list(start))
    undone = api.undo(start, keep_edited=keep_edited)
    if not quiet:
        _print_undone(undone, verbose=verbose)
    return 0


def _print_stack(stack: UndoStack) -> int:
    from awaken.preview.counts import plural  # noqa: PLC0415
    from awaken.preview.visible import visible  # noqa: PLC0415

    for entry in stack.entries:
        when = f"{entry.started.astimezone():%Y-%m-%d %H:%M:%S}"
        files = plural(len(entry.files), "file")
        unfinished = "  (stopped half way)" if entry.unfinished else ""
        typer.echo(visible(f"{when}  {files}  {entry.command}{unfinished}"))
    for sentence in stack.damaged:
        typer.echo(f"error: {sentence}", err=True)
    if not stack.entries:
        typer.echo("Nothing to undo.", err=True)
    return FAILED if stack.damaged else 0


def _print_undone(undone: Undone, *, verbose: bool) -> None:
    from awaken.preview.counts import plural  # noqa: PLC0415
    from awaken.preview.visible import visible  # noqa: PLC0415

    for path in undone.kept:
        typer.echo(visible(f"kept {path}: it was edited since"), err=True)
    if verbose:
        for path in (*undone.restored, *undone.removed):
            typer.echo(visible(f"restored {path}"), err=True)
    files = plural(len(undone.restored) + len(undone.removed), "file")
    typer.echo(visible(f"Took back {undone.command}: {files} as before."), err=True)
