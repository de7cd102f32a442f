"""The explanation of one place of a program: its sites and their fate, or why there is none."""

from __future__ import annotations

import ast
import os
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from awaken.contract import ChangeId, Finding, Outline, Reason, Span, UserError
from awaken.contract.nearest import did_you_mean
from awaken.engine.answering import run_root
from awaken.engine.asking.staged_runs import StagedReport
from awaken.engine.explaining import no_site
from awaken.engine.explaining.no_site import NoSite, Why
from awaken.engine.planning.engine_reasons import ENGINE_REASONS
from awaken.engine.report import ChangeSummary, FileChange, Report, RootReport, SuppressedSite
from awaken.engine.rewriting.comparison import extent
from awaken.engine.root_run import RootRun
from awaken.engine.run import StagedRun
from awaken.project.source.modules import Module
from awaken.workspace.sources import SourceFile

_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)


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

    ``status`` says what becomes of it: ``rewritten`` by this run, ``waiting`` for
    ``--unsafe-fixes``, ``left`` alone (manual, advice), or ``held``, and then ``suppressed`` says
    by what. ``matched`` is ``statement`` where the line is not the site's own but one of the
    statement that holds it. ``reason`` is what the rule, or the engine, documents for the finding's
    reason. ``files`` is what the ``change`` alone does, with what it ``requires``.
    ``outline`` says what the change comes to, or why there is none, where it is a large one.
    """

    finding: Finding
    status: Literal["rewritten", "waiting", "left", "held"]
    matched: Literal["span", "statement"] = "span"
    suppressed: SuppressedSite | None = None
    reason: Reason | None = None
    change: ChangeSummary | None = None
    requires: tuple[ChangeSummary, ...] = ()
    files: tuple[FileChange, ...] = ()
    outline: Outline | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """What there is to say of the place: its ``sites``, or ``whys`` if there is none.

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


def require_file(path: Path) -> None:
    """Raise UserError if ``path``, as the user wrote it, is no file."""
    if path.is_file():
        return
    if path.is_dir():
        raise UserError(f"{path} is a directory; name one of its files, as in {path / 'app.py'}:12")
    if os.path.lexists(path) and path.exists():
        raise UserError(f"{path} is not a regular file")
    try:
        beside = [one.name for one in path.parent.iterdir()]
    except OSError:
        beside = []
    raise UserError(f"there is no file {path}{did_you_mean(path.name, beside)}")


def not_python(asked: AskedPlace) -> Explanation:
    """Return the explanation of a place in a file that is no Python file."""
    return Explanation(asked=asked, whys=(no_site.not_python(asked.path),))


def explain_place(run: RootRun, asked: AskedPlace) -> Explanation:
    """Return the explanation of a place in the project of ``run``; nothing is written.

    The run is about the whole project, so that no change is refused for the paths selected; only
    the sites of the one file are looked for where the rules allow that. Raises UserError for a
    line or column that the file does not have.
    """
    root = run.found.root
    # Before the run, which knows nothing of files that discovery left out.
    excluded = no_site.why_excluded(run, asked.path)
    if excluded is not None:
        return Explanation(asked=asked, root=root.path, whys=(excluded,))
    staged: dict[Path, StagedRun] = {}
    whole = root if root.lone else structs.replace(root, selected=(".",))
    run = structs.replace(
        run,
        found=structs.replace(run.found, root=whole),
        sites_in=frozenset({asked.path}),
    )
    report = run_root(run, staged.__setitem__)
    if asked.path not in staged[root.path].outcome.before:
        why = no_site.unread(report, asked.path)
        return Explanation(asked=asked, root=root.path, report=report, whys=(why,))
    staged_report = StagedReport(Report(roots=(report,), rules=run.settings.rules), staged)
    return _Explainer(run, asked, staged_report, staged[root.path]).explain()


