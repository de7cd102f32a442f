"""The result of a migration: a row for each step, the remaining work, and the next commands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from awaken.contract import Level, Outline, OutlinePart, Place
from awaken.engine.asking.chosen_changes import ChangeKey
from awaken.engine.asking.kept_answers import (
    Question,
    Settings,
    as_settings,
    questions_of,
)
from awaken.engine.former_drivers import former_drivers
from awaken.engine.recipe_run import StepRun, written_report
from awaken.engine.report import Report, RootReport
from awaken.preview.choices import View
from awaken.preview.closing import print_steps
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text
from awaken.preview.counts import diagnostics, findings_with_roots, plural, rewritten
from awaken.preview.paths import relative
from awaken.preview.recipes.commit_message import listed_rows, may_change
from awaken.preview.recipes.recipe_steps import print_plan, step_rows
from awaken.preview.report_places import NOWHERE, Places
from awaken.preview.sections import outlined_sites
from awaken.preview.show import print_notes, print_problems
from awaken.preview.streams.course import Course
from awaken.preview.summary import Step
from awaken.preview.terminal.outline_page import OutlinePage
from awaken.project.source.lines.statement_lines import Lines, differing_lines

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole
    from awaken.verifying.reached_changes import Reach


_LISTED = 8
"""Questions of which the place is shown; the settings below answer all of them."""


class Migration(Struct, frozen=True):
    """The planned ``runs`` of a recipe, those of them that were ``made``, and their ``commits``.

    ``answers`` are settings that the user chose meanwhile, as TOML. ``verified`` has rows on what
    the tests said of each step, by its number, and ``reaches`` what they do at each change of it;
    ``stopped`` is why a step does not hold; with ``proves_nothing`` no test says whether it does.
    """

    recipe: str
    runs: Sequence[StepRun]
    made: Sequence[StepRun]
    commits: Sequence[str]
    answers: Sequence[str] = ()
    verified: Mapping[int, Sequence[str]] = {}
    stopped: str = ""
    proves_nothing: bool = False
    reaches: Mapping[int, Mapping[ChangeKey, Reach]] = {}

    def steps_to_show(self) -> list[StepRun]:
        """Return the steps as far as they came: those that were made as they were written."""
        made = {run.number: run for run in self.made}
        return [made.get(run.number, run) for run in self.runs]


def course_of(migration: Migration) -> Course:
    """Return how a migration went, for its page."""
    runs = migration.runs
    sentences = [migration.stopped] if migration.stopped else []
    blocked = next((run for run in runs if run.is_blocked), None)
    if blocked is not None:
        sentences.append(f"Step {blocked.number} is blocked, and the steps after it wait for it.")
        sentences += [
            f"{asked_at(question)}: {question.finding.message}. If it holds, set "
            f"`{question.answers[0]}`."
            for question in questions_of(runs)
        ]
    return Course(
        verdict=_written_text(migration),
        sentences=tuple(sentences),
        steps=step_rows(runs),
        tests=tuple(
            f"step {number}: {row}" for number, rows in migration.verified.items() for row in rows
        ),
        reaches={
            (number, *key): reach
            for number, reaches in migration.reaches.items()
            for key, reach in reaches.items()
        },
    )


def print_migration(migration: Migration, console: AnyConsole, nexts: Sequence[Step]) -> None:
    """Print each step, what was written, and what to run next."""
    page = Page(console)
    failed = next((run for run in migration.runs if any(diagnostics(run.report))), None)
    if failed is not None:  # the steps after it mostly fail alike
        print_problems(failed.report, View(), Path.cwd())
    whole = written_report([run for run in migration.made if run.writes])
    for report in _without_repeats(migration.runs):
        # The remaining commands are listed with the changes, once and in order.
        print_notes(report, View(), is_outlined=False, is_written=bool(whole.roots))
    print_plan(migration.runs, console)
    page.row()
    _print_changes(migration.runs, page)
    for number, rows in migration.verified.items():
        page.sentence(f"Step {number} is verified by the tests:")
        for row in rows:
            page.hanging(Text("  - "), row)
    if migration.stopped:
        page.sentence(migration.stopped)
    page.sentence(_written_text(migration))
    if whole.roots:
        _print_by_hand(migration, page)
    _print_former_drivers(migration.made if migration.stopped else migration.runs, page)
    if migration.answers:
        _print_settings("Keep your answers in pyproject.toml:", migration.answers, page)
    questions = questions_of(migration.runs)
    blocked = next((run for run in migration.runs if run.is_blocked), None)
    if blocked is not None:
        page.sentence(f"Step {blocked.number} is blocked, and so are the steps after it.")
        page.row()
        _print_stops(blocked, page)
        hint = f" Or end before it: --to {blocked.number - 1}." if blocked.number > 1 else ""
        _print_questions(questions, hint, page)
    elif not migration.made:
        _print_questions(questions, f" Or go on: --to {migration.runs[-1].number}.", page)
    print_steps(nexts, console)


def _without_repeats(runs: Sequence[StepRun]) -> Iterator[Report]:
    """Yield the report of each step without the notes that a step before it had."""
    said: set[tuple[Path, str]] = set()
    for run in runs:
        roots = []
        for root in run.report.roots:
            notes = tuple(note for note in root.notes if (root.root, note) not in said)
            said |= {(root.root, note) for note in notes}
            roots.append(structs.replace(root, notes=notes))
        yield structs.replace(run.report, roots=tuple(roots))


def _print_changes(runs: Sequence[StepRun], page: Page) -> None:
    """Print what the steps that can be made may change."""
    for run in runs:
        if run.is_blocked:
            return
        others = rewritten(run.report, Path.cwd()).other_files if run.writes else ""
        if others:
            page.sentence(f"Step {run.number} also changes {others}.")
        rows = may_change(run) if run.writes else []
        if rows:
            page.sentence(f"Step {run.number} may change this:")
            for row in listed_rows(rows):
                page.row(f"  {row}")
        if others or rows:
            page.row()


def _print_by_hand(migration: Migration, page: Page) -> None:
    """Print the sites that the steps which were made leave, and what stops parts of them."""
    made = [run for run in migration.made if run.step.rules]
    # A later step may rewrite what its rule left in an earlier one.
    last = {rule: run.number for run in made for rule in run.report.rules}
    rows: dict[str, None] = {}
    for run in made:
        lines = _LinesAfter(made[-1].files)
        # Their causes are printed below.
        waiting = {site for root in run.report.roots for site in outlined_sites(root)}
        for root, finding in findings_with_roots(run.report):
            is_last = last.get(finding.rule) == run.number and finding.site not in waiting
            if finding.level is Level.MANUAL and is_last:
                where = lines.path_and_line(root, finding.place)
                rows[f"{where}: {finding.message}. {finding.help}"] = None
    if rows or any(any(_stops(run)) for run in made):
        page.row()
    if rows:
        page.sentence(f"To change by hand, {plural(len(rows), 'site')}:")
        _print_few(list(rows), page)
        page.row()
    for run in made:
        _print_stops(run, page)


class _LinesAfter:
    """The lines that places of one step's report have ``after`` all steps, by real path."""

    def __init__(self, after: Mapping[Path, bytes]) -> None:
        self._after = after
        self._places = Places(Path.cwd())
        self._hunks: dict[Path, list[tuple[Lines, Lines]]] = {}

    def path_and_line(self, root: RootReport, place: Place) -> str:
        """Return the path of a place, and its line where that is known."""
        path, region = self._places.location_of(root, place)
        if region is NOWHERE:
            return path
        file = root.root / place.path
        if file not in self._hunks:
            before = root.sources[place.path].text
            text = self._after.get(Path(os.path.realpath(file)), before)
            hunks = differing_lines(before.splitlines(True), text.splitlines(True))
            self._hunks[file] = list(hunks)
        shifts = [new.end - old.end for old, new in self._hunks[file] if old.end < region.line]
        return f"{path}:{region.line + (shifts[-1] if shifts else 0)}"


