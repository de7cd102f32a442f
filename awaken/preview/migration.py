"""What a migration came to: a row for each step, what is left to do, and what to run next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.engine.recipe_run import StepRun, written
from awaken.preview.choices import View
from awaken.preview.closing import print_steps
from awaken.preview.console.page import Page
from awaken.preview.counts import changed_files, plural, rewritten_sites
from awaken.preview.recipe_steps import print_plan
from awaken.preview.show import print_notes, print_problems
from awaken.preview.summary import Step

if TYPE_CHECKING:
    from awaken.preview.console.plain import AnyConsole


class Migration(Struct, frozen=True):
    """The planned ``runs`` of a recipe, those of them that were ``made``, and their ``commits``."""

    recipe: str
    runs: Sequence[StepRun]
    made: Sequence[StepRun]
    commits: Sequence[str]


def print_migration(migration: Migration, console: AnyConsole, nexts: Sequence[Step]) -> None:
    """Print each step, what was written, and what to run next."""
    page = Page(console)
    for run in migration.runs:
        print_problems(run.report, View(), Path.cwd())
        print_notes(run.report, View(), is_outlined=False)
    print_plan(migration.runs, console)
    page.row()
    page.sentence(_written(migration))
    blocked = next((run for run in migration.runs if run.is_blocked), None)
    if blocked is not None:
        page.sentence(f"Step {blocked.number} is blocked, and the steps after it wait for it.")
    print_steps(nexts, console)


def _written(migration: Migration) -> str:
    whole = written([run for run in migration.made if run.writes])
    if whole.roots:
        sites = plural(rewritten_sites(whole), "site")
        said = f"{sites} rewritten in {plural(changed_files(whole), 'file')}"
        commits = migration.commits
        listed = f", in {plural(len(commits), 'commit')} ({', '.join(commits)})" if commits else ""
        return f"{said}{listed}."
    if any(run.writes or run.is_blocked for run in migration.runs):
        return "Nothing was written."
    return f"Nothing is left to rewrite: the recipe {migration.recipe} is done here."