class _Explainer:
    """Explains one place of one file that was read."""

    def __init__(
        self,
        run: RootRun,
        asked: AskedPlace,
        staged_report: StagedReport,
        staged: StagedRun,
    ) -> None:
        self._run = run
        self._asked = asked
        self._source = staged.outcome.before[asked.path]
        self._staged_report = staged_report
        self._report = staged_report.report.roots[0]
        self._project = staged.tools.project(staged.outcome.before, None)
        self._lines = self._source.line_spans()
        self._line = _line_span(self._lines, asked)
        self._point = _offset(self._source, self._line, asked)
        suppressed = [one.finding for one in self._report.suppressed]
        self._findings = sorted(
            (f for f in (*self._report.findings, *suppressed) if f.place.path == asked.path),
            key=lambda finding: finding.place,
        )

    def explain(self) -> Explanation:
        """Return all there is to say."""
        found, note = self._own()
        matched: Literal["span", "statement"] = "span" if found else "statement"
        found = found or self._of_statement()
        lines = {self._line_of(finding) for finding in self._findings if finding not in found}
        before = [line for line in lines if line < self._asked.line]
        after = [line for line in lines if line >= self._asked.line]
        return Explanation(
            asked=self._asked,
            root=self._report.root,
            source=self._source,
            sites=tuple(self._site(finding, matched) for finding in found),
            whys=() if found else tuple(self._no_site().whys()),
            nearest=(*sorted(before)[-1:], *sorted(after)[:1]),
            report=self._report,
            note=note,
        )

    def _own(self) -> tuple[list[Finding], str]:
        """Return the sites that the line has a part of, or the one at the column."""
        here = [f for f in self._findings if no_site.covers(f.place.span, self._line)]
        if self._point is None or not here:
            return here, ""
        picked = [f for f in here if f.place.span.start <= self._point < f.place.span.end]
        if picked:
            # The shortest: a site may stand inside another one.
            return [min(picked, key=lambda f: f.place.span.end - f.place.span.start)], ""
        return here, f"column {self._asked.column} lies in no site; this is what the line holds"

    def _of_statement(self) -> list[Finding]:
        """Return the sites that the statement on this line holds on other lines.

        A comment (advice about one) belongs to no statement.
        """
        module = self._project.module(self._asked.path)
        if module is None:
            return []
        line = self._asked.line
        text = self._source.text
        code = [f for f in self._findings if not text.startswith(b"#", f.place.span.start)]
        return [
            finding
            for statement in module.walk()
            if isinstance(statement, ast.stmt) and line in _lines_of(statement)
            for finding in _directly_in(module, statement, line, code)
        ]

    def _line_of(self, finding: Finding) -> int:
        starts = [line.start for line in self._lines]
        return max(bisect_right(starts, finding.place.span.start), 1)

    def _no_site(self) -> NoSite:
        return NoSite(
            run=self._run,
            project=self._project,
            path=self._asked.path,
            number=self._asked.line,
            line=self._line,
            point=self._point,
            findings=tuple(self._findings),
        )

    def _site(self, finding: Finding, matched: Literal["span", "statement"]) -> Site:
        suppressed = next((one for one in self._report.suppressed if one.finding is finding), None)
        made = {change.id: change for change in self._report.changes}
        waiting = {change.id: change for change in self._report.pending}
        change = (made | waiting).get(finding.change) if finding.change else None
        status: Literal["rewritten", "waiting", "left", "held"] = "left"
        if suppressed is not None:
            status = "held"
        elif change is not None:
            status = "rewritten" if change.id in made else "waiting"
        return Site(
            finding=finding,
            status=status,
            matched=matched,
            suppressed=suppressed,
            reason=self._reason(finding),
            change=change,
            requires=() if change is None else self._required(change.id, made | waiting),
            outline=self._outline(finding),
            files=()
            if change is None
            else self._staged_report.files_of(self._report.root, change.id),
        )

    def _outline(self, finding: Finding) -> Outline | None:
        """Return what is said of the change of a site, or of what leaves it alone."""
        for one in self._report.outlines:
            if one.change is None and finding.change is None and finding.site in one.sites:
                return one
            if one.change is not None and one.change == finding.change:
                return one
        return None

    def _reason(self, finding: Finding) -> Reason | None:
        declared = {one.code: one for one in ENGINE_REASONS}
        for rule in self._run.rules:
            declared.update({one.of(rule.name): one for one in rule.reasons})
        return declared.get(finding.reason or "")

    def _required(
        self, change: ChangeId, known: dict[ChangeId, ChangeSummary]
    ) -> tuple[ChangeSummary, ...]:
        ids = self._staged_report.with_required(self._report.root, change)
        return tuple(known[one] for one in ids if one != change and one in known)


def _line_span(lines: Sequence[Span], asked: AskedPlace) -> Span:
    if asked.line > len(lines):
        has = "is empty" if not lines else f"ends with line {len(lines)}"
        raise UserError(f"{asked.given or asked.path} has no line {asked.line}: it {has}")
    return lines[asked.line - 1]


def _offset(source: SourceFile, line: Span, asked: AskedPlace) -> int | None:
    """Return the byte at the column that was asked for."""
    if asked.column is None:
        return None
    text, column = source.text[line.start : line.end].decode(), asked.column
    if column > len(text) + 1:
        where = f"{asked.given or asked.path}:{asked.line}"
        raise UserError(f"{where} has no column {column}: the line has {len(text)} characters")
    return line.start + len(text[: column - 1].encode())


def _lines_of(statement: ast.stmt) -> range:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(one.lineno for one in decorators)])
    return range(first, (statement.end_lineno or first) + 1)


def _directly_in(
    module: Module, statement: ast.stmt, line: int, findings: Sequence[Finding]
) -> list[Finding]:
    """Return which findings ``statement`` holds beside ``line``, with no block between the two."""
    around = extent(module, statement) or module.span(statement)
    inside = [finding for finding in findings if around.contains(finding.place.span)]
    if not inside:
        return []
    blocks = [
        node
        for node in module.walk(statement)
        if isinstance(node, _BLOCKS) and node is not statement
    ]
    first_lines = [module.line_column(module.span(node))[0] for node in blocks]
    spans = [module.span(node) for node in blocks]

    def together(finding: Finding) -> bool:
        at = module.line_column(finding.place.span)[0]
        between = range(min(at, line), max(at, line) + 1)
        within = any(span.contains(finding.place.span) for span in spans)
        return not within and not any(first in between for first in first_lines)

    return [finding for finding in inside if together(finding)]
