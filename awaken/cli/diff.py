"""``awaken diff``: the dry run."""

from __future__ import annotations

from typing import Annotated

import typer

from awaken.cli import options as given
from awaken.preview.choices import Color, View


def diff(  # noqa: PLR0913  one parameter per option
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
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if there are changes.")
    ] = False,
    cache_dir: given.CacheDir = None,
    no_cache: given.NoCache = False,
    color: given.When = Color.AUTO,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> int:
    """Show every change as a diff. Writes nothing.

    What is not read on a terminal is a patch: `awaken diff | git apply`.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.exit_codes import of_diff  # noqa: PLC0415
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
    show(report, "diff", view, line.again)
    return of_diff(report, exit_code=exit_code)
