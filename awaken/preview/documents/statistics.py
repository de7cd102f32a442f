"""Counts instead of findings: what ``--statistics`` prints."""

from __future__ import annotations

from collections.abc import Iterator

from awaken.engine.report import Report
from awaken.preview.counts import count_reasons, count_rules, count_suppressed
from awaken.preview.streams.output import Asked


def write(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the lines of the form."""
    del asked
    return statistics(report)


def statistics(report: Report) -> Iterator[str]:
    """Yield the names of the columns, and one line per rule and level, then one per reason.

    Only a line of a reason has a fourth column. Suppressed sites come between them with the level
    ``held``.
    """
    yield "sites\trule\tlevel\treason"
    for counted in count_rules(report):
        for level in ("safe", "unsafe", "manual", "advice"):
            if number := getattr(counted, level):
                yield f"{number}\t{counted.rule}\t{level}"
    for rule, number in sorted(count_suppressed(report).items()):
        yield f"{number}\t{rule}\theld"
    for reason in count_reasons(report):
        yield f"{reason.sites}\t{reason.rule}\tmanual\t{reason.reason}"
