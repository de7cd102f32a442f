"""The steps of ``awaken migrate --verify``: each is verified by the tests before its commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from awaken import api
from awaken.cli.commands.verify import say_taken_back, take_back_killed, tests_of
from awaken.cli.worktree import are_uncommitted
from awaken.contract import SiteId, UserError
from awaken.engine.asking.chosen_changes import ChangeKey
from awaken.engine.machine.apply_errors import FileConflictError
from awaken.engine.machine.git import commit, unstage
from awaken.preview.recipes.commit_message import commit_message
from awaken.preview.streams.messages import say
from awaken.preview.verification import stops, verified_rows
from awaken.verifying.reached_changes import Reach, reaches
from awaken.verifying.verify_changes import verify_report

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.recipe_run import StepRun
    from awaken.engine.report import Report


_LABEL = "awaken migrate {recipe} (step "
"""What the command of a step in the journal begins with."""


class VerifiedSteps(Struct):
    """The steps that were made, as far as they held, with their commits; ``stopped`` says why not.

    ``rows`` are what the tests say of each, by its number, and ``reaches`` what they do at each
    change. Where they prove nothing, no test could say whether the next step holds.
    """

    made: list[StepRun]
    commits: list[str]
    rows: dict[int, list[str]]
    reaches: dict[int, dict[ChangeKey, Reach]]
    stopped: str = ""
    proves_nothing: bool = False


def take_back_step(recipe: str, line: CommandLine, *, quiet: bool) -> None:
    """Take back what a killed migration by ``recipe`` wrote and did not commit, and say so.

    A file that was edited since stays. Raises UserError where a file cannot be put back.
    """
    take_back_killed(line, quiet=quiet)
    for path in line.paths:
        last = next(iter(api.undo_list(path).entries), None)
        if last is None or not last.command.startswith(_LABEL.format(recipe=recipe)):
            continue
        if last.by_verify and are_uncommitted(last.files):
            with suppress(FileConflictError):
                undone = api.undo(path)
                unstage(last.files[0].parent, last.files)
                say_taken_back(undone, quiet=quiet)


def make_verified(
    recipe: str, runs: Sequence[StepRun], line: CommandLine, words: Sequence[str], *, quiet: bool
) -> VerifiedSteps:
    """Verify, write and commit the steps of ``runs`` until one does not hold.

    ``words`` are the command that runs the tests. Raises UserError for what stops it before the
    first step.
    """
    tests = tests_of(line, words)
    result = VerifiedSteps([], [], {}, {})
    for run in runs:
        number = run.number

        def tell(clause: str, step: int = number) -> None:
            if not quiet:
                say(f"step {step}: {clause} ...")

        def planned(sites: Mapping[Path, frozenset[SiteId]], step: int = number) -> Report:
            return _planned_report(recipe, line, step, sites)

        try:
            report = planned({})
            verified = verify_report(report, planned, tests, tell)
        except UserError as error:
            result.stopped = f"Step {number} is not verified: {error}."
            result.proves_nothing = True
            return result
        if verified is None:
            continue
        if verified.unexplained:
            result.stopped = f"Step {number} failed verification. {stops(verified)}"
            return result
        step = structs.replace(run, report=verified.report)
        result.rows[number] = verified_rows(verified)
        result.reaches[number] = reaches(verified)
        if not step.writes:
            continue
        label = f"{_LABEL.format(recipe=recipe)}{number})"
        applied = api.apply(step.report, label, by_verify=True)
        message = commit_message(recipe, step, result.rows[number])
        result.commits.append(commit(applied.files[0].parent, applied.files, message))
        result.made.append(step)
    return result


def _planned_report(
    recipe: str, line: CommandLine, number: int, sites: Mapping[Path, frozenset[SiteId]]
) -> Report:
    options = structs.replace(line.options, excluded_in=sites, use_cache=not sites)
    (step,) = api.run_recipe(recipe, line.paths, options, steps=(number, number))
    return step.report