def _print_few(rows: Sequence[str], page: Page) -> None:
    """Print the first rows of a list, and how many others there are."""
    for row in rows[:_LISTED]:
        page.hanging(Text("  - "), row)
    if len(rows) > _LISTED:
        page.sentence(f"and {plural(len(rows) - _LISTED, 'other place')}")


def _print_former_drivers(runs: Sequence[StepRun], page: Page) -> None:
    """Print what names a driver that the steps which can be made replace."""
    until = next((at for at, run in enumerate(runs) if run.is_blocked), len(runs))
    rows = [
        f"{relative(root.root, path, Path.cwd())}{sentence}"
        for root in written_report([run for run in runs[:until] if run.writes]).roots
        for path, sentence in former_drivers(root)
    ]
    if rows:
        page.row()
        page.sentence("Check these places, which name a synchronous driver:")
        _print_few(rows, page)
        page.row()


def _stops(run: StepRun) -> Iterator[tuple[RootReport, Outline, OutlinePart]]:
    """Yield the parts of outlines that list the places which stop a step."""
    for root in run.report.roots:
        for outline in root.outlines:
            for part in outline.parts if not outline.change else ():
                if part.key == "stops":
                    yield root, outline, part


def _print_stops(run: StepRun, page: Page) -> None:
    """Print the places that stop the step, those first that most functions wait for."""
    for root, outline, part in _stops(run):
        page.sentence((outline.rule, "code.name"), f": {outline.title}")
        for row in OutlinePage(page, root, Path.cwd()).rows(part):
            page.hanging(Text("  - "), row)
        sites = set(outline.sites)
        cures = (finding.help for finding in root.findings if finding.site in sites)
        for cure in dict.fromkeys(filter(_is_of_settings, cures)):
            page.sentence(cure)
        page.row()


