"""One line per finding: ``path:line:column: level rule message [reason]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from awaken.contract import Finding
from awaken.engine.report import Report, RootReport
from awaken.preview.counts import count_reasons, count_rules, located
from awaken.preview.paths import relative
from awaken.preview.source_lines import SourceLines
from awaken.preview.visible import visible


def concise(report: Report, current: Path) -> Iterator[str]:
    """Yield one line per finding, paths relative to ``current``."""
    lines: dict[tuple[Path, str], SourceLines] = {}
    for root, finding in located(report):
        key = root.root, finding.place.path
        if key not in lines:
            lines = {key: SourceLines(root.sources[finding.place.path].text)}
        yield _line(root, finding, lines[key], current)


def _line(root: RootReport, finding: Finding, lines: SourceLines, current: Path) -> str:
    line, column = lines.position(finding.place.span.start)
    path = relative(root.root, finding.place.path, current)
    reason = f" [{finding.reason}]" if finding.reason else ""
    what = f"{finding.level.value} {finding.rule} {finding.message}{reason}"
    return visible(f"{path}:{line}:{column}: {what}")


def statistics(report: Report) -> Iterator[str]:
    """Yield one line per rule and level, then one per reason: a count, a tab, what is counted."""
    for counted in count_rules(report):
        for level in ("safe", "unsafe", "manual", "advice"):
            if number := getattr(counted, level):
                yield f"{number}\t{counted.rule}\t{level}"
    for reason in count_reasons(report):
        yield f"{reason.sites}\t{reason.rule}\t{reason.reason}"
