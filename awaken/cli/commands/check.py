"""``awaken check``: what was found, as a linter shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from awaken.cli.commands.listing import ListingOptions
from awaken.cli.options.declared import OutputOptions, RunOptions
from awaken.cli.options.groups import with_groups


@dataclass(frozen=True)
class CheckOptions:
    """What only ``check`` can do."""

    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 even if sites were found.")
    ] = False
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for advice as well.")] = (
        False
    )
    write_baseline: Annotated[
        bool,
        typer.Option(
            "--write-baseline", help="List all present sites in the baseline, to see only new ones."
        ),
    ] = False


@with_groups
def check(
    run: RunOptions,
    output: OutputOptions,
    listing: ListingOptions,
    own: CheckOptions,
) -> int:
    """Show every site that a rule knows, and its level.

    Writes nothing but the baseline, with --write-baseline.

    Exits with 1 if sites were found, with 2 if something could not be done.
    """
    from awaken.cli import reporting  # noqa: PLC0415  the help needs no engine
    from awaken.cli.outcomes import of_check  # noqa: PLC0415
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415
    from awaken.preview.show import show  # noqa: PLC0415

    line = run.command_line()
    if listing:
        return listing.show(line)
    view = output.view()
    if own.write_baseline:
        from awaken.cli.commands.write_baseline import write  # noqa: PLC0415  only this needs it

        write(line, view)
    with bar(view) as progress:
        report, files_of = reporting.run(line, view, progress)
    show(report, "check", view, line.again, files_of)
    return of_check(report, exit_zero=own.exit_zero, strict=own.strict)
