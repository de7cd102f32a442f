"""Pairs the statements of a file before and after awaken, independently of awaken.

The rule rewrites expressions inside statements and adds imports; so without the imports both
files have the same statements in the same order, and a site's new text is the statement that
stands where its own stood.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from awaken_runs import Finding

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Source(NamedTuple):
    """One file in UTF-8: its bytes, its tree, and the byte at which each line starts."""

    data: bytes
    tree: ast.Module
    starts: list[int]

    def offset(self, line: int, column: int) -> int:
        """Return the byte of a 1-based line and a column as `ast` counts them."""
        return self.starts[line - 1] + column

    def span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Return the first byte of a node and the one behind it."""
        end = self.offset(node.end_lineno or 0, node.end_col_offset or 0)
        return self.offset(node.lineno, node.col_offset), end

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of a byte, both from 1, the column in characters."""
        line = bisect_right(self.starts, offset)
        return line, len(self.data[self.starts[line - 1] : offset].decode()) + 1

    def start_of(self, finding: Finding) -> int:
        """Return the byte at which a finding starts; its columns count characters."""
        line = self.data[self.starts[finding.line - 1] :].decode()
        return self.offset(finding.line, len(line[: finding.column - 1].encode()))


def read(data: bytes) -> Source:
    """Parse one file; raises SyntaxError if it does not parse."""
    lengths = accumulate((len(line) for line in _LINE.findall(data)), initial=0)
    return Source(data, ast.parse(data), list(lengths))


def statements(source: Source) -> list[ast.stmt]:
    """Return all statements but imports, those of one depth in the order of the text."""
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.stmt) and not isinstance(node, ast.Import | ast.ImportFrom)
    ]


def pairs(before: Source, after: Source) -> list[tuple[ast.stmt, ast.stmt]]:
    """Return each statement with what became of it; ValueError if they do not correspond."""
    paired = list(zip(statements(before), statements(after), strict=True))
    for old, new in paired:
        if type(old) is not type(new):
            raise ValueError(f"line {old.lineno} became line {new.lineno}, another statement")
    return paired


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement's own expressions, not those of statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from ast.walk(child)


def statement_at(source: Source, offset: int) -> ast.stmt:
    """Return the statement with an expression that starts at a byte; KeyError if there is none."""
    for statement in statements(source):
        for node in own_nodes(statement):
            if isinstance(node, ast.expr) and source.span(node)[0] == offset:
                return statement
    raise KeyError(offset)


def text_of(source: Source, statement: ast.stmt) -> str:
    """Return a statement's lines, for one with a body only those above it."""
    first = min(line.lineno for line in [statement, *getattr(statement, "decorator_list", [])])
    body: list[ast.stmt] = getattr(statement, "body", [])
    last = (statement.end_lineno or first) if not body else max(body[0].lineno - 1, first)
    end = source.starts[last] if last < len(source.starts) else len(source.data)
    return source.data[source.starts[first - 1] : end].decode()


class Rewrite(NamedTuple):
    """One rewritten site with the statement it stands in, before and after."""

    finding: Finding
    before: ast.stmt
    after: ast.stmt


def rewrites(findings: list[Finding], before: Source, after: Source) -> list[Rewrite]:
    """Return the rewrites of one file; ValueError or KeyError if they cannot be told apart."""
    partners = {id(old): new for old, new in pairs(before, after)}
    found = []
    for finding in findings:
        old = statement_at(before, before.start_of(finding))
        found.append(Rewrite(finding, old, partners[id(old)]))
    return found
