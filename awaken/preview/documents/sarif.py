"""The report as SARIF 2.1.0, for code scanning, editors and other tools.

Level manual and unsafe are warnings, safe and advice are notes (see ``remaining.SEVERITY``). Paths
are relative to the top of the repository (``%SRCROOT%``). A suppressed site is a suppressed result,
``inSource`` if a comment suppresses it. Sites that ``--since`` excludes are no results: nobody
decided about them. ``partialFingerprints`` come from the identity of the site, which survives edits
around it.

Columns count characters and lines also end at a lone carriage return, both as Python sees them.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from awaken.contract import ChangeId, Finding, Place
from awaken.engine.report import (
    Diagnostic,
    FileChange,
    Report,
    RootReport,
    SuppressedBy,
    SuppressedSite,
)
from awaken.kit.rule import Rule
from awaken.preview.counts import diagnostics
from awaken.preview.diffs.hunks import hunks
from awaken.preview.diffs.source_lines import Region, SourceLines
from awaken.preview.documents.document import encoded_table
from awaken.preview.documents.homepage import homepage
from awaken.preview.markdown.remaining import SEVERITY, base_of, places_after, remaining
from awaken.preview.paths import relative
from awaken.preview.streams.output import Asked

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LINK = re.compile(r"\[([^\[\]]*)\](?=\()")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")
_Table = dict[str, Any]


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form."""
    from awaken.api import rules  # noqa: PLC0415  a caller may have rules of its own

    yield sarif(report, asked, (*rules(), *report.passes))


def sarif(report: Report, asked: Asked, rules: Iterable[Rule]) -> bytes:
    """Return the log for ``report`` as indented UTF-8; ``rules`` are those that have a page.

    A change that ``asked.staged`` can show alone becomes the fix of the first of its sites.
    """
    run = _Run(report, asked, rules)
    return encoded_table({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run.table()]}, indent=2)


class _Run:
    """One run of the log; keeps the rules' places in it."""

    def __init__(self, report: Report, asked: Asked, rules: Iterable[Rule]) -> None:
        self._report = report
        self._asked = asked
        self._places = places_after(report, asked.command, base_of(report, asked))
        self._found = list(remaining(report, asked.command))
        self._suppressed = [
            (root, suppressed)
            for root in report.roots
            for suppressed in root.suppressed
            if suppressed.by is not SuppressedBy.SINCE
        ]
        self._fixed: set[tuple[Path, ChangeId]] = set()
        known = {rule.name: rule for rule in rules}
        names = [
            # Rules without a finding are listed too, so that a reader sees what was looked for.
            *report.rules,
            *(finding.rule for _, finding in self._found),
            *(suppressed.finding.rule for _, suppressed in self._suppressed),
        ]
        self._rules = {name: known.get(name) for name in names}
        self._index = {name: index for index, name in enumerate(self._rules)}

    def table(self) -> _Table:
        """Return the whole run."""
        version = importlib.metadata.version("awaken")
        driver = {
            "name": "awaken",
            "version": version,
            "semanticVersion": version,
            **({"informationUri": homepage()} if homepage() else {}),
            "rules": [_descriptor(name, rule) for name, rule in self._rules.items()],
        }
        return {
            "tool": {"driver": driver},
            "automationDetails": {"id": "awaken/"},
            "columnKind": "unicodeCodePoints",
            "newlineSequences": ["\r\n", "\n", "\r"],
            "originalUriBaseIds": {_ROOT: {"uri": self._places.base.as_uri().rstrip("/") + "/"}},
            "invocations": [self._invocation()],
            "results": list(self._results()),
        }

    def _results(self) -> Iterator[_Table]:
        # The standard asks for suppressions in all results or in none.
        plain: _Table = {"suppressions": []} if self._suppressed else {}
        for root, finding in self._found:
            yield {**self._result(root, finding), **self._fixes(root, finding), **plain}
        for root, suppressed in self._suppressed:
            suppression = self._suppression(root, suppressed)
            yield {**self._result(root, suppressed.finding), "suppressions": [suppression]}

    def _result(self, root: RootReport, finding: Finding) -> _Table:
        result: _Table = {
            "ruleId": finding.rule,
            "ruleIndex": self._index[finding.rule],
            "level": SEVERITY[finding.level],
            "message": _message(finding.message, finding.help),
            "locations": [self._location(root, finding.place)],
            "partialFingerprints": {"awaken/v1": self._fingerprint(root, finding)},
            "properties": {
                "applicability": finding.level,
                "site": finding.site,
                "scope": finding.scope,
                **({"reason": finding.reason} if finding.reason else {}),
            },
        }
        if finding.related:
            result["relatedLocations"] = [
                {"id": number, **self._location(root, place), "message": _message(place.note)}
                for number, place in enumerate(finding.related, 1)
            ]
        return result

    def _fingerprint(self, root: RootReport, finding: Finding) -> str:
        # A site's identity holds within its project only.
        whole = f"{self._places.path(root, '')}\0{finding.site}"
        return hashlib.sha256(os.fsencode(whole)).hexdigest()[:32]

    def _suppression(self, root: RootReport, suppressed: SuppressedSite) -> _Table:
        return {
            "kind": "inSource" if suppressed.by is SuppressedBy.COMMENT else "external",
            "status": "accepted",
            **({"justification": suppressed.note} if suppressed.note else {}),
            **({"location": self._location(root, suppressed.place)} if suppressed.place else {}),
        }

    def _location(self, root: RootReport, place: Place) -> _Table:
        path, region = self._places.location_of(root, place)
        return {"physicalLocation": self._physical(path, _region(region))}

    def _physical(self, path: str, region: _Table | None) -> _Table:
        where = {"artifactLocation": self._artifact(path)}
        return {**where, "region": region} if region else where

    def _artifact(self, path: str) -> _Table:
        # A path outside the repository cannot be relative to its top.
        if path.startswith("../") or Path(path).is_absolute():
            return {"uri": Path(os.path.normpath(self._places.base / path)).as_uri()}
        return {"uri": quote(os.fsencode(path)), "uriBaseId": _ROOT}

    def _invocation(self) -> _Table:
        errors = [self._error(root, diagnostic) for root, diagnostic in diagnostics(self._report)]
        notes = [
            {"level": "note", "message": _message(note)}
            for root in self._report.roots
            for note in root.notes
        ]
        return {"executionSuccessful": not errors, "toolExecutionNotifications": [*errors, *notes]}

    def _error(self, root: RootReport | None, diagnostic: Diagnostic) -> _Table:
        notification: _Table = {"level": "error", "message": _message(diagnostic.message)}
        if diagnostic.path:
            start = self._asked.current if root is None else root.root
            path = relative(start, diagnostic.path, self._places.base)
            region = {"startLine": diagnostic.line} if diagnostic.line else None
            notification["locations"] = [{"physicalLocation": self._physical(path, region)}]
        return notification

    def _fixes(self, root: RootReport, finding: Finding) -> _Table:
        staged = self._asked.staged
        # Every site of a large change with all of its files would make the log explode.
        if staged is None or finding.change is None or (root.root, finding.change) in self._fixed:
            return {}
        self._fixed.add((root.root, finding.change))
        files = list(staged.files_of(root.root, finding.change))
        if not files or not all(_can_be_edited(root, file) for file in files):
            return {}
        changes = [
            {
                "artifactLocation": self._artifact(self._places.path(root, file.path)),
                "replacements": list(_replacements(file)),
            }
            for file in files
        ]
        return {"fixes": [{"description": _message(finding.message), "artifactChanges": changes}]}


