"""The functions that a change writes, and those of them that no test runs."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from awaken.contract import Finding
from awaken.engine.report import ChangeSummary, RootReport
from awaken.verifying.blame import ChangedLines, prefix_of
from awaken.verifying.suites import Line

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = ast.Module | ast.ClassDef | _Function
_Block = ast.stmt | ast.excepthandler | ast.match_case
_Part = tuple[str, str]
"""A file of the copy, and a function in it; no function for what is outside of all."""

_NAMED = 3
"""Functions that are named; beyond, their number."""


class NotExercised(Struct, frozen=True):
    """A change of which something is not run; ``root`` is its project.

    ``functions`` is the number of functions in which it writes a statement, and ``missed`` are
    those of them that no test runs. ``sites`` is the number of sites in them, ``findings`` are
    these; of a change of which no test runs anything, all are.
    """

    root: Path
    change: ChangeSummary
    functions: int
    missed: tuple[str, ...]
    sites: int
    findings: tuple[Finding, ...]

    @property
    def is_partly_run(self) -> bool:
        """Whether tests run some of its functions."""
        return len(self.missed) < self.functions

    def __str__(self) -> str:
        ran = self.functions - len(self.missed)
        more = len(self.missed) - _NAMED
        names = f"{', '.join(self.missed[:_NAMED])}{f' and {more} more' if more > 0 else ''}"
        return f"{ran:,} of {self.functions:,} changed functions ran, but not {names}"


class Functions:
    """The functions of a file: ``names`` has the innermost by line.

    ``statements`` are the lines that a test can reach: those at which a statement begins or goes
    on, as the plugin of pytest reports them.
    """

    def __init__(self, text: bytes) -> None:
        self.names: dict[int, str] = {}
        self.statements: set[int] = set()
        with suppress(SyntaxError, ValueError):
            self._read(ast.parse(text, ""), ())

    def _read(self, node: ast.AST, names: tuple[str, ...]) -> None:
        docstring = None
        if isinstance(node, _Documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]  # which does not run
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, _Block) or child is docstring:
                continue
            inner = names
            if isinstance(child, _Function | ast.ClassDef):
                inner = (*names, child.name)
            if isinstance(child, _Function):
                lines = range(_begin(child), (child.end_lineno or child.lineno) + 1)
                self.names |= dict.fromkeys(lines, ".".join(inner))
            self.statements.update(_own_lines(child))
            self._read(child, inner)


def _begin(node: _Block) -> int:
    decorators = node.decorator_list if isinstance(node, _Function) else ()
    return min([_line(node), *(each.lineno for each in decorators)])


def _line(node: _Block) -> int:
    return node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno


def _own_lines(node: _Block) -> range:
    """Return the lines of a statement but for those of the statements in it."""
    inner: list[_Block] = getattr(node, "body", None) or getattr(node, "cases", None) or []
    begin, end = _begin(node), getattr(node, "end_lineno", None) or 0
    return range(begin, max(begin + 1, _line(inner[0]) if inner else end + 1))


def not_exercised(
    root: RootReport, lines: ChangedLines, reached: Collection[Line]
) -> Iterator[NotExercised]:
    """Yield the changes of ``root`` of which ``reached``, the lines that ran, lack a function.

    A change outside of functions is run where one of its lines is.
    """
    prefix = prefix_of(root)
    after = {f"{prefix}{file.path}": Functions(file.after.text) for file in root.files}
    at = _FunctionsBefore(root)
    for change in root.changes:
        own = lines.lines_of(change.id)
        parts: defaultdict[_Part, set[Line]] = defaultdict(set)
        for path, line in sorted(own):
            if line in after[path].statements:
                parts[path, after[path].names.get(line, "")].add((path, line))
        functions = {part: some for part, some in parts.items() if part[1]}
        # A manifest has no statement: nothing says whether a test reads it.
        judged = functions or parts or {("", ""): own}
        missed = {part for part, some in judged.items() if some.isdisjoint(reached)}
        if not own or not missed:
            continue
        findings = [finding for finding in root.findings if finding.change == change.id]
        sites = len(change.sites)
        if len(missed) < len(judged):
            findings = [item for item in findings if (prefix + item.place.path, at(item)) in missed]
            sites = len(findings)
        names = tuple(f"{name} ({path})" for path, name in functions if (path, name) in missed)
        yield NotExercised(root.root, change, len(functions), names, sites, tuple(findings))


class _FunctionsBefore:
    """The functions that findings are in, by the text before the run."""

    def __init__(self, root: RootReport) -> None:
        self._texts = {file.path: file.before.text for file in root.files if file.before}
        self._known: dict[str, Functions] = {}

    def __call__(self, finding: Finding) -> str:
        path, span = finding.place.path, finding.place.span
        text = self._texts.get(path, b"")
        if path not in self._known:
            self._known[path] = Functions(text)
        return self._known[path].names.get(text.count(b"\n", 0, span.start) + 1, "")
