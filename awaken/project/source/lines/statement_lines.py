"""Lines: those of statements, those that differ between two texts, and what a set of lines cuts."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import SIMPLE, Function


class Lines(NamedTuple):
    """Lines of a file, counted from 0; ``end`` is exclusive."""

    start: int
    end: int


class StatementLines:
    """The statements of one file, by their lines."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        nodes = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
        self._starts = sorted(lines_of(node).start for node in nodes)

    def cut_by(self, lines: Lines) -> Lines | None:
        """Return the lines of the outermost statement of which ``lines`` are a part.

        Whole statements of a block are no part of the statement whose block it is. None if no
        statement is cut.
        """
        return next(
            (lines_of(one) for one in self._enclosing_statements(lines) if self._cuts(one, lines)),
            None,
        )

    def enclosing_lines(self, lines: Lines) -> Lines | None:
        """Return the lines of the innermost statement that has ``lines`` in one of its blocks."""
        result = list(self._enclosing_statements(lines))
        return lines_of(result[-1]) if result else None

    def _enclosing_statements(self, lines: Lines) -> Iterator[ast.stmt]:
        """Yield the statements that hold ``lines``, or parts of them, from the outside in."""
        waiting: list[ast.AST] = [self._tree]
        while waiting:
            for child in self._at_edges(waiting.pop(), lines):
                whole = lines_of(child)
                is_inside = lines.start <= whole.start and whole.end <= lines.end
                if not is_inside and whole.start < lines.end and lines.start < whole.end:
                    yield child
                    waiting.append(child)

    def _at_edges(self, node: ast.AST, lines: Lines) -> list[ast.stmt]:
        """Return the statements in the blocks of a node that ``lines`` may begin or end in."""
        inner, ends = self._inner(node)
        # Several may be on one line, and then all of them end there.
        first = bisect_right(ends, lines.start)
        last = bisect_left(ends, lines.end)
        return inner[first : first + 1] + inner[max(last, first + 1) : last + 1]

    @cached_method
    def _inner(self, node: ast.AST) -> tuple[list[ast.stmt], list[int]]:
        """Return the statements in the blocks of a node, and where they end."""
        inner = [statement for block in _blocks(node) for statement in block]
        return inner, [lines_of(statement).end for statement in inner]

    def _cuts(self, node: ast.stmt, lines: Lines) -> bool:
        whole = lines_of(node)
        blocks = [block for block in _blocks(node) if lines_of(block[0]).start <= lines.start]
        if not blocks:
            return True
        # The next block's head after a block (`else`, `except`) belongs to the node.
        if lines_of(blocks[-1][-1]).end < lines.end and len(blocks) < len(_blocks(node)):
            return True
        # Blank lines and comments after the last statement of a block are no statements of others.
        at = bisect_left(self._starts, whole.end)
        return at < len(self._starts) and self._starts[at] < lines.end


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    """Return the blocks of a statement, in the order of their lines."""
    inner = [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    body, orelse, final = (getattr(node, item, []) for item in ("body", "orelse", "finalbody"))
    return [item for item in (body, *(part.body for part in inner), orelse, final) if item]


def lines_of(node: ast.AST) -> Lines:
    """Return the lines of a statement with its decorators, or of a pattern in a ``match``."""
    if isinstance(node, ast.match_case):
        return lines_of(node.pattern)
    first = getattr(node, "lineno", 1)
    for decorator in node.decorator_list if isinstance(node, Function | ast.ClassDef) else ():
        first = min(first, decorator.lineno)
    return Lines(first - 1, getattr(node, "end_lineno", None) or first)


def shares_line(module: Module, statement: ast.stmt) -> bool:
    """Whether the line of the statement contains more than a comment."""
    before, behind = module.text_alongside(statement)
    is_elif = isinstance(statement, ast.If) and module.text_of(statement).startswith("elif")
    # Code after a compound statement on its last line belongs to its body.
    follows = bool(behind) and not behind.startswith(b"#") and isinstance(statement, SIMPLE)
    return is_elif or bool(before) or follows


def statements_of_line(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    """Return the statements of a block that share the line of one, itself included."""
    block = module.block_of(statement)
    first = last = block.index(statement)
    while first and block[first - 1].end_lineno == block[first].lineno:
        first -= 1
    while last + 1 < len(block) and block[last].end_lineno == block[last + 1].lineno:
        last += 1
    return block[first : last + 1]


def may_hold(around: ast.AST, node: ast.expr) -> bool:
    """Whether ``node`` may be below ``around``, by their lines: cheaper than its ancestors."""
    if not isinstance(around, ast.stmt | ast.expr):
        return True
    lines = lines_of(around)
    return lines.start < node.lineno <= lines.end


_MOST_LINES = 1_000
"""Lines between two that stand once on both sides: difflib takes the square of them, and more where
they repeat. More become one difference."""


def differing_lines(
    old: Sequence[bytes],
    new: Sequence[bytes],
    may_stay: Callable[[int, bytes], bool] = lambda _place, _line: True,
) -> Iterator[tuple[Lines, Lines]]:
    """Yield the lines that differ, of the old text and of the new one, in order.

    Lines that are once on both sides are found first, of those of the old text that ``may_stay``.
    difflib compares the lines between them.
    """
    anchors = [(-1, -1), *_anchors(old, new, may_stay), (len(old), len(new))]
    for (before, new_before), (behind, new_behind) in pairwise(anchors):
        first, end = before + 1, behind
        others_first, others_end = new_before + 1, new_behind
        while first < end and others_first < others_end and old[first] == new[others_first]:
            first, others_first = first + 1, others_first + 1
        while first < end and others_first < others_end and old[end - 1] == new[others_end - 1]:
            end, others_end = end - 1, others_end - 1
        lines, others = Lines(first, end), Lines(others_first, others_end)
        middle = old[first:end], new[others_first:others_end]
        if max(map(len, middle)) > _MOST_LINES:
            yield lines, others
            continue
        for tag, start, end, new_start, new_end in SequenceMatcher(
            None, *middle, autojunk=False
        ).get_opcodes():
            if tag != "equal":
                yield (
                    Lines(lines.start + start, lines.start + end),
                    Lines(others.start + new_start, others.start + new_end),
                )


def _anchors(
    old: Sequence[bytes], new: Sequence[bytes], may_stay: Callable[[int, bytes], bool]
) -> Iterator[tuple[int, int]]:
    """Yield the places of the longest row of lines that are in both texts once, in one order."""
    once = {line for line, count in Counter(new).items() if count == 1}
    once &= {line for line, count in Counter(old).items() if count == 1}
    places = {line: place for place, line in enumerate(new) if line in once}
    stay = ((at, line) for at, line in enumerate(old) if line in once and may_stay(at, line))
    pairs = [(at, places[line]) for at, line in stay]
    # The longest increasing row: for each length the pair that ends it lowest, and the one before.
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    row: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        row.append(pairs[at])
        at = previous[at]
    yield from reversed(row)
