"""``awaken apply``: makes the changes."""

from __future__ import annotations

from typing import Annotated

import typer

from awaken.cli import options as given
from awaken.preview.choices import Color, View


def apply(  # noqa: PLR0913  one parameter per option
    paths: given.Paths = None,
    select: given.Select = None,
    ignore: given.Ignore = None,
    unsafe_fixes: given.UnsafeFixes = False,
    target_version: given.TargetVersion = "auto",
    target: given.Target = None,
    exclude: given.Exclude = None,
    jobs: given.Jobs = None,
    statistics: given.Statistics = False,
    output_format: given.Output = None,
    exit_non_zero_on_manual: Annotated[
        bool,
        typer.Option("--exit-non-zero-on-manual", help="Exit with 1 if manual sites remain."),
    ] = False,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write even over uncommitted changes.")
    ] = False,
    cache_dir: given.CacheDir = None,
    no_cache: given.NoCache = False,
    color: given.When = Color.AUTO,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> int:
    """Make the changes: all of them or none. `awaken undo` takes them back.

    Stops if the git tree holds uncommitted changes.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.exit_codes import of_apply  # noqa: PLC0415
    from awaken.cli.worktree import require_clean  # noqa: PLC0415
    from awaken.preview.show import show  # noqa: PLC0415

    line = given.command_line(
        paths,
        select=select,
        ignore=ignore,
        unsafe_fixes=unsafe_fixes,
        target_version=target_version,
        target=target,
        exclude=exclude,
        jobs=jobs,
        cache_dir=cache_dir,
        no_cache=no_cache,
    )
    view = View(output_format, statistics, color, quiet, verbose)
    report = api.run(line.paths, line.options)
    if not allow_dirty:
        require_clean(report)
    api.apply(report, command=line.again("apply"))
    show(report, "apply", view, line.again)
    return of_apply(report, exit_non_zero_on_manual=exit_non_zero_on_manual)
