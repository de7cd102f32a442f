"""The findings of each file below its path, as people read them; nothing is folded.

::

    app/users.py:
      12:5   safe query-to-select write this query as select()
      120:16 manual query-to-select `thing` may be anything [query-to-select/unknown-entity]
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from awaken.contract import Finding
from awaken.engine.report import Report
from awaken.preview.counts import findings_with_roots
from awaken.preview.diffs.source_lines import Region
from awaken.preview.documents.concise import what
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import visible


def write(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the lines of the form."""
    return grouped_names(report, asked.current)


def grouped_names(report: Report, current: Path) -> Iterator[str]:
    """Yield per file its path, relative to ``current``, its findings, and an empty line."""
    places = Places(current)
    rows = (
        _row(places.location_of(root, finding.place), finding)
        for root, finding in findings_with_roots(report)
    )
    for path, group in groupby(rows, key=lambda row: row[0]):
        result = [row[1:] for row in group]
        width = max(len(where) for where, _ in result)
        yield visible(f"{path}:")
        for where, said in result:
            yield f"  {where:<{width}} {visible(said)}"
        yield ""


def _row(located: tuple[str, Region], finding: Finding) -> tuple[str, str, str]:
    path, region = located
    return path, f"{region.line}:{region.column}", what(finding)
