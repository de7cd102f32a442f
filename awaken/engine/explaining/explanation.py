"""The content of an explanation: the place, its sites and verdicts, or why it has none."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from awaken.contract import ChangeId, Finding, Outline, Reason, Span, UserError
from awaken.contract.nearest import did_you_mean
from awaken.engine.planning.engine_reasons import ENGINE_REASONS
from awaken.engine.report import ChangeSummary, FileChange, RootReport, SuppressedSite
from awaken.kit.rule import Rule
from awaken.workspace.sources import SourceFile


class Why(Struct, frozen=True, kw_only=True):
    """One reason why the place has no site; ``rule`` is empty where it holds for every rule."""

    code: str
    message: str
    rule: str = ""
    help: str = field(default="", name="cure")  # as JSON has it


class AskedPlace(Struct, frozen=True):
    """The place: a project-relative path, a line and perhaps a column, both counted from 1.

    Columns count characters. ``given`` is the path as the user wrote it.
    """

    path: str
    line: int
    column: int | None = None
    given: str = ""


class Site(Struct, frozen=True, kw_only=True):
    """One site at the place, and all there is to say of it.

    ``status`` is ``rewritten`` by this run, ``waiting`` for ``--unsafe-fixes``, ``left`` alone
    (manual, advice), or ``held``, and then ``suppressed`` says by what. ``matched`` is
    ``statement`` where the line is not the site's own but one of the statement that holds it, and
    ``change`` where the change of the site edits the line as well. ``reason`` is what the rule, or
    the engine, documents for the finding's reason. ``files`` are the edits of the ``change``, with
    those that it ``requires``; edits on the same lines may be among them. ``outline`` says what the
    change comes to, or why there is none, where it is a large one. ``pieces`` are texts that the
    change adds around the line, each with the reason.
    """

    finding: Finding
    status: Literal["rewritten", "waiting", "left", "held"]
    matched: Literal["span", "statement", "change"] = "span"
    suppressed: SuppressedSite | None = None
    reason: Reason | None = None
    change: ChangeSummary | None = None
    requires: tuple[ChangeSummary, ...] = ()
    files: tuple[FileChange, ...] = ()
    outline: Outline | None = None
    pieces: tuple[tuple[str, str], ...] = ()


class Explanation(Struct, frozen=True, kw_only=True):
    """The explanation of the place: its ``sites``, or ``whys`` if there is none.

    ``root`` is the project's directory, None where none is known; ``source`` is the file, None
    where it was not read. ``nearest`` are the lines of the sites before and after the place.
    ``report`` is the run that looked, None where none had to; ``note`` says what is odd.
    """

    asked: AskedPlace
    root: Path | None = None
    source: SourceFile | None = None
    sites: tuple[Site, ...] = ()
    whys: tuple[Why, ...] = ()
    nearest: tuple[int, ...] = ()
    report: RootReport | None = None
    note: str = ""


def line_span(lines: Sequence[Span], asked: AskedPlace) -> Span:
    """Return the span of the line; raises UserError if there is none."""
    if asked.line > len(lines):
        has = "is empty" if not lines else f"ends with line {len(lines)}"
        raise UserError(f"{asked.given or asked.path} has no line {asked.line}: it {has}")
    return lines[asked.line - 1]


def offset(source: SourceFile, line: Span, asked: AskedPlace) -> int | None:
    """Return the byte at the column that was asked for."""
    if asked.column is None:
        return None
    text, column = source.text[line.start : line.end].decode(), asked.column
    if column > len(text) + 1:
        where = f"{asked.given or asked.path}:{asked.line}"
        raise UserError(f"{where} has no column {column}: the line has {len(text)} characters")
    return line.start + len(text[: column - 1].encode())


def covers(span: Span, line: Span) -> bool:
    """Whether ``span`` takes any part of ``line``, which may be empty."""
    return span.start <= line.end and line.start < span.end


def findings_of(report: RootReport, path: str) -> list[Finding]:
    """Return all findings of a file in their order, those that nothing else shows among them."""
    suppressed = (site.finding for site in report.suppressed)
    every = (*report.findings, *suppressed, *report.explained_only)
    return sorted((f for f in every if f.place.path == path), key=lambda f: f.place)


def findings_at(
    findings: Sequence[Finding], asked: AskedPlace, line: Span, point: int | None
) -> tuple[list[Finding], str]:
    """Return the findings that the line has a part of, or the one at the column, and a note."""
    here = [item for item in findings if covers(item.place.span, line)]
    if point is None or not here:
        return here, ""
    picked = [item for item in here if item.place.span.start <= point < item.place.span.end]
    if picked:
        # The shortest: a site may be inside another one.
        return [min(picked, key=lambda item: item.place.span.end - item.place.span.start)], ""
    return here, f"column {asked.column} is not inside a site; these are the sites of the line"


def nearest_lines(
    findings: Sequence[Finding], here: Sequence[Finding], lines: Sequence[Span], line: int
) -> tuple[int, ...]:
    """Return the lines of the findings before and after a line, other than those ``here``."""
    starts = [span.start for span in lines]
    at = {bisect_right(starts, item.place.span.start) for item in findings if item not in here}
    before, after = [n for n in at if n < line], [n for n in at if n >= line]
    return (*sorted(before)[-1:], *sorted(after)[:1])


def require_file(path: Path) -> None:
    """Raise UserError if ``path``, as the user wrote it, is no file."""
    if path.is_file():
        return
    if path.is_dir():
        raise UserError(f"{path} is a directory; name one of its files, as in {path / 'app.py'}:12")
    if os.path.lexists(path) and path.exists():
        raise UserError(f"{path} is not a regular file")
    try:
        beside = [item.name for item in path.parent.iterdir()]
    except OSError:
        beside = []
    raise UserError(f"there is no file {path}{did_you_mean(path.name, beside)}")


class SiteTeller:
    """Tells of the sites of one report; ``files_of`` says what a change alone does."""

    def __init__(
        self,
        report: RootReport,
        rules: Sequence[Rule],
        files_of: Callable[[ChangeId], tuple[FileChange, ...]],
    ) -> None:
        self._report = report
        self._files_of = files_of
        self._made = {change.id: change for change in report.changes}
        self._known = self._made | {change.id: change for change in report.pending}
        self._reasons = {reason.code: reason for reason in ENGINE_REASONS}
        for rule in rules:
            self._reasons.update({reason.full_code(rule.name): reason for reason in rule.reasons})

    def site(
        self, finding: Finding, matched: Literal["span", "statement", "change"] = "span"
    ) -> Site:
        """Return the explanation of a site."""
        suppressed = next((one for one in self._report.suppressed if one.finding is finding), None)
        change = self._known.get(finding.change) if finding.change else None
        status: Literal["rewritten", "waiting", "left", "held"] = "left"
        if suppressed is not None:
            status = "held"
        elif change is not None:
            status = "rewritten" if change.id in self._made else "waiting"
        return Site(
            finding=finding,
            status=status,
            matched=matched,
            suppressed=suppressed,
            reason=self._reasons.get(finding.reason or ""),
            change=change,
            requires=() if change is None else self.required_changes(change.id),
            outline=self._outline(finding),
            files=() if change is None else self._files_of(change.id),
        )

    def required_changes(self, change: ChangeId) -> tuple[ChangeSummary, ...]:
        """Return the other changes without which this one is not made."""
        needed = [change]
        for item in needed:
            summary = self._known.get(item)
            needed += (
                [other for other in summary.requires if other not in needed] if summary else []
            )
        wanted = set(needed) - {change}
        return tuple(summary for entry, summary in self._known.items() if entry in wanted)

    def _outline(self, finding: Finding) -> Outline | None:
        """Return the outline of the change of a site, or of the reason to leave it alone."""
        for outline in self._report.outlines:
            if outline.change is None and finding.change is None and finding.site in outline.sites:
                return outline
            if outline.change is not None and outline.change == finding.change:
                return outline
        return None
