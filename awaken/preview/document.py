"""The report as one JSON document, for programs.

::

    {"version": 1,                      grows only by new keys; a higher number breaks
     "awaken": "0.1.0",                 the version that wrote it
     "rules": ["query-to-select"],      those that ran, in order
     "roots": [{"path", "targets": [{"name", "specifier", "origin"}], "files_read", "seconds",
                "notes"}],
     "findings": [{"site", "rule", "level", "path", "line", "column", "end_line", "end_column",
                   "message", "reason", "cure", "scope", "chain", "change"}],
     "changes": [{"id", "rule", "title", "level", "sites", "requires", "files", "admitted"}],
     "files": [{"path", "created", "sites"}],
     "diagnostics": [{"path", "line", "message"}],
     "summary": {"sites", "safe", "unsafe", "manual", "advice", "files", "files_changed",
                 "rules": [...], "reasons": [{"rule", "reason", "sites"}]}}

Lines and columns are 1-based; columns count characters and the end column is exclusive. Paths are
relative to the current directory, with ``/``; what cannot be UTF-8 in a name is escaped. A place
in ``chain`` is ``{"path", "line", "column", "end_line", "end_column", "note"}``; its lines are 0
where the file's text is not in the report. A change with ``admitted`` false needs
``--unsafe-fixes``. ``reason`` and ``change`` are null where the level has none; the line of a
diagnostic is 0 where it is unknown.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import msgspec

from awaken.contract import Finding, Place
from awaken.engine.report import ChangeSummary, Diagnostic, FileChange, Report, RootReport
from awaken.preview.counts import (
    changed_files,
    count,
    count_reasons,
    count_rules,
    diagnostics,
)
from awaken.preview.paths import relative
from awaken.preview.source_lines import Region, SourceLines

VERSION = 1
_LONE = re.compile("[\ud800-\udfff]")

_Table = dict[str, Any]


def document(report: Report, current: Path) -> bytes:
    """Return the document for ``report``, paths relative to ``current``, as indented UTF-8."""
    roots = [_Root(root, current) for root in report.roots]
    by_root = {root.report.root: root for root in roots}
    whole: _Table = {
        "version": VERSION,
        "awaken": importlib.metadata.version("awaken"),
        "rules": report.rules,
        "roots": [root.header() for root in roots],
        "findings": [entry for root in roots for entry in root.findings()],
        "changes": [entry for root in roots for entry in root.changes()],
        "files": [root.file(file) for root in roots for file in root.report.files],
        "diagnostics": [
            _diagnostic(diagnostic, by_root[root.root] if root else None)
            for root, diagnostic in diagnostics(report)
        ],
        "summary": _summary(report),
    }
    text = json.dumps(msgspec.to_builtins(whole), ensure_ascii=False, indent=2)
    # What is left cannot be UTF-8: bytes of a file name. As a JSON escape it would be invalid.
    return _LONE.sub(lambda match: f"\\\\u{ord(match[0]):x}", text).encode() + b"\n"


def _diagnostic(diagnostic: Diagnostic, root: _Root | None) -> _Table:
    path = root.path(diagnostic.path) if root else diagnostic.path
    return {
        "path": path,
        "line": diagnostic.line,
        "message": diagnostic.message,
    }


def _summary(report: Report) -> _Table:
    whole: _Table = msgspec.to_builtins(count(report))
    del whole["rule"]
    return {
        **whole,
        "files_changed": changed_files(report),
        "rules": count_rules(report),
        "reasons": count_reasons(report),
    }


class _Root:
    """One root's part of the document; keeps the lines of each file that it locates in."""

    def __init__(self, report: RootReport, current: Path) -> None:
        self.report = report
        self._current = current
        self._lines: dict[str, SourceLines] = {}

    def path(self, path: str) -> str:
        return relative(self.report.root, path, self._current)

    def header(self) -> _Table:
        return {
            "path": self.path(""),
            "targets": self.report.targets,
            "files_read": self.report.files_read,
            "seconds": round(self.report.seconds, 3),
            "notes": self.report.notes,
        }

    def findings(self) -> list[_Table]:
        return [self._finding(finding) for finding in self.report.findings]

    def _finding(self, finding: Finding) -> _Table:
        return {
            "site": finding.site,
            "rule": finding.rule,
            "level": finding.level,
            **self._place(finding.place),
            "message": finding.message,
            "reason": finding.reason,
            "cure": finding.cure,
            "scope": finding.scope,
            "chain": [{**self._place(place), "note": place.note} for place in finding.chain],
            "change": finding.change,
        }

    def _place(self, place: Place) -> _Table:
        region = Region(0, 0, 0, 0)
        if place.path in self.report.sources:
            if place.path not in self._lines:
                self._lines[place.path] = SourceLines(self.report.sources[place.path].text)
            region = self._lines[place.path].region(place.span)
        located: _Table = msgspec.to_builtins(region)
        return {"path": self.path(place.path), **located}

    def changes(self) -> list[_Table]:
        done = [self._change(change, admitted=True) for change in self.report.changes]
        return done + [self._change(change, admitted=False) for change in self.report.pending]

    def _change(self, change: ChangeSummary, *, admitted: bool) -> _Table:
        return {
            "id": change.id,
            "rule": change.rule,
            "title": change.title,
            "level": change.level,
            "sites": change.sites,
            "requires": change.requires,
            "files": sorted(map(self.path, change.paths)),
            "admitted": admitted,
        }

    def file(self, file: FileChange) -> _Table:
        return {
            "path": self.path(file.path),
            "created": file.before is None,
            "sites": [finding.site for finding in file.findings],
        }
