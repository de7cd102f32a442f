"""The form of reviewdog, ``rdjson``: one document with a diagnostic for each finding.

Columns count bytes of UTF-8 from 1, and the end is exclusive. A change that is one stretch of lines
comes as a suggestion over whole lines, without columns: then its end line is included. Reviewdog
makes a comment with a button of it. Source: reviewdog, ``proto/rdf/reviewdog.proto``.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator
from typing import Any

from awaken.contract import Finding, Place
from awaken.engine.report import Diagnostic, Report, RootReport
from awaken.preview.counts import diagnostics
from awaken.preview.documents.homepage import homepage
from awaken.preview.hosts.suggestions import AloneChanges
from awaken.preview.markdown.remaining import SEVERITY, base_of, places_after, remaining
from awaken.preview.paths import relative
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert, visible

_SEVERITY = {"warning": "WARNING", "note": "INFO"}
_Table = dict[str, Any]


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    places = places_after(report, asked.command, base_of(report, asked))
    alone = AloneChanges(asked.staged)
    source = {"name": f"awaken {importlib.metadata.version('awaken')}"}
    if homepage():
        source["url"] = homepage()
    document = {
        "source": source,
        "severity": "WARNING",
        "diagnostics": [
            *(
                _diagnostic(root, finding, places, alone)
                for root, finding in remaining(report, asked.command)
            ),
            *(_trouble(root, item, places, asked) for root, item in diagnostics(report)),
        ],
    }
    yield inert(json.dumps(document, ensure_ascii=True, indent=2)).encode() + b"\n"


def _diagnostic(root: RootReport, finding: Finding, places: Places, alone: AloneChanges) -> _Table:
    said = " ".join(filter(None, (f"{finding.message}.", finding.help)))
    table: _Table = {
        "message": visible(said),
        "location": _location(root, finding.place, places),
        "severity": _SEVERITY[SEVERITY[finding.level]],
        "code": {"value": visible(finding.reason or finding.rule)},
    }
    if finding.related:
        table["related_locations"] = [
            {"message": visible(place.note), "location": _location(root, place, places)}
            for place in finding.related
        ]
    suggestion = None
    if finding.change in root.change_ids and finding.change is not None:
        suggestion = alone.effect_of(root, finding.change).suggestion
    # A change of several sites is shown at the first one in its lines, and nowhere else.
    if suggestion is not None and suggestion.path == finding.place.path:
        lines = {"start": {"line": suggestion.first}, "end": {"line": suggestion.last}}
        table["suggestions"] = [{"range": lines, "text": suggestion.text}]
    return table


def _location(root: RootReport, place: Place, places: Places) -> _Table:
    path, region = places.location_of(root, place)
    location: _Table = {"path": visible(path)}
    if region.line and not region.column:
        location["range"] = {"start": {"line": region.line}}
    elif region.line:
        text = root.sources[place.path].text
        location["range"] = {
            "start": {"line": region.line, "column": _byte_column(text, place.span.start)},
            "end": {"line": region.end_line, "column": _byte_column(text, place.span.end)},
        }
    return location


def _byte_column(text: bytes, offset: int) -> int:
    return offset - max(text.rfind(b"\n", 0, offset), text.rfind(b"\r", 0, offset))


def _trouble(
    root: RootReport | None, diagnostic: Diagnostic, places: Places, asked: Asked
) -> _Table:
    location: _Table = {}
    if diagnostic.path:
        start = asked.current if root is None else root.root
        location["path"] = visible(relative(start, diagnostic.path, places.base))
    if diagnostic.line:
        location["range"] = {"start": {"line": diagnostic.line}}
    return {"message": visible(diagnostic.message), "location": location, "severity": "ERROR"}
