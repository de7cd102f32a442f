"""``awaken diff``: the dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from awaken.cli.options.declaring import Option
from awaken.cli.options.recipe import RecipeOptions
from awaken.cli.options.shared_options import DiffOptions, OutputOptions, RunOptions

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.report import Report
    from awaken.preview.choices import View


def diff(
    run: RunOptions,
    recipe: RecipeOptions,
    output: OutputOptions,
    layout: DiffOptions,
    exit_code: Annotated[
        bool, Option("--exit-code", help="Exit with 1 if there are changes.")
    ] = False,
) -> int:
    """Show every change as a diff. Writes nothing.

    If stdout is not a terminal, the output is a patch: `awaken diff | git apply`.
    """
    from awaken.cli.outcomes import of_diff  # noqa: PLC0415  the help needs no engine

    line, view = run.command_line(), output.view(layout)
    recipe.require_usable(line)
    if recipe.recipe is not None:
        from awaken.cli.commands.migrating.migrate import show_recipe  # noqa: PLC0415

        return of_diff(show_recipe(line, recipe, view, "diff"), exit_code=exit_code)
    return of_diff(show_diff(line, view), exit_code=exit_code)


def show_diff(line: CommandLine, view: View) -> Report:
    """Show what `awaken diff` does for ``line``, and return it."""
    from awaken.cli import reporting  # noqa: PLC0415  the help needs no engine
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415
    from awaken.preview.show import show  # noqa: PLC0415

    with bar(view) as progress:
        report, staged = reporting.run(line, view, progress)
    show(report, "diff", view, line.with_command, staged)
    return report
