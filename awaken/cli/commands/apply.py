"""``awaken apply``: makes the changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from awaken.cli.options.declaring import Option, bad_parameter
from awaken.cli.options.shared_options import DiffOptions, OutputOptions, RunOptions

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.report import Report
    from awaken.engine.writing.applying import Applied
    from awaken.preview.choices import View


@dataclass(frozen=True)
class ApplyOptions:
    """The options of ``apply``."""

    interactive: Annotated[
        bool, Option("-i", "--interactive", help="Show each change and ask about it.")
    ] = False
    dry_run: Annotated[
        bool, Option("--diff", "--dry-run", help="Write nothing: the same as `awaken diff`.")
    ] = False
    allow_dirty: Annotated[
        bool, Option("--allow-dirty", help="Write even if files have uncommitted changes.")
    ] = False
    exit_non_zero_on_manual: Annotated[
        bool,
        Option("--exit-non-zero-on-manual", help="Exit with 1 if manual sites remain."),
    ] = False


def apply(run: RunOptions, output: OutputOptions, layout: DiffOptions, chosen: ApplyOptions) -> int:
    """Make the changes: all of them or none. `awaken undo` takes them back.

    Stops if the git tree holds uncommitted changes. With - as path the rewritten file goes to
    stdout, and nothing is written.
    """
    from awaken.cli.commands.diff import show_diff  # noqa: PLC0415  the help needs no engine
    from awaken.cli.outcomes import of_apply, of_diff  # noqa: PLC0415

    line, view = run.command_line(), output.view(layout)
    if chosen.dry_run:
        return of_diff(show_diff(line, view), exit_code=False)
    if line.options.overlay:
        report = _to_stdout(line, view, interactive=chosen.interactive)
    elif chosen.interactive:
        report = _asked_report(line, view, allow_dirty=chosen.allow_dirty)
    else:
        report = _all(line, view, allow_dirty=chosen.allow_dirty)
    return of_apply(report, exit_non_zero_on_manual=chosen.exit_non_zero_on_manual)


def _all(line: CommandLine, view: View, *, allow_dirty: bool) -> Report:
    from awaken import api  # noqa: PLC0415
    from awaken.cli.worktree import require_clean  # noqa: PLC0415
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415

    with bar(view) as progress:
        report = api.run(line.paths, line.options, progress=progress)
    # Only now is it known which repositories would be written to.
    if not allow_dirty:
        require_clean(report, line.paths)
    _write(report, line, view, line.with_command("apply"))
    return report


def _asked_report(line: CommandLine, view: View, *, allow_dirty: bool) -> Report:
    from awaken.cli.commands.by_option.interactive import ask  # noqa: PLC0415
    from awaken.preview.counts import plural  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415

    asked = ask(line, view, allow_dirty=allow_dirty)
    _write(asked.report, line, view, line.with_command("apply", "--interactive"))
    if asked.declined and not view.quiet:
        say(f"{plural(asked.declined, 'change')} left out, as you answered.")
    return asked.report


def _write(report: Report, line: CommandLine, view: View, command: str) -> None:
    """Write what ``report`` changed, then show it and how to go back."""
    from awaken import api  # noqa: PLC0415
    from awaken.preview.show import show  # noqa: PLC0415

    applied = api.apply(report, command=command)
    show(report, "apply", view, line.with_command)
    if applied.place is not None and not view.quiet:
        _say_how_to_go_back(report, view, applied)


def _say_how_to_go_back(report: Report, view: View, applied: Applied) -> None:
    from awaken.preview.choices import Form  # noqa: PLC0415
    from awaken.preview.show import form_of  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415
    from awaken.preview.summary import undo_command  # noqa: PLC0415

    # The full form says so at its end already.
    if view.statistics or form_of("apply", view) is not Form.FULL:
        say(visible(f"To undo this: {undo_command(report)}"))
    say(visible(f"The original files are in {applied.place}"))


def _to_stdout(line: CommandLine, view: View, *, interactive: bool) -> Report:
    """Print the file that came from stdin as it would be rewritten; nothing is written."""
    from awaken import api  # noqa: PLC0415
    from awaken.preview.show import show_closing  # noqa: PLC0415
    from awaken.preview.streams.output import open_output, send  # noqa: PLC0415

    if interactive:
        raise bad_parameter("cannot ask while - reads stdin", param_hint="--interactive")
    report = api.run(line.paths, line.options)
    # Only one file can come from stdin.
    ((path, content),) = line.options.overlay.items()
    changed = {
        root.root / file.path: file.after.raw() for root in report.roots for file in root.files
    }
    with open_output(view.file) as stream:
        send([changed.get(path, content)], stream)
    show_closing(report, "apply", view)
    return report
