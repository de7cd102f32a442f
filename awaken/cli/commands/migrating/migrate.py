"""``awaken migrate``: a recipe from its first step to its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import structs

from awaken.cli.options.declaring import Argument, Option, bad_parameter
from awaken.cli.options.passes import COMMAND_WORD
from awaken.cli.options.recipe import RecipeOptions, recipe_names, require_recipe_alone
from awaken.cli.options.shared_options import OutputOptions, RunOptions, require_page
from awaken.contract import Level, UserError

if TYPE_CHECKING:
    from pathlib import Path

    from awaken.cli.options.command_line import CommandLine
    from awaken.engine.recipe_run import StepRun
    from awaken.engine.report import Report
    from awaken.preview.choices import View
    from awaken.preview.recipes.migration import Migration
    from awaken.preview.summary import Step


@dataclass(frozen=True)
class MigrateOptions:
    """Which steps are made, and how."""

    first: Annotated[int, Option("--from", metavar="N", min=1, help="Begin with this step.")] = 1
    last: Annotated[int | None, Option("--to", metavar="N", min=1, help="End with this step.")] = (
        None
    )
    commit: Annotated[
        bool, Option("--commit", help="Commit each step. This runs the repository's hooks.")
    ] = False
    verify: Annotated[
        bool,
        Option(
            "--verify",
            help=(
                "Run the project's tests for each step, and commit it if their results "
                "stay the same."
            ),
        ),
    ] = False
    command: Annotated[
        list[str] | None,
        Option(COMMAND_WORD, metavar="WORD", help="A word of the test command.", hidden=True),
    ] = None
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show the plan and the remaining work; write nothing.")
    ] = False
    allow_dirty: Annotated[
        bool, Option("--allow-dirty", help="Write even if files have uncommitted changes.")
    ] = False

    def dry_run_words(self, recipe: str) -> list[str]:
        """Return the words of the same migration as a dry run."""
        words = [recipe, *(["--from", str(self.first)] if self.first > 1 else [])]
        words += ["--to", str(self.last)] if self.last is not None else []
        return [*words, "--dry-run"]


def migrate(
    recipe: Annotated[
        str,
        Argument(
            metavar="RECIPE",
            help="The recipe. `awaken recipes` lists them.",
            show_default=False,
            autocompletion=recipe_names,
        ),
    ],
    run: RunOptions,
    output: OutputOptions,
    own: MigrateOptions,
) -> int:
    """Make the steps of a recipe, each as a whole or not at all.

    Run it again to go on where it stopped: a step that is done has nothing left to rewrite.
    `awaken undo` takes the last step back, or `git revert` if it is committed.

    Exits with 1 if a step is blocked, leaves parts or fails tests, with 2 if tests prove nothing.
    """
    from awaken.cli.commands.migrating.terminal_questions import can_ask  # noqa: PLC0415  the help needs no engine
    from awaken.cli.exit_codes import FAILED, FOUND  # noqa: PLC0415
    from awaken.engine.asking.kept_answers import questions_of  # noqa: PLC0415
    from awaken.engine.recipe_run import causes  # noqa: PLC0415
    from awaken.preview.choices import Color, Form  # noqa: PLC0415
    from awaken.preview.console.plain_console import console_on  # noqa: PLC0415
    from awaken.preview.recipes.migration import Migration, print_migration  # noqa: PLC0415
    from awaken.preview.streams.output import open_output  # noqa: PLC0415

    line, view = _begun_pair(recipe, run, output, own)
    line, runs, answers = _answered_items(recipe, line, view, own)
    done = _until_blocked(runs)
    failed = any(map(_has_problems, (candidate.report for candidate in runs)))
    # A user who could answer and did not wants the steps before that one.
    waits = bool(questions_of(runs)) and not can_ask() and own.last is None
    writes = not (own.dry_run or failed or waits)
    result = Migration(recipe, runs, done if writes else [], [], answers)
    if writes:
        result = _make(result, line, own, quiet=view.quiet)
    steps = _nexts(result, line, own)
    if view.form is Form.HTML:
        _show_page(result, line, own, view)
    else:
        with open_output(view.file) as stream:
            color = Color.NEVER if view.file else view.color
            print_migration(result, console_on(stream, color), steps)
    if failed or result.proves_nothing or (waits and not own.dry_run):
        return FAILED
    # Sites that need other versions were not migrated, nor were parts that something stops.
    reports = [item.report for item in runs if item.step.rules]
    left = any(causes(report) or any(root.unmet for root in report.roots) for report in reports)
    return FOUND if len(done) < len(runs) or result.stopped or left else 0


def _show_page(result: Migration, line: CommandLine, own: MigrateOptions, view: View) -> None:
    """Print the page of a migration, and to stderr in a sentence or two what was written."""
    from awaken.engine.recipe_run import combined_report  # noqa: PLC0415  the help needs no engine
    from awaken.preview.recipes.migration import course_of  # noqa: PLC0415
    from awaken.preview.show import asked_of, show_page  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415

    course = course_of(result)
    asked = asked_of(
        "migrate",
        view,
        line.with_command("migrate", *own.dry_run_words(result.recipe)),
        None,
        course,
    )
    show_page(combined_report(result.steps_to_show()), asked, view)
    for sentence in (course.verdict, *course.sentences):
        say(sentence)


def _begun_pair(
    recipe: str, run: RunOptions, output: OutputOptions, own: MigrateOptions
) -> tuple[CommandLine, View]:
    """Return what was asked, without what a killed migration left half written.

    Raises a usage error for options that contradict each other.
    """
    line, view = run.command_line(), output.view()
    require_recipe_alone(line, "migrate")
    if own.last is not None and own.last < own.first:
        raise bad_parameter(f"{own.last} is before --from {own.first}", param_hint="--to")
    require_page(view.form, f"; `awaken check --recipe {recipe}` prints the other forms")
    if own.verify:
        from awaken.cli.commands.migrating.verified_steps import take_back_step  # noqa: PLC0415

        take_back_step(recipe, line, quiet=view.quiet)
    return line, view


def _answered_items(
    recipe: str, line: CommandLine, view: View, own: MigrateOptions
) -> tuple[CommandLine, list[StepRun], list[str]]:
    """Return the planned steps, the answers that no file has, and the line that has them."""
    from awaken.cli.commands.migrating.terminal_questions import answers_to, can_ask, keep  # noqa: PLC0415
    from awaken.engine.asking.kept_answers import (  # noqa: PLC0415
        joined_answers,
        questions_of,
        settings_in,
    )

    answers: list[str] = []
    roots: dict[Path, None] = {}
    while True:
        known = [settings_in(root) for root in roots]
        config = (*line.options.config, *joined_answers(answers, known))
        answered = structs.replace(line, options=structs.replace(line.options, config=config))
        runs = _planned_runs(recipe, answered, view, own)
        questions = questions_of(runs) if can_ask() and not own.dry_run else []
        more = answers_to(questions)
        if not more:
            return answered, runs, answers
        for root, chosen in more.items():
            # Settings of a file need no option: steps read them as all settings.
            if not keep(chosen, root, f"awaken migrate {recipe} (answers)"):
                answers += chosen
                roots[root] = None


def _planned_runs(recipe: str, line: CommandLine, view: View, own: MigrateOptions) -> list[StepRun]:
    from awaken import api  # noqa: PLC0415
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415

    with bar(view) as progress:
        return list(
            api.run_recipe(
                recipe,
                line.paths,
                line.options,
                steps=(own.first, own.last or 0),
                progress=progress,
            )
        )


def _until_blocked(runs: Sequence[StepRun]) -> list[StepRun]:
    """Return the steps before the first that is blocked: those after it were planned without it."""
    at = next((at for at, run in enumerate(runs) if run.is_blocked), len(runs))
    return list(runs[:at])


def _has_problems(report: Report) -> bool:
    of_roots = [item for root in report.roots for item in root.diagnostics if not item.never_runs]
    return bool(report.diagnostics or of_roots)


def _make(result: Migration, line: CommandLine, own: MigrateOptions, *, quiet: bool) -> Migration:
    """Write the steps, each with a commit if that is asked for; return what was made.

    Raises UserError before the first file is written where a repository is not clean.
    """
    from awaken import api  # noqa: PLC0415
    from awaken.cli.worktree import require_clean  # noqa: PLC0415
    from awaken.engine.machine.git import commit, require_branch  # noqa: PLC0415
    from awaken.engine.recipe_run import written_report  # noqa: PLC0415
    from awaken.preview.recipes.commit_message import commit_message  # noqa: PLC0415

    recipe = result.recipe
    writing = [candidate for candidate in result.made if candidate.writes]
    whole = written_report(writing)
    if not own.allow_dirty:
        require_clean(whole, line.paths)
    if own.commit or own.verify:
        for top in {root.root for root in whole.roots if root.files}:
            require_branch(top)
    if own.verify:
        from awaken.cli.commands.migrating.verified_steps import make_verified  # noqa: PLC0415

        made = make_verified(recipe, writing, line, own.command or (), quiet=quiet)
        return structs.replace(
            result,
            made=made.made,
            commits=made.commits,
            verified=made.rows,
            reaches=made.reaches,
            stopped=made.stopped,
            proves_nothing=made.proves_nothing,
        )
    commits: list[str] = []
    for run in writing:
        applied = api.apply(run.report, command=f"awaken migrate {recipe} (step {run.number})")
        if own.commit and applied.files:
            message = commit_message(recipe, run)
            commits.append(commit(applied.files[0].parent, applied.files, message))
    return structs.replace(result, commits=commits)


def _nexts(result: Migration, line: CommandLine, own: MigrateOptions) -> list[Step]:
    """Return what to do after the migration, or after its dry run."""
    from awaken.cli.commands.verify import running  # noqa: PLC0415
    from awaken.engine.recipe_run import written_report  # noqa: PLC0415
    from awaken.preview.after_apply import commands_after  # noqa: PLC0415
    from awaken.preview.summary import Step, undo_command  # noqa: PLC0415

    steps = []
    recipe, runs = result.recipe, result.runs
    blocked = next((candidate for candidate in runs if candidate.is_blocked), None)
    if own.dry_run and any(candidate.writes for candidate in _until_blocked(runs)):
        asked = [f"--{name}" for name in ("commit", "verify") if getattr(own, name)]
        make = ("migrate", recipe, *asked)
        steps.append(Step("see each change", line.with_command("diff", "--recipe", recipe)))
        what = "the changes" if blocked is None else f"the steps before step {blocked.number}"
        steps.append(Step(f"make {what}", running(line.with_command(*make), own.command)))
        found = (f for one in runs if one.step.rules for r in one.report.roots for f in r.findings)
        if blocked is None and any(finding.level is Level.MANUAL for finding in found):
            steps.append(
                Step("see what is left by hand", line.with_command("check", "--recipe", recipe))
            )
    elif not own.dry_run:
        done = written_report([candidate for candidate in result.made if candidate.writes])
        steps += [Step(effect, command) for effect, command in commands_after(done)]
        if any(root.files for root in done.roots):
            # The files of a commit would come back, and differ from it.
            commits = result.commits
            command = f"git revert --no-edit {commits[-1]}" if commits else undo_command(done)
            steps.append(Step("undo the last step", command))
    if not any(candidate.step.rules for candidate in runs):
        steps.append(Step("see which recipe to begin with", line.with_command("recipes")))
    for run in runs:
        looks = run is blocked or (not run.step.rules and any(r.findings for r in run.report.roots))
        if looks:
            what = "see what blocks" if run is blocked else "see the places of"
            words = ("check", "--recipe", recipe, "--step", str(run.number))
            steps.append(Step(f"{what} step {run.number}", line.with_command(*words)))
    partly = [] if blocked is None else _partly_selected(blocked.report, line)
    if partly:
        whole = structs.replace(line, paths=partly)
        again = whole.with_command("migrate", recipe, "--dry-run")
        steps.append(Step("plan it for the whole project", again))
    return steps


def _partly_selected(report: Report, line: CommandLine) -> list[Path]:
    """Return the projects, from the current directory, of which only a part is selected."""
    import os  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    selected = [path.resolve() for path in line.paths]
    return [
        Path(os.path.relpath(root.root))
        for root in report.roots
        if not any(root.root.is_relative_to(path) for path in selected)
    ]


def show_recipe(line: CommandLine, chosen: RecipeOptions, view: View, command: str) -> Report:
    """Show what a recipe finds (``check``) or changes (``diff``); return the report of all steps.

    Raises UserError for a recipe or step that does not exist.
    """
    from awaken.engine.recipe_run import combined_report  # noqa: PLC0415
    from awaken.preview.choices import STAGED  # noqa: PLC0415
    from awaken.preview.console.progress_bar import bar  # noqa: PLC0415
    from awaken.preview.recipes.recipe_steps import show_steps  # noqa: PLC0415
    from awaken.preview.summary import Step  # noqa: PLC0415

    if view.form in STAGED:
        raise UserError(
            f"a recipe has no {view.form} output: its later steps refer to text that is not on disk"
        )
    with bar(view) as progress:
        runs = list(chosen.runs(line, progress))
    words = chosen.words()
    nexts = []
    if any(run.writes for run in runs):
        if command == "check":
            nexts.append(Step("see each change", line.with_command("diff", *words)))
        nexts.append(Step("make the steps", line.with_command("migrate", str(chosen.recipe))))
    elif not any(run.step.rules for run in runs):
        nexts.append(Step("see which recipe to begin with", line.with_command("recipes")))
    show_steps(
        runs, command, view, lambda name, *more: line.with_command(name, *words, *more), nexts
    )
    shown = [run for run in runs if command == "check" or run.step.rules]
    return combined_report(shown)
