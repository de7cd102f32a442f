"""One line per finding: ``path:line:column: level rule message [reason]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from awaken.contract import Finding
from awaken.engine.report import Report
from awaken.preview.counts import located
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import visible


def write(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the lines of the form."""
    return concise(report, asked.current)


def concise(report: Report, current: Path) -> Iterator[str]:
    """Yield one line per finding, paths relative to ``current``."""
    places = Places(current)
    for root, finding in located(report):
        path, region = places.of(root, finding.place)
        where = f"{path}:{region.line}:{region.column}"
        yield visible(f"{where}: {what(finding)}")


def what(finding: Finding) -> str:
    """Return what ``finding`` says, without its place."""
    reason = f" [{finding.reason}]" if finding.reason else ""
    return f"{finding.level.value} {finding.rule} {finding.message}{reason}"
