"""The rules as a list, and one rule's page: the docstring of its module."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from awaken.contract import Rule
from awaken.preview.code import Highlighted
from awaken.preview.page import Page, joined


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
    """Print the page of ``rule``: its headings, its prose and its code."""
    page = Page(console)
    page.rule((rule.name, "path"), (f"  {rule.family}, {rule.kind}", "faint"))
    for paragraph in _paragraphs(page_of(rule)):
        _print_paragraph(page, paragraph)
    if rule.reasons:
        page.row(("Reasons", "path"))
        for reason in rule.reasons:
            head = joined(["  ", (f"{rule.name}/{reason.code}", "manual"), "  "])
            page.hanging(head, f"{reason.message}. {reason.cure}".strip())


def _paragraphs(text: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []


def _print_paragraph(page: Page, lines: list[str]) -> None:
    page.row()
    if all(line.startswith("    ") for line in lines):
        code = Highlighted("page.py", lines, len(lines))
        for index in range(len(lines)):
            page.code(Text(), code.text(index), Text())
    else:
        page.hanging(Text(), " ".join(line.strip() for line in lines))
