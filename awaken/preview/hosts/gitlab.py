"""Code Quality of GitLab: a list of issues, a subset of the format of Code Climate.

GitLab shows the ``description`` alone, so it begins with the rule. It collapses issues of one
fingerprint, which therefore comes from the project and the identity of the site, and survives edits
around it. Paths are relative to the top of the repository. Source: GitLab's documentation, "Code
Quality report format".
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

from awaken.contract import Finding, Level
from awaken.engine.report import Diagnostic, Report, RootReport
from awaken.preview.counts import diagnostics
from awaken.preview.markdown.remaining import base_of, places_after, remaining
from awaken.preview.paths import relative
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert, visible

_SEVERITY = {
    Level.MANUAL: "minor",
    Level.UNSAFE: "minor",
    Level.SAFE: "info",
    Level.ADVICE: "info",
}
"""As in all forms (``remaining.SEVERITY``): what needs a decision is more than what does not."""
_TROUBLE = "major"


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    places = places_after(report, asked.command, base_of(report, asked))
    issues = [
        *(_issue(root, finding, places) for root, finding in remaining(report, asked.command)),
        *(_trouble(root, diagnostic, places, asked) for root, diagnostic in diagnostics(report)),
    ]
    yield inert(json.dumps(issues, ensure_ascii=True, indent=2)).encode() + b"\n"


def _issue(root: RootReport, finding: Finding, places: Places) -> dict[str, Any]:
    path, region = places.location_of(root, finding.place)
    where: dict[str, Any] = {"lines": {"begin": max(region.line, 1)}}
    if region.column:
        where = {
            "positions": {
                "begin": {"line": region.line, "column": region.column},
                "end": {"line": region.end_line, "column": region.end_column},
            }
        }
    cure = f" {finding.help}" if finding.help else ""
    return {
        "description": visible(f"{finding.rule}: {finding.message}.{cure}"),
        "check_name": visible(finding.reason or finding.rule),
        "fingerprint": _digest(places.path(root, ""), finding.site),
        "severity": _SEVERITY[finding.level],
        "location": {"path": visible(path), **where},
    }


def _trouble(
    root: RootReport | None, diagnostic: Diagnostic, places: Places, asked: Asked
) -> dict[str, Any]:
    start = asked.current if root is None else root.root
    path = relative(start, diagnostic.path, places.base)
    return {
        "description": visible(f"awaken: {diagnostic.message}"),
        "check_name": "awaken",
        "fingerprint": _digest(path, str(diagnostic.line), diagnostic.message),
        "severity": _TROUBLE,
        "location": {"path": visible(path), "lines": {"begin": max(diagnostic.line, 1)}},
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256(os.fsencode("\0".join(parts))).hexdigest()
