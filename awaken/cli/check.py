"""``awaken check``: what was found, as a linter shows it."""

from __future__ import annotations

from typing import Annotated

import typer

from awaken.cli import options as given
from awaken.preview.choices import Color, View


def check(  # noqa: PLR0913  one parameter per option
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
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 even if sites were found.")
    ] = False,
    cache_dir: given.CacheDir = None,
    no_cache: given.NoCache = False,
    color: given.When = Color.AUTO,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> int:
    """Show every site that a rule knows, and its level. Writes nothing.

    Exits with 1 if sites were found, with 2 if something could not be done.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.exit_codes import of_check  # noqa: PLC0415
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
    show(report, "check", view, line.again)
    return of_check(report, exit_zero=exit_zero)
