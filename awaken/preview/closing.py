"""The frame around the findings, on stderr: targets before; counts and next commands after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from awaken.engine.report import Report, RootReport
from awaken.preview.console.page import Page
from awaken.preview.console.plain_console import PlainConsole, fits
from awaken.preview.console.text import Text, cell_len
from awaken.preview.counts import count, count_rules, count_suppressed, diagnostics
from awaken.preview.paths import relative
from awaken.preview.streams.visible import visible
from awaken.preview.summary import Step

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole


def print_targets(report: Report, console: AnyConsole, current: Path) -> None:
    """Print for each root which versions the rewrites were made for, and where they were read."""
    page = Page(console)
    several = len(report.roots) > 1
    for root in report.roots:
        if several and not root.files_read:  # the top of a repository that holds only projects
            continue
        name = f"{relative(root.root, '', current)}: " if several else ""
        page.hanging(Text(f"{visible(name)}Target: ", "faint"), _targets(root), "faint")
    page.row()


def _targets(root: RootReport) -> str:
    if not root.targets:
        return "current versions; the project declares none"
    return ", ".join(
        f"{target.name} {target.specifier} ({target.origin})" for target in root.targets
    )


def print_diagnostics(report: Report, console: AnyConsole, current: Path) -> None:
    """Print what awaken could not do, one sentence each."""
    page = Page(console)
    said = set()
    for root, diagnostic in diagnostics(report):
        path = diagnostic.path
        if root is not None and path:
            path = relative(root.root, path, current)
        line = f":{diagnostic.line}" if diagnostic.line else ""
        where = f"{path}{line}: " if path else ""
        if (where, diagnostic.message) not in said:  # a path that was named is also found
            page.sentence(("error: ", "error"), (where, "path"), diagnostic.message)
        said.add((where, diagnostic.message))


def print_table(report: Report, console: AnyConsole) -> None:
    """Print the sites per rule, level and file, and the suppressed ones apart from them."""
    counts, suppressed = count_rules(report), count_suppressed(report)
    if not counts:
        return
    counts += [
        count(report, rule) for rule in sorted(suppressed.keys() - {row.rule for row in counts})
    ]
    if len(counts) > 1:
        suppressed += Counter({"": suppressed.total()})
        counts.append(count(report))
    levels = ["safe", "unsafe", "manual", *(["advice"] if any(c.advice for c in counts) else [])]
    headings = ["Sites", *map(str.capitalize, levels), *(["Held"] if suppressed else []), "Files"]
    rows = [
        [
            Text(row.rule or "all rules", "code.name" if row.rule else "faint"),
            Text(f"{row.sites:,}"),
            *(_number(getattr(row, level), level) for level in levels),
            *([Text(f"{suppressed[row.rule]:,}", "faint")] if suppressed else []),
            Text(f"{row.files:,}"),
        ]
        for row in counts
    ]
    _print_rows(["Rule", *headings], rows, console)


def _print_rows(
    headings: Sequence[str], rows: Sequence[Sequence[Text]], console: AnyConsole
) -> None:
    """Print a table, two blanks between its columns."""
    columns = zip(map(Text, headings), *rows, strict=True)
    widths = [max(cell.cell_len for cell in column) for column in columns]
    if isinstance(console, PlainConsole):
        if fits(sum(widths) + 2 * (len(widths) - 1)):
            for row in (map(Text, headings), *rows):
                console.row(_aligned_text([cell.plain for cell in row], widths))
            return
        console = console.rich()
    from rich.table import Table  # noqa: PLC0415  a table without colours needs none

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="faint")
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(cell.rich() for cell in row))
    console.print(table)


def _aligned_text(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return the first of ``cells`` to the left of its width, the others to the right."""
    blanks = [" " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
    others = (f"  {blank}{cell}" for blank, cell in zip(blanks[1:], cells[1:], strict=True))
    return f"{cells[0]}{blanks[0]}{''.join(others)}"


def _number(number: int, level: str) -> Text:
    return Text(f"{number:,}", level if number else "faint")


def print_steps(steps: Sequence[Step], console: AnyConsole) -> None:
    """Print the commands below each other, each on one row that can be copied."""
    page = Page(console)
    width = max((len(step.effect) for step in steps), default=0)
    for step in steps:
        effect = f"To {step.effect}: "
        fits = page.width is None or width + 5 + len(step.command) <= page.width
        if fits:
            page.row(effect.ljust(width + 5), (step.command, "command"))
        else:
            page.row(effect)
            page.row("    ", (step.command, "command"))
