"""The coloured diff: per file a header, its hunks, and the sites that were left as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from awaken.contract import Finding, Level
from awaken.engine.report import Report
from awaken.preview.counts import level_words
from awaken.preview.file_diff import FileDiff
from awaken.preview.page import Page, joined
from awaken.preview.sections import Section, sections
from awaken.preview.source_lines import SourceLines

_LEFT_WHY = {
    Level.SAFE: "left out",
    Level.UNSAFE: "not rewritten without --unsafe-fixes",
}


def print_diff(report: Report, console: Console, current: Path) -> None:
    """Print every change of ``report``, and the sites that stay, to ``console``."""
    page = Page(console)
    for section in sections(report, current):
        _header(page, section)
        if section.change is not None:
            FileDiff(page, section).print()
        _left(page, section)
        page.row()


def _header(page: Page, section: Section) -> None:
    created = section.change is not None and section.change.before is None
    page.rule((section.path, "path"), (" (new file)" if created else "", "added"))
    for rule in section.rules():
        counts = level_words(finding for finding in section.findings if finding.rule == rule)
        head = joined(["   ", (rule, "code.name"), "  "])
        page.hanging(head, counts or "changed with other files", "faint")


def _left(page: Page, section: Section) -> None:
    """List the sites that stay, those with the same reason together."""
    if section.source is None:
        return
    lines = SourceLines(section.source.text)
    groups: defaultdict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in section.left():
        groups[_kind(finding)].append(finding)
    if groups and section.change is not None:
        page.row()
    for (level, why, cure), group in groups.items():
        page.hanging(joined(["   ", (level, level), " "]), why, "faint")
        _places(page, group, lines)
        if cure:
            page.hanging(joined(["     ", ("what to do  ", "faint")]), cure)


def _kind(finding: Finding) -> tuple[str, str, str]:
    why = finding.reason or f"{finding.rule}, {_LEFT_WHY.get(finding.level, 'for you to decide')}"
    return finding.level.value, why, finding.cure


def _places(page: Page, findings: Sequence[Finding], lines: SourceLines) -> None:
    places = [lines.position(finding.place.span.start) for finding in findings]
    width = max(len(f"{line}:{column}") for line, column in places)
    for (line, column), finding in zip(places, findings, strict=True):
        page.hanging(
            joined(["     ", (f"{line}:{column}".ljust(width), "path"), "  "]), finding.message
        )
