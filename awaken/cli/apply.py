"""``awaken apply``: makes the changes."""

from __future__ import annotations

from typing import Annotated

import typer

from awaken.cli.option_groups import with_groups
from awaken.cli.options import OutputOptions, RunOptions


@with_groups
def apply(
    run: RunOptions,
    output: OutputOptions,
    exit_non_zero_on_manual: Annotated[
        bool,
        typer.Option("--exit-non-zero-on-manual", help="Exit with 1 if manual sites remain."),
    ] = False,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write even over uncommitted changes.")
    ] = False,
) -> int:
    """Make the changes: all of them or none. `awaken undo` takes them back.

    Stops if the git tree holds uncommitted changes.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.exit_codes import of_apply  # noqa: PLC0415
    from awaken.cli.worktree import require_clean  # noqa: PLC0415
    from awaken.preview.show import show  # noqa: PLC0415

    line = run.command_line()
    report = api.run(line.paths, line.options)
    if not allow_dirty:
        require_clean(report)
    api.apply(report, command=line.again("apply"))
    show(report, "apply", output.view(), line.again)
    return of_apply(report, exit_non_zero_on_manual=exit_non_zero_on_manual)
