"""The recipes on a console: the list with what each would do, and one recipe's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from awaken.engine.recipe_run import causes
from awaken.engine.report import Report
from awaken.kit.rule import Rule
from awaken.preview.closing import print_steps
from awaken.preview.console.page import Page, joined_text
from awaken.preview.console.text import Text
from awaken.preview.counts import count, count_rules, needs_of, plural
from awaken.preview.summary import Step
from awaken.settings.recipe_tables import Recipe

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole


def print_recipes(
    recipes: Mapping[str, Recipe], reports: Mapping[str, Report], console: AnyConsole
) -> None:
    """Print a row for each recipe: its name, its result here, and its purpose."""
    page = Page(console)
    states = {name: _state(recipe, reports[name]) for name, recipe in recipes.items()}
    name_width, state_width = max(map(len, recipes)), max(map(len, states.values()))
    for name, recipe in recipes.items():
        head = joined_text(
            [(name.ljust(name_width), "code.name"), f"  {states[name].ljust(state_width)}  "]
        )
        page.hanging(head, recipe.summary)
    page.row()
    print_steps(
        [
            Step("show what a recipe does", "awaken recipes RECIPE"),
            Step("see its sites", "awaken check --recipe RECIPE"),
            Step("make its steps", "awaken migrate RECIPE"),
        ],
        console,
    )


def print_recipe(recipe: Recipe, rules: Mapping[str, Rule], console: AnyConsole) -> None:
    """Print the page of a recipe: its purpose, its needs, and its steps."""
    page = Page(console)
    page.rule((recipe.name, "path"))
    page.hanging(Text(), recipe.summary)
    needs = recipe.needs(rules)
    if needs:
        listed = ", ".join(f"{name} {versions}" for name, versions in needs.items())
        page.hanging(joined_text([("Needs  ", "faint")]), listed)
    for number, step in enumerate(recipe.steps, 1):
        page.row()
        page.hanging(joined_text([f"{number:>3}  "]), step.summary or ", ".join(step.names), "path")
        page.hanging(Text("     "), _levels(step.rules, step.reports))
    page.row()
    print_steps(
        [
            Step("see its sites", f"awaken check --recipe {recipe.name}"),
            Step("see the plan", f"awaken migrate {recipe.name} --dry-run"),
            Step("make its steps", f"awaken migrate {recipe.name} --commit"),
        ],
        console,
    )


def _levels(rules: Mapping[str, str], reports: tuple[str, ...]) -> str:
    parts = []
    for level, words in (
        ("safe", "keeps behaviour"),
        ("unsafe", "says what may change"),
    ):
        names = [name for name, highest in rules.items() if highest == level]
        if names:
            parts.append(f"{', '.join(names)} ({words})")
    if reports:
        parts.append(f"{', '.join(reports)} (reports only)")
    return "; ".join(parts)


def _state(recipe: Recipe, report: Report) -> str:
    rewriting = {name for step in recipe.steps for name in step.rules}
    counted = [count_rule for count_rule in count_rules(report) if count_rule.rule in rewriting]
    sites = sum(item.safe + item.unsafe for item in counted)
    left = sum(item.manual for item in counted)
    if sites:
        by_hand = f"{left:,} by hand" if left else ""
        return ", ".join(filter(None, [plural(sites, "site"), by_hand, needs_of(report)]))
    if any(not outline.change for root in report.roots for outline in root.outlines if rewriting):
        return f"blocked by {plural(causes(report) or left, 'cause')}"
    if rewriting and needs_of(report):
        return needs_of(report)
    whole = count(report)
    looked_at = whole.sites + whole.advice
    return f"{plural(looked_at, 'site')} to look at" if looked_at else "done"
