"""The steps of a recipe as a run shows them: each with its findings, then one row for each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from awaken.engine.recipe_run import StepRun, combined_report
from awaken.preview.choices import Color, Form, View
from awaken.preview.closing import print_steps, print_targets
from awaken.preview.console.page import Page, joined_text
from awaken.preview.console.plain_console import console_on
from awaken.preview.counts import count, needs_of, plural, rewritten
from awaken.preview.show import form_of, print_notes, print_problems, print_report, show
from awaken.preview.streams.course import Course, StepRow
from awaken.preview.streams.output import open_output
from awaken.preview.summary import Again, Step

if TYPE_CHECKING:
    from typing import TextIO

    from awaken.preview.console.plain_console import AnyConsole


def show_steps(
    runs: Sequence[StepRun], command: str, view: View, again: Again, nexts: Iterable[Step]
) -> None:
    """Print the ``runs`` of a recipe as the result of ``check`` or ``diff``, then what is next."""
    if form_of(command, view) is not Form.FULL or view.statistics:
        show(combined_report(runs), command, view, again, course=Course(steps=step_rows(runs)))
        return
    console = console_on(sys.stderr, view.color)
    if runs and not view.quiet:
        print_targets(runs[0].report, console, Path.cwd())
    with open_output(view.file) as stream:
        for run in runs:
            _print_step(run, command, view, stream)
    for run in runs:
        print_problems(run.report, view, Path.cwd())
        print_notes(run.report, view, is_outlined=True)
    if not view.quiet:
        print_plan(runs, console)
        print_steps(list(nexts), console)


def print_plan(runs: Sequence[StepRun], console: AnyConsole) -> None:
    """Print a row for each step: its number, how far it is, and what it does."""
    page = Page(console)
    rows = step_rows(runs)
    width = max((len(row.state) for row in rows), default=0)
    for run, row in zip(runs, rows, strict=True):
        style = "error" if run.is_blocked else "safe" if run.writes else "faint"
        head = joined_text([f"{row.number:>3}  ", (row.state.ljust(width), style), "  "])
        page.hanging(head, row.name)


def step_rows(runs: Sequence[StepRun]) -> tuple[StepRow, ...]:
    """Return a row for each step; a change after a blocked one was planned without it."""
    blocked = next((run.number for run in runs if run.is_blocked), len(runs) and runs[-1].number)
    waits = f"waits for step {blocked}"
    return tuple(
        StepRow(
            run.number,
            waits if run.step.rules and run.number > blocked else state(run),
            name_of(run),
        )
        for run in runs
    )


def state(run: StepRun) -> str:
    """Return in a few words what a step comes to."""
    counted = count(run.report)
    if not run.step.rules:
        number = counted.sites + counted.advice
        return f"{plural(number, 'site')} to look at" if number else "nothing to look at"
    if run.is_blocked:
        return f"blocked by {plural(run.causes, 'cause')}"
    left = f"{counted.manual:,} by hand" if counted.manual else ""
    if not run.writes:
        return needs_of(run.report) or left or "nothing to do"
    return ", ".join(filter(None, [rewritten(run.report).where, left, needs_of(run.report)]))


def name_of(run: StepRun) -> str:
    """Return what a step does, or its rules where nobody says it."""
    return run.step.summary or ", ".join(run.step.names)


def _print_step(run: StepRun, command: str, view: View, stream: TextIO) -> None:
    if any(root.findings for root in run.report.roots):
        page = Page(console_on(stream, Color.NEVER if view.file else view.color))
        page.rule((f"Step {run.number}: {name_of(run)}", "path"))
        page.row()
    print_report(run.report, command, view, stream)
