"""One line per finding: ``path:line:column: level rule message [reason]``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from awaken.contract import Finding, Level
from awaken.engine.report import Report, RootReport
from awaken.preview.counts import findings_with_roots
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import visible


def write(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the lines of the form."""
    return concise(report, asked.current)


def concise(report: Report, current: Path) -> Iterator[str]:
    """Yield one line per finding, paths relative to ``current``."""
    yield from _lines(findings_with_roots(report), current)


def concise_advice(report: Report, current: Path, rules: Collection[str]) -> Iterator[str]:
    """Yield one line for each advice of ``rules``."""
    of_rules = (pair for pair in findings_with_roots(report) if pair[1].rule in rules)
    yield from _lines((pair for pair in of_rules if pair[1].level is Level.ADVICE), current)


def _lines(found: Iterable[tuple[RootReport, Finding]], current: Path) -> Iterator[str]:
    places = Places(current)
    for root, finding in found:
        path, region = places.location_of(root, finding.place)
        where = f"{path}:{region.line}:{region.column}"
        yield visible(f"{where}: {what(finding)}")


def what(finding: Finding) -> str:
    """Return what ``finding`` says, without its place."""
    reason = f" [{finding.reason}]" if finding.reason else ""
    return f"{finding.level.value} {finding.rule} {finding.message}{reason}"
