"""The rules on a terminal: the list by family, and one rule's page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import cast

from rich.console import Console

from awaken.contract import Reason
from awaken.engine.report import FileChange
from awaken.kit.rule import Rule
from awaken.preview.console.code import code_theme
from awaken.preview.console.page import Page, RowPart, joined_text
from awaken.preview.console.text import Text
from awaken.preview.diffs.file_diff import FileDiff
from awaken.preview.diffs.layouts import SideBySide
from awaken.preview.markdown.rule_markdown import STATUSES, Refusals, by_family, message, whole_page
from awaken.preview.markdown.rule_page import Example, Section, facts, levels, status, summary
from awaken.preview.sections import Section as FileSection
from awaken.workspace.sources import decode

_ALL = sys.maxsize
"""An example is short: all its lines are context."""
_TWO_COLUMNS = 150
"""Cells from which on two columns hold the code of an example without folding it."""
_WIDTH = 100
"""Cells; prose in longer lines is hard to read. As long as the lines of awaken's own source."""
_HEADINGS = ("rule", "kind", "levels", "status", "phase")


def print_catalogue(rules: Sequence[Rule], console: Console) -> None:
    """Print one table per family: each rule's name, and below it its summary."""
    page = Page(console)
    rows = {rule: _row(rule) for rule in rules}
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows.values(), strict=True)]
    for family, members in by_family(rules):
        page.row((family, "path"))
        page.row((_aligned_text(_HEADINGS, widths), "faint"))
        for rule in members:
            styled: list[RowPart] = [(rows[rule][0], "code.name")]
            # Only the name is styled, so the row is cut after it.
            page.row("  ", *styled, _aligned_text(rows[rule], widths)[2 + len(rows[rule][0]) :])
            page.hanging(Text("    "), summary(rule))
        page.row()
    for item, text in STATUSES.items():
        page.hanging(Text(f"{item:<9}"), text, "faint")


def _row(rule: Rule) -> tuple[str, ...]:
    return rule.name, rule.kind, " ".join(levels(rule)), status(rule), rule.phase.name.lower()


def _aligned_text(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return ("  " + "  ".join(padded)).rstrip()


def print_page(rule: Rule, console: Console) -> None:
    """Print the page of ``rule``: its text set, its examples as diffs, its reasons as a list."""
    page = Page(console)
    page.rule((rule.name, "path"))
    opening, *rest = whole_page(rule)
    if isinstance(opening, Section):
        _prose(opening.text, console)
    page.row()
    for label, words in facts(rule):
        page.hanging(joined_text([(f"   {label:<6}  ", "faint")]), words)
    for part in rest:
        match part:
            case Section(title, text):
                _heading(page, title)
                _prose(text, console)
            case Example():
                _example(part, page)
            case Refusals():
                _refusals(part, page)


def print_reason(code: str, reason: Reason, rule: Rule | None, console: Console) -> None:
    """Print the meaning of a reason, its cure, and the page with more."""
    page = Page(console)
    said = message(reason).replace("…", page.glyph("…", "..."))
    page.hanging(joined_text([(code, "manual"), ": "]), said)
    page.print_labelled(0, "what to do", reason.help)
    if rule is not None:
        page.print_labelled(0, "rule", summary(rule))
        page.print_labelled(0, "page", f"`awaken rules {rule.name}`")


def _heading(page: Page, title: str) -> None:
    page.row()
    page.hanging(Text(), title, "markdown.h2")


def _prose(text: str, console: Console) -> None:
    from rich.markdown import Markdown  # noqa: PLC0415  30 ms

    if text:
        # Rich passes the theme on to Syntax, which takes an object as well as a name.
        theme = cast("str", code_theme(console))
        width = min(console.width, _WIDTH)
        console.print(Markdown(text, code_theme=theme, hyperlinks=False), width=width)


def _example(example: Example, page: Page) -> None:
    title = f": {example.title}" if example.title else ""
    flag = ", with --unsafe-fixes" if example.unsafe else ""
    _heading(page, f"Before and after{title}{flag}")
    for path, after in example.after.items():
        if len(example.after) > 1:
            page.row((path, "path"))
        diff = FileDiff(page, _changed_file(path, example.before.get(path), after), _ALL)
        width = page.width or 0
        diff.print(SideBySide(page, diff.digits, width) if width >= _TWO_COLUMNS else None)


def _changed_file(path: str, before: str | None, after: str) -> FileSection:
    """Return a file of an example as the preview of a run shows it."""
    old = None if before is None else decode(path, before.encode())
    new = decode(path, after.encode())
    change = FileChange(path, old, new, ())
    return FileSection(path=path, source=old, findings=(), change=change, made=frozenset())


def _refusals(refusals: Refusals, page: Page) -> None:
    for reason in refusals.reasons:
        page.row()
        page.hanging(Text(), reason.full_code(refusals.rule), "manual")
        page.hanging(Text("    "), message(reason).replace("…", page.glyph("…", "...")))
        page.hanging(Text("    "), reason.help, "faint")
