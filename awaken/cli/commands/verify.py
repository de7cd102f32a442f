"""``awaken verify``: the project's own tests run before and after the changes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec.structs import replace

from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Option, bad_parameter
from awaken.cli.options.passes import COMMAND_WORD
from awaken.cli.options.shared_options import PageOptions
from awaken.preview.choices import Color, Form
from awaken.preview.counts import plural

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.report import Report
    from awaken.engine.writing.undoing import Undone
    from awaken.preview.choices import View
    from awaken.verifying.verify_changes import Tests, Verification


@dataclass(frozen=True)
class VerifyOptions:
    """The command to run, and the use of the changes that held."""

    command: Annotated[
        list[str] | None,
        Option(
            COMMAND_WORD,
            metavar="WORD",
            help="The command that runs the tests, after --.",
            hidden=True,
        ),
    ] = None
    carry: Annotated[
        list[str] | None,
        Option("--carry", metavar="FILE", help="Also copy this file, which git ignores."),
    ] = None
    every: Annotated[
        bool, Option("--all", help="Run all tests again, not only the tests that reach a change.")
    ] = False
    requests: Annotated[
        bool,
        Option("--requests", help="Also send the requests of the OpenAPI document to both sides."),
    ] = False
    app: Annotated[
        str | None,
        Option("--app", metavar="MODULE:NAME", help="The application that answers --requests."),
    ] = None
    apply: Annotated[bool, Option("--apply", help="Write the verified changes.")] = False
    allow_dirty: Annotated[
        bool, Option("--allow-dirty", help="Write even if files have uncommitted changes.")
    ] = False

    def repeated_command(self, line: CommandLine) -> str:
        """Return the command line that verifies the same again, without writing."""
        words = [word for file in self.carry or () for word in ("--carry", file)]
        words += ["--all"] if self.every else []
        words += ["--requests"] if self.requests else []
        words += ["--app", self.app] if self.app else []
        return running(line.with_command("verify", *words), self.command)


def running(line: str, command: Sequence[str] | None) -> str:
    """Return ``line`` with the command that runs the tests, where the user named one."""
    return f"{line} -- {shlex.join(command)}" if command else line


def verify(
    run: given.RunOptions,
    own: VerifyOptions,
    page: PageOptions,
    color: given.When = Color.AUTO,
    quiet: given.Quiet = False,
) -> int:
    """Run the project's tests before and after, in a copy.

    The words after -- are the command; else the settings name it, or it is `pytest`. It runs the
    project's code. Results and SQL are compared test by test; a change that makes one fail is named
    and left out.

    Exits with 1 if a test does not do the same, with 2 if something could not be verified.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.cli.exit_codes import FAILED, FOUND  # noqa: PLC0415
    from awaken.cli.worktree import require_clean  # noqa: PLC0415
    from awaken.preview.counts import diagnostics  # noqa: PLC0415
    from awaken.preview.show import print_problems  # noqa: PLC0415

    line, view = run.command_line(), page.view(color, quiet=quiet)
    if line.options.overlay:
        raise bad_parameter("- is one file, and tests run a project", param_hint="PATHS")
    take_back_killed(line, quiet=quiet)
    planned = api.run(line.paths, line.options)
    print_problems(planned, view, Path.cwd())
    # Before the tests, which may take long.
    if own.apply and not own.allow_dirty:
        require_clean(planned, line.paths)
    result = _verification(planned, line, own, quiet=quiet)
    applied = False
    if result is not None and own.apply and _holds(result):
        command = line.with_command("verify", "--apply")
        applied = bool(api.apply(result.report, command, by_verify=True).files)
    _show(result or planned, own.repeated_command(line), view, applied=applied)
    if any(diagnostics(planned)):
        return FAILED
    return FOUND if result is not None and (result.left_out or not _holds(result)) else 0


def _show(result: Verification | Report, again: str, view: View, *, applied: bool) -> None:
    """Print what the tests say, as a page or for a terminal, or that a report has no changes."""
    from awaken.engine.report import Report  # noqa: PLC0415  the help needs no engine
    from awaken.preview.console.plain_console import console_on  # noqa: PLC0415
    from awaken.preview.counts import diagnostics  # noqa: PLC0415
    from awaken.preview.show import asked_of, show_page  # noqa: PLC0415
    from awaken.preview.streams.course import Course  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.output import open_output  # noqa: PLC0415
    from awaken.preview.verification import course_of, print_verification  # noqa: PLC0415

    if isinstance(result, Report):
        report, said = result, "No site found to rewrite, so there is nothing to verify."
        course = Course(verdict="Nothing was verified." if any(diagnostics(report)) else said)
    else:
        report, course = result.report, course_of(result, applied=applied)
    if view.form is Form.HTML:
        show_page(report, asked_of("verify", view, again, course=course), view)
    if view.form is Form.HTML or isinstance(result, Report):
        say(course.verdict)
    else:
        with open_output(view.file) as stream:
            color = Color.NEVER if view.file else view.color
            print_verification(result, console_on(stream, color), applied=applied)


def _verification(
    planned: Report, line: CommandLine, own: VerifyOptions, *, quiet: bool
) -> Verification | None:
    from awaken.preview.streams.messages import say  # noqa: PLC0415  the help needs no engine
    from awaken.verifying.verify_changes import Requests, planner, verify_report  # noqa: PLC0415

    def tell(clause: str) -> None:
        if not quiet:
            say(f"{clause} ...")

    tests, asked = tests_of(line, own.command or ()), Requests(own.app) if own.requests else None
    carry = [*tests.carry, *(own.carry or ())]
    tests = replace(tests, carry=carry, every=own.every, requests=asked)
    return verify_report(planned, planner(line.paths, line.options), tests, tell)


def take_back_killed(line: CommandLine, *, quiet: bool) -> None:
    """Take back what a killed verification wrote, and say so.

    Raises UserError where a file cannot be put back.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine

    for undone in api.take_back_killed(line.paths):
        say_taken_back(undone, quiet=quiet)


def say_taken_back(undone: Undone, *, quiet: bool) -> None:
    """Say what was restored after a verification that was killed."""
    from awaken.preview.streams.messages import say  # noqa: PLC0415  the help needs no engine

    number = len(undone.restored) + len(undone.removed)
    if number and not quiet:  # it may be killed before it writes
        say(f"restored {plural(number, 'file')} of a verification that was killed ...")


def tests_of(line: CommandLine, words: Sequence[str]) -> Tests:
    """Return the command that runs the tests, where, and files to carry, as user and settings say.

    Raises UserError for a command of the project's own that the user does not trust.
    """
    from awaken import api  # noqa: PLC0415  the help needs no engine
    from awaken.verifying.verify_changes import Tests, Where  # noqa: PLC0415

    said = api.verify_settings(line.paths, line.options, has_command=bool(words))
    if words:
        return Tests(words, said.carry, Where.HERE)
    if said.command:
        return Tests(shlex.split(said.command), said.carry, Where.PROJECT)
    return Tests(["pytest"], said.carry, Where.HERE_IN_PROJECT)


def _holds(result: Verification) -> bool:
    return not result.unexplained and any(root.files for root in result.report.roots)
