"""The report as one JSON document, for programs; its lines are also the form ``json-lines``.

::

    {"version": 1,                      grows only by new keys; a higher number breaks
     "awaken": "0.1.0",                 the version that wrote it
     "command": "check",                or "diff", or "apply": then changes and files are made
     "rules": ["query-to-select"],      those that ran, in order
     "roots": [{"path", "targets": [{"name", "specifier", "origin"}], "files_read", "seconds",
                "notes"}],
     "findings": [{"site", "rule", "level", "path", "line", "column", "end_line", "end_column",
                   "message", "reason", "cure", "scope", "chain", "change"}],
     "held": [{... as a finding, "held_by", "note", "held_at"}],
     "changes": [{"id", "rule", "title", "level", "sites", "requires", "files", "admitted"}],
     "files": [{"path", "created", "sites"}],
     "diagnostics": [{"path", "line", "message"}],
     "left_to_do": [{"path", "line", "add", "table", "why", "changes",
                     "command"}],
     "plans": [{"rule", "title", "change", "sites", "parts": [{"key", "heading", "total",
                "rows": [{"text", "count", "path", "line"}]}]}],
     "summary": {"sites", "safe", "unsafe", "manual", "advice", "files", "files_changed", "held",
                 "rules": [...], "reasons": [{"rule", "reason", "sites"}]}}

Lines and columns are 1-based; columns count characters and the end column is exclusive. Paths are
relative to the current directory, with ``/``; characters of a name that are not UTF-8 are escaped.
A place in ``chain`` is ``{"path", "line", "column", "end_line", "end_column", "note"}``; its lines
are 0 where the file's text is not in the report. A change with ``admitted`` false needs
``--unsafe-fixes``. ``reason`` and ``change`` are null where the level has none; the line of a
diagnostic is 0 where it is unknown. ``left_to_do`` are lines of settings files that the changes
need and that awaken could not write; ``add`` is the line, or ``command`` makes it. ``plans`` say
what changes of a whole program come to, in words; the ``change`` of one is null where it says why
there is none. A row without a ``text`` is about its file, and its ``path`` is null where it has no
place. ``held_by`` is ``comment``, ``settings``, ``baseline`` or ``since``; ``held_at`` is a place
where a comment says so, else null. Nothing else counts what is held. With ``--recipe`` roots,
findings, changes and files say which ``step`` they are of; their lines are those that the step
before left. ``answers`` of a finding are settings that would take it back. The schema is
``docs/schemas/report-1.schema.json``.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from awaken.contract import Finding, OutlinePart, Place
from awaken.engine.report import (
    ChangeSummary,
    Diagnostic,
    FileChange,
    Report,
    RootReport,
    SuppressedSite,
)
from awaken.preview.counts import changed_files, count, count_reasons, count_rules, diagnostics
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import escaped_text, inert

VERSION = 1

Table = dict[str, Any]


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form."""
    yield document(report, asked.current, asked.command)


def document(report: Report, current: Path, command: str = "check") -> bytes:
    """Return the document for ``report``, paths relative to ``current``, as indented UTF-8."""
    tables = Tables(report, current)
    whole = {
        **header(command),
        "rules": report.rules,
        "roots": list(tables.roots()),
        **{name: list(part()) for name, (_, part) in tables.parts().items()},
        "summary": tables.summary(),
    }
    return encoded_table(whole, indent=2)


def header(command: str) -> Table:
    """Return what says how to read the rest."""
    return {
        "version": VERSION,
        "awaken": importlib.metadata.version("awaken"),
        "command": command,
    }


def encoded_table(table: Table, indent: int | None = None) -> bytes:
    """Return ``table`` as JSON in UTF-8 with a newline after it."""
    # Not by msgspec: it refuses lone surrogates, which names of files may hold.
    text = json.dumps(msgspec.to_builtins(table), ensure_ascii=False, indent=indent)
    return inert(escaped_text(text, _json_escape, kept="\n")).encode() + b"\n"


def _json_escape(char: str) -> str:
    if "\ud800" <= char <= "\udfff":  # a byte of a file name: by itself it is no JSON escape
        return f"\\\\u{ord(char):x}"
    # JSON writes what lies beyond 16 bits as two surrogates.
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


TableSource = Callable[[], Iterator[Table]]