def _is_of_settings(cure: str) -> bool:
    """Whether a cure changes the settings of awaken: it frees places that no edit of code does."""
    return "[tool.awaken]" in cure


def asked_at(question: Question) -> str:
    """Return the first place that asks, and how many more do."""
    path, region = Places(Path.cwd()).location_of(question.root, question.finding.place)
    more = f" and {plural(question.count - 1, 'other place')}" if question.count > 1 else ""
    return f"{path}:{region.line}{more}"


def _print_questions(questions: Sequence[Question], hint: str, page: Page) -> None:
    """Print what steps ask, with one setting for each question that may answer it."""
    from awaken.engine.asking.kept_answers import settings_in  # noqa: PLC0415  few migrations ask

    if not questions:
        return
    page.row()
    for question in questions[:_LISTED]:
        page.sentence(f"{asked_at(question)}: {question.finding.message}")
    if len(questions) > _LISTED:
        page.sentence(f"and {len(questions) - _LISTED} other questions")
    file = relative(questions[0].root.root, "pyproject.toml", Path.cwd())
    heading = f"If this is true, add it to {file} and run the migration again.{hint}"
    known = [settings_in(questions[0].root.root)]
    _print_settings(heading, [item.answers[0] for item in questions], page, known)
    others = sorted({answer for item in questions for answer in item.answers[1:]})
    if others:
        page.sentence(f"Or instead: {', '.join(others)}")


def _print_settings(
    heading: str, answers: Sequence[str], page: Page, known: Sequence[Settings] = ()
) -> None:
    page.sentence(heading)
    for row in as_settings(answers, known).splitlines():
        page.row(f"  {row}")


def _written_text(migration: Migration) -> str:
    whole = written_report([run for run in migration.made if run.writes])
    if whole.roots:
        said = rewritten(whole, Path.cwd()).words("rewritten")
        commits = migration.commits
        listed = f", in {plural(len(commits), 'commit')} ({', '.join(commits)})" if commits else ""
        return f"{said}{listed}."
    runs = migration.runs
    if any(run.writes or run.is_blocked or any(diagnostics(run.report)) for run in runs):
        return "Nothing was written."
    if any(root.notes for run in runs for root in run.report.roots):
        return "Nothing was written. The notes say what the rules need."
    return f"Nothing is left to rewrite. The recipe {migration.recipe} is done here."
