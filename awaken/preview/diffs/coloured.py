"""The coloured diff: per file a header, its hunks, and the sites that were left as they are."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from awaken.contract import Finding, Level
from awaken.engine.report import Report
from awaken.preview.choices import View
from awaken.preview.console.page import Page, joined_text
from awaken.preview.counts import level_words
from awaken.preview.diffs.file_diff import FileDiff
from awaken.preview.diffs.layouts import NARROWEST, SideBySide
from awaken.preview.diffs.source_lines import SourceLines
from awaken.preview.sections import Section, outlined_sites, sections
from awaken.preview.streams.messages import say

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole

_USUAL = View()
_PIPED = 160
"""How wide two columns are where nobody says it: two of 80, the usual width."""

_LEFT_WHY = {
    Level.SAFE: "left out",
    Level.UNSAFE: "not rewritten without --unsafe-fixes",
}


def print_diff(report: Report, console: AnyConsole, current: Path, view: View = _USUAL) -> None:
    """Print every change of ``report``, and the sites that stay, to ``console``.

    ``view`` says in how many columns, and how many lines of context. A terminal that is too
    narrow for two columns gets one, and a note on stderr.
    """
    page = Page(console)
    columns = _columns(page, view)
    told = {site for root in report.roots for site in outlined_sites(root)}
    for section in sections(report, current):
        left = [finding for finding in section.remaining_findings() if finding.site not in told]
        # A site that is left alone for the sake of others is in the plan, and some files have
        # nothing else.
        if section.change is None and section.remaining_findings() and not left:
            continue
        _header(page, section)
        if section.change is not None:
            shown = FileDiff(page, section, view.context)
            shown.print(SideBySide(page, shown.digits, columns) if columns else None)
        _left_sites(page, section, left)
        page.row()


def _columns(page: Page, view: View) -> int | None:
    """Return the width that two columns share, or None for one column."""
    if not view.side_by_side:
        return None
    # A page without a width is no terminal.
    width = page.width or _given_width() or _PIPED
    if width >= NARROWEST:
        return width
    if not view.quiet:
        what = f"note: --side-by-side needs {NARROWEST} columns, and this terminal has {width}"
        say(f"{what}; the diff is shown in one.")
    return None


def _given_width() -> int:
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() else 0


def _header(page: Page, section: Section) -> None:
    created = section.change is not None and section.change.before is None
    page.rule((section.path, "path"), (" (new file)" if created else "", "added"))
    for rule in section.rules():
        counts = level_words(finding for finding in section.findings if finding.rule == rule)
        head = joined_text(["   ", (rule, "code.name"), "  "])
        page.hanging(head, counts or "changed with other files", "faint")


def _left_sites(page: Page, section: Section, left: Sequence[Finding]) -> None:
    """List the sites that stay, those with the same reason together."""
    # A new file has no sites that could stay.
    if section.source is None:
        return
    lines = SourceLines(section.source.text)
    groups: defaultdict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in left:
        groups[_kind(finding)].append(finding)
    if groups and section.change is not None:
        page.row()
    for (level, why, help_text), group in groups.items():
        page.hanging(joined_text(["   ", (level, level), " "]), why, "faint")
        _places(page, group, lines)
        if help_text:
            page.hanging(joined_text(["     ", ("what to do  ", "faint")]), help_text)


def _kind(finding: Finding) -> tuple[str, str, str]:
    why = finding.reason or f"{finding.rule}, {_LEFT_WHY.get(finding.level, 'for you to decide')}"
    return finding.level.value, why, finding.help


def _places(page: Page, findings: Sequence[Finding], lines: SourceLines) -> None:
    places = [lines.position(finding.place.span.start) for finding in findings]
    width = max(len(f"{line}:{column}") for line, column in places)
    for (line, column), finding in zip(places, findings, strict=True):
        page.hanging(
            joined_text(["     ", (f"{line}:{column}".ljust(width), "path"), "  "]), finding.message
        )
