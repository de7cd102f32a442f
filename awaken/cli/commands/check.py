"""``awaken check``: what was found, as a linter shows it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from awaken.cli.exit_codes import FAILED
from awaken.cli.options.declaring import Option
from awaken.cli.options.recipe import RecipeOptions
from awaken.cli.options.shared_options import OutputOptions, RunOptions
from awaken.contract import UserError
from awaken.preview.choices import Form, View

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.report import Report


@dataclass(frozen=True)
class ListingOptions:
    """Asks for what a run would be about, instead of the run."""

    show_files: Annotated[
        bool,
        Option("--show-files", help="Only list the files that awaken searches."),
    ] = False
    show_settings: Annotated[
        bool,
        Option("--show-settings", help="Only print the settings as TOML, with their origin."),
    ] = False

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self.show_files or self.show_settings

    def show(self, line: CommandLine) -> int:
        """Print what is asked for to stdout; 2 if a path of ``line`` cannot be used, else 0."""
        from awaken import api  # noqa: PLC0415  the help needs no engine
        from awaken.preview.documents import settings_text  # noqa: PLC0415
        from awaken.preview.streams.messages import say  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415
        from awaken.preview.streams.visible import visible  # noqa: PLC0415

        listing, current = api.listing(line.paths, line.options), Path.cwd()
        if self.show_settings:
            send(settings_text.settings_text(listing.settings, current), sys.stdout)
        if self.show_files:
            send(settings_text.files_text(listing.files, current), sys.stdout)
        for problem in listing.problems:
            say(visible(f"error: {problem.path}: {problem.message}"))
        return FAILED if listing.problems else 0


@dataclass(frozen=True)
class CheckOptions:
    """The options of ``check`` alone."""

    exit_zero: Annotated[
        bool, Option("--exit-zero", help="Exit with 0 even if sites were found.")
    ] = False
    strict: Annotated[bool, Option("--strict", help="Exit with 1 for advice as well.")] = False
    blockers: Annotated[
        bool,
        Option("--blockers", help="Print what blocks manual sites, most sites first."),
    ] = False
    write_baseline: Annotated[
        bool,
        Option(
            "--write-baseline",
            help="Write all current sites to the baseline, to see only new ones later.",
        ),
    ] = False


def check(
    run: RunOptions,
    recipe: RecipeOptions,
    output: OutputOptions,
    own: CheckOptions,
    listing: ListingOptions,
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
    recipe.require_usable(line)
    if recipe.recipe is not None:
        return _check_recipe(line, recipe, view, own)
    if own.write_baseline:
        from awaken.cli.commands.by_option.write_baseline import write  # noqa: PLC0415  only this needs it

        write(line, view)
    if own.blockers and view.form not in {None, Form.FULL, Form.JSON}:
        raise UserError(f"--blockers is printed as {Form.FULL} or {Form.JSON}, not as {view.form}")
    with bar(view) as progress:
        report, staged = reporting.run(line, view, progress)
    if own.blockers:
        _show_blockers(report, view)
    else:
        show(report, "check", view, line.with_command, staged)
        _hint(report, line, view)
    return of_check(report, exit_zero=own.exit_zero, strict=own.strict)


def _hint(report: Report, line: CommandLine, view: View) -> None:
    """Say which recipes may find something, unless the user chose rules or a part of the lines."""
    from awaken.preview.streams.messages import say  # noqa: PLC0415  the help needs no engine
    from awaken.preview.summary import recipe_hint  # noqa: PLC0415

    chosen = line.options.settings.select or line.options.since or line.options.overlay
    if chosen or view.quiet or view.form not in {None, Form.FULL}:
        return
    hint = recipe_hint(root.hints for root in report.roots)
    if hint:
        say(hint)


def _check_recipe(line: CommandLine, recipe: RecipeOptions, view: View, own: CheckOptions) -> int:
    from awaken.cli.commands.migrating.migrate import show_recipe  # noqa: PLC0415  the help needs no engine
    from awaken.cli.outcomes import of_check  # noqa: PLC0415

    if own.write_baseline or own.blockers:
        name = "--blockers" if own.blockers else "--write-baseline"
        raise UserError(f"{name} is about rules; name them with --select, without --recipe")
    report = show_recipe(line, recipe, view, "check")
    return of_check(report, exit_zero=own.exit_zero, strict=own.strict)


def _show_blockers(report: Report, view: View) -> None:
    """Print what keeps sites manual, in one of the forms that show it. Raises UserError."""
    from awaken.preview.documents import blockers  # noqa: PLC0415  only this needs it
    from awaken.preview.show import show_closing  # noqa: PLC0415
    from awaken.preview.streams.output import Asked, open_output, send  # noqa: PLC0415

    asked = Asked("check", Path.cwd())
    with open_output(view.file) as stream:
        if view.form is Form.JSON:
            send(blockers.documents(report, asked), stream)
        else:
            send(blockers.lines(report, asked), stream)
    show_closing(report, "check", view)