def _can_be_edited(root: RootReport, file: FileChange) -> bool:
    """Whether a fix can describe ``file``: it exists, and with the text the change starts from.

    A later phase starts from what the earlier ones made of a file.
    """
    # A reader of the log applies fixes to the file on disk.
    shown = root.sources.get(file.path)
    return file.before is not None and shown is not None and shown.text == file.before.text


def _replacements(file: FileChange) -> Iterator[_Table]:
    assert file.before is not None  # noqa: S101  _can_be_edited
    lines = SourceLines(file.before.text)
    old, new = lines.whole, SourceLines(file.after.text).whole
    for hunk in hunks(old, new):
        for block in hunk:
            if not block.equal:
                text = "".join(new[block.new_start : block.new_stop])
                yield {
                    "deletedRegion": _lines_region(old, block.start, block.stop),
                    **({"insertedContent": {"text": text}} if text else {}),
                }


def _lines_region(lines: Sequence[str], start: int, stop: int) -> _Table:
    first, last = _line_start(lines, start), _line_start(lines, stop)
    return {
        "startLine": first[0],
        "startColumn": first[1],
        "endLine": last[0],
        "endColumn": last[1],
    }


def _line_start(lines: Sequence[str], index: int) -> tuple[int, int]:
    """Return where line ``index`` (0-based) starts; a file may end without a line end."""
    if index == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return index, len(lines[-1]) + 1
    return index + 1, 1


def _region(region: Region) -> _Table | None:
    if not region.line:
        return None
    # A region of SARIF may name a line alone.
    if not region.column:
        return {"startLine": region.line}
    return {
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }


def _message(*sentences: str) -> _Table:
    text = " ".join(_ended_text(sentence) for sentence in sentences if sentence)
    # "[text](target)" would be a link, "{0}" an argument.
    text = _LINK.sub(r"\\[\1\\]", text)
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", text)}


def _ended_text(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", ":")) else f"{sentence}."


def _descriptor(name: str, rule: Rule | None) -> _Table:
    """Return the description of a rule; ``rule`` is None where no page describes it."""
    descriptor: _Table = {"id": name, "name": name.title().replace("-", "")}
    if rule is None:
        return descriptor
    from awaken.preview.markdown.rule_markdown import markdown  # noqa: PLC0415  pages are read on demand
    from awaken.preview.markdown.rule_page import summary  # noqa: PLC0415

    page = markdown(rule)
    described: Mapping[str, Any] = {
        "shortDescription": {"text": summary(rule)},
        "fullDescription": {"text": summary(rule)},
        # SARIF asks for the plain text wherever there is Markdown.
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": "note" if rule.kind == "advice" else "warning"},
        "properties": {"tags": [rule.family, rule.kind]},
    }
    return {**descriptor, **described}
