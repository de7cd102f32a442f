"""The rules as a list, and one rule's page: the docstring of its module."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from typing import cast

from rich.console import Console, RenderableType
from rich.text import Text

from awaken.contract import Rule
from awaken.preview.code import code_theme
from awaken.preview.page import Page


def page_of(rule: Rule) -> str:
    """Return the docstring of the module, or package, that is named after ``rule``."""
    name = type(rule).__module__
    own = rule.name.replace("-", "_")
    parts = name.split(".")
    if own in parts:
        name = ".".join(parts[: parts.index(own) + 1])
    return inspect.cleandoc(sys.modules[name].__doc__ or type(rule).__doc__ or "")


def print_catalogue(rules: Sequence[Rule], console: Console) -> None:
    """Print each rule with its kind and phase, and the first line of its page."""
    page = Page(console)
    for rule in rules:
        facts = [rule.family, rule.kind, f"phase {rule.phase.name.lower()}"]
        facts += ["in preview"] if rule.preview else []
        page.row((rule.name, "code.name"), ("  " + ", ".join(facts), "faint"))
        page.hanging(Text("    "), page_of(rule).partition("\n")[0])


def print_page(rule: Rule, console: Console) -> None:
    """Print the page of ``rule``, which is Markdown, and the reasons for which it refuses."""
    page = Page(console)
    page.rule((rule.name, "path"), (f"  {rule.family}, {rule.kind}", "faint"))
    if console.is_terminal:
        console.print(_rendered(page_of(rule), console))
    else:
        console.print(Text(page_of(rule)), soft_wrap=True)
    if rule.reasons:
        page.row()
        page.row(("Reasons for which a site is manual", "markdown.h2"))
    for reason in rule.reasons:
        page.row((f"{rule.name}/{reason.code}", "manual"))
        page.hanging(Text("    "), reason.message.replace("{}", page.glyph("…", "...")))
        page.hanging(Text("    "), reason.cure, "faint")


def _rendered(text: str, console: Console) -> RenderableType:
    from rich.markdown import Markdown  # noqa: PLC0415

    # Rich passes the theme on to Syntax, which takes an object as well as a name.
    return Markdown(text, code_theme=cast("str", code_theme(console)), hyperlinks=False)