class Tables:
    """The parts of a report as tables of plain values, paths relative to ``current``."""

    def __init__(self, report: Report, current: Path) -> None:
        self._report = report
        self._places = Places(current)

    def parts(self) -> Mapping[str, tuple[str, TableSource]]:
        """Return the lists of the document by their names: the name of an item, and the items."""
        return {
            "findings": ("finding", self.findings),
            "held": ("held", self.suppressed_sites),
            "changes": ("change", self.changes),
            "files": ("file", self.files),
            "diagnostics": ("diagnostic", self.diagnostics),
            "left_to_do": ("left-to-do", self.left_to_do),
            "plans": ("plan", self.plans),
        }

    def roots(self) -> Iterator[Table]:
        """Yield the facts of each project root."""
        for root in self._report.roots:
            yield {
                "path": self._places.path(root, ""),
                "targets": root.targets,
                "files_read": root.files_read,
                "seconds": round(root.seconds, 3),
                "notes": root.notes,
                **_step(root),
            }

    def findings(self) -> Iterator[Table]:
        """Yield the findings in the order in which all forms show them."""
        for root in self._report.roots:
            for finding in root.findings:
                yield self._finding(root, finding)

    def suppressed_sites(self) -> Iterator[Table]:
        """Yield the sites that are left alone."""
        for root in self._report.roots:
            for suppressed in root.suppressed:
                yield self._suppressed_table(root, suppressed)

    def changes(self) -> Iterator[Table]:
        """Yield per root the changes that are in its files, then those that wait."""
        for root in self._report.roots:
            for change in root.changes:
                yield self._change(root, change, admitted=True)
            for change in root.pending:
                yield self._change(root, change, admitted=False)

    def files(self) -> Iterator[Table]:
        """Yield the files that differ after the run."""
        for root in self._report.roots:
            for file in root.files:
                yield self._file(root, file)

    def diagnostics(self) -> Iterator[Table]:
        """Yield what could not be done."""
        for root, diagnostic in diagnostics(self._report):
            yield self._diagnostic(root, diagnostic)

    def left_to_do(self) -> Iterator[Table]:
        """Yield the lines of settings files that are left to be written by hand."""
        for root in self._report.roots:
            for left in root.left_to_do:
                table: Table = msgspec.to_builtins(left)
                yield {**table, "path": self._places.path(root, left.path)}

    def plans(self) -> Iterator[Table]:
        """Yield what changes of whole programs come to, and what stops others."""
        for root in self._report.roots:
            for outline in root.outlines:
                yield {
                    "rule": outline.rule,
                    "title": outline.title,
                    "change": outline.change,
                    "sites": outline.sites,
                    "parts": [self._part(root, part) for part in outline.parts],
                }

    def _part(self, root: RootReport, part: OutlinePart) -> Table:
        rows = []
        for row in part.rows:
            place = None if row.place is None else self._place(root, row.place)
            where = {"path": None, "line": 0} if place is None else place
            rows.append(
                {"text": row.text, "count": row.count, "path": where["path"], "line": where["line"]}
            )
        return {"key": part.key, "heading": part.heading, "total": part.total, "rows": rows}

    def summary(self) -> Table:
        """Return the counts."""
        whole: Table = msgspec.to_builtins(count(self._report))
        # The count is of all rules, so the name is empty.
        del whole["rule"]
        return {
            **whole,
            "files_changed": changed_files(self._report),
            "held": sum(len(root.suppressed) for root in self._report.roots),
            "rules": count_rules(self._report),
            "reasons": count_reasons(self._report),
        }

    def _finding(self, root: RootReport, finding: Finding) -> Table:
        return {
            "site": finding.site,
            "rule": finding.rule,
            "level": finding.level,
            **self._place(root, finding.place),
            "message": finding.message,
            "reason": finding.reason,
            # The keys of version 1 keep their old names, whatever the fields are called.
            "cure": finding.help,
            "scope": finding.scope,
            "chain": [
                {**self._place(root, place), "note": place.note} for place in finding.related
            ],
            "change": finding.change,
            **({"answers": finding.answers} if finding.answers else {}),
            **_step(root),
        }

    def _suppressed_table(self, root: RootReport, suppressed: SuppressedSite) -> Table:
        return {
            **self._finding(root, suppressed.finding),
            "held_by": suppressed.by,
            "note": suppressed.note,
            "held_at": None if suppressed.place is None else self._place(root, suppressed.place),
        }

    def _place(self, root: RootReport, place: Place) -> Table:
        path, region = self._places.location_of(root, place)
        located: Table = msgspec.to_builtins(region)
        return {"path": path, **located}

    def _change(self, root: RootReport, change: ChangeSummary, *, admitted: bool) -> Table:
        return {
            "id": change.id,
            "rule": change.rule,
            "title": change.title,
            "level": change.level,
            "sites": change.sites,
            "requires": change.requires,
            "files": sorted(self._places.path(root, path) for path in change.paths),
            "admitted": admitted,
            **_step(root),
        }

    def _file(self, root: RootReport, file: FileChange) -> Table:
        return {
            "path": self._places.path(root, file.path),
            "created": file.before is None,
            "sites": [finding.site for finding in file.findings],
            **_step(root),
        }

    def _diagnostic(self, root: RootReport | None, diagnostic: Diagnostic) -> Table:
        path = diagnostic.path
        return {
            "path": self._places.path(root, path) if root is not None and path else path,
            "line": diagnostic.line,
            "message": diagnostic.message,
        }


def _step(root: RootReport) -> Table:
    """Return the step of a recipe; nothing for a run of rules."""
    return {"step": root.step} if root.step else {}
