"""The places of a file that a pass may touch, by the lines that are their own."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from awaken.project.source.lines.statement_lines import Lines, lines_of
from awaken.project.source.modules import Module


class Places:
    """The logical lines of a file: statements, headers of those with blocks, decorators.

    If several begin on one line, the outermost represents all.
    """

    def __init__(self, module: Module) -> None:
        result: dict[int, tuple[int, ast.AST]] = {}
        for lines, node in _logical_lines(module):
            result.setdefault(lines.start, (lines.end, node))
        self._whole = module.tree
        self._starts = sorted(result)
        self._ends = [result[start][0] for start in self._starts]
        self._nodes = [result[start][1] for start in self._starts]

    def places_on(self, lines: Lines) -> list[ast.AST]:
        """Return the places that have some of ``lines`` for their own, or that hold them.

        Without one it is the next one, because comments belong to the code below them; after the
        last one the file.
        """
        first = bisect_right(self._ends, lines.start)
        end = bisect_left(self._starts, lines.end)
        return self._nodes[first:end] or self._nodes[first : first + 1] or [self._whole]


def _logical_lines(module: Module) -> Iterator[tuple[Lines, ast.AST]]:
    for node in module.walk():
        match node:
            case ast.match_case(pattern=pattern, body=body):
                yield _header(pattern, body), pattern
            case ast.stmt() | ast.excepthandler():
                blocks = getattr(node, "body", None) or getattr(node, "cases", ())
                yield (_header(node, blocks) if blocks else lines_of(node)), node
                for item in getattr(node, "decorator_list", ()):
                    yield lines_of(item), item


def _header(node: ast.stmt | ast.excepthandler | ast.pattern, blocks: list[ast.stmt]) -> Lines:
    # A block may be on the line of its header.
    return Lines(node.lineno - 1, max(node.lineno, lines_of(blocks[0]).start))
