"""The explanation of one place of a program: its sites and their fate, or why there is none."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from awaken.contract import Finding
from awaken.engine.answering import Reading
from awaken.engine.asking.staged_runs import StagedReport
from awaken.engine.edits.comparison import extent
from awaken.engine.explaining import no_site
from awaken.engine.explaining.explanation import (
    AskedPlace,
    Explanation,
    SiteTeller,
    findings_at,
    findings_of,
    line_span,
    nearest_lines,
    offset,
)
from awaken.engine.explaining.from_report import from_report
from awaken.engine.explaining.no_site import NoSite
from awaken.engine.machine.memory import with_room
from awaken.engine.report import Report
from awaken.engine.root_run import RootRun
from awaken.engine.run import StagedRun
from awaken.project.source.modules import Module

_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)


def not_python(asked: AskedPlace) -> Explanation:
    """Return the explanation of a place in a file that is no Python file."""
    return Explanation(asked=asked, whys=(no_site.not_python(asked.path),))


@with_room
def explain_place(run: RootRun, reading: Reading, asked: AskedPlace) -> Explanation:
    """Return the explanation of a place in the project of ``run``; nothing is written.

    Only the sites of the one file are looked for where the rules allow that. Raises UserError for a
    line or column that the file does not have.
    """
    root = run.found.root
    staged: dict[Path, StagedRun] = {}
    report = reading.for_file(asked.path).answer_report(staged.__setitem__)
    if asked.path not in staged[root.path].outcome.before:
        why = no_site.why_unread(report, asked.path)
        return Explanation(asked=asked, root=root.path, report=report, whys=(why,))
    staged_report = StagedReport(Report(roots=(report,), rules=run.settings.rules), staged)
    said = _Explainer(run, asked, staged_report, staged[root.path]).explain()
    told = None if said.sites else from_report(report, run.rules, asked)
    return said if told is None else told


class _Explainer:
    """Explains one place of one file that was read."""

    def __init__(
        self, run: RootRun, asked: AskedPlace, staged_report: StagedReport, staged: StagedRun
    ) -> None:
        self._run = run
        self._asked = asked
        self._source = staged.outcome.before[asked.path]
        self._report = staged_report.report.roots[0]
        self._teller = SiteTeller(
            self._report,
            run.rules,
            lambda change: staged_report.files_of(self._report.root, change),
        )
        self._project = staged.tools.project(staged.outcome.before, None)
        self._lines = self._source.line_spans()
        self._line = line_span(self._lines, asked)
        self._point = offset(self._source, self._line, asked)
        self._findings = findings_of(self._report, asked.path)

    def explain(self) -> Explanation:
        """Return all there is to say."""
        findings, note = findings_at(self._findings, self._asked, self._line, self._point)
        matched: Literal["span", "statement"] = "span" if findings else "statement"
        findings = findings or self._of_statement()
        return Explanation(
            asked=self._asked,
            root=self._report.root,
            source=self._source,
            sites=tuple(self._teller.site(finding, matched) for finding in findings),
            whys=() if findings else tuple(self._no_site().whys()),
            nearest=nearest_lines(self._findings, findings, self._lines, self._asked.line),
            report=self._report,
            note=note,
        )

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


def _lines_of(statement: ast.stmt) -> range:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return range(first, (statement.end_lineno or first) + 1)


def _directly_in(
    module: Module, statement: ast.stmt, line: int, findings: Sequence[Finding]
) -> list[Finding]:
    """Return which findings ``statement`` holds next to ``line``, with no block between the two."""
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

    def shares_lines(finding: Finding) -> bool:
        at = module.line_column(finding.place.span)[0]
        between = range(min(at, line), max(at, line) + 1)
        within = any(span.contains(finding.place.span) for span in spans)
        return not within and not any(first in between for first in first_lines)

    return [finding for finding in inside if shares_lines(finding)]
