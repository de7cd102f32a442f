"""Compares a file's tree before and after: only what the edits name may differ."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from awaken.contract import Span
from awaken.engine.edits.file_slices import nodes_on_lines
from awaken.engine.edits.splices import SpanMap
from awaken.project.source.f_strings import differs_apart, hides_places, is_placed
from awaken.project.source.modules import Module

_BLOCKS = frozenset({"body", "handlers", "cases", "orelse", "finalbody"})


def misread(after: Module, expected: Mapping[Span, str]) -> set[Span]:
    """Return the spans of ``expected`` at which ``after`` has no node of that syntax.

    ``expected`` gives spans of the new text the ``syntax`` of the one expression each must hold.
    """
    missing = set(expected)
    lines = {after.line_column(span)[0] for span in missing}
    for node in nodes_on_lines(after.tree, lines):
        if isinstance(node, ast.expr) and node.lineno in lines:
            span = after.span(node)
            if span in missing and syntax(node) == expected[span]:
                missing.discard(span)
    return missing


def syntax(node: ast.AST) -> str:
    """Return the node's syntax without positions, the same for a value read or written to."""
    dumped = ast.dump(node)
    # Parsed alone an expression is always read; in its place it may be assigned to or deleted.
    return dumped.replace("ctx=Store()", "ctx=Load()").replace("ctx=Del()", "ctx=Load()")


def syntax_alone(expression: bytes) -> str | None:
    """Return the ``syntax`` of an expression's text parsed alone; None if it is not one."""
    try:
        # In parentheses it may break its lines; the line end closes a comment.
        tree = ast.parse(f"({expression.decode()}\n)", mode="eval")
    except (SyntaxError, ValueError):
        return None
    return syntax(tree.body)


def around_alone(expression: bytes) -> tuple[int, int]:
    """Return how many bytes of its own parentheses are before and after an expression.

    Raises SyntaxError where the text is no expression.
    """
    # Most have none; to parse them once more would take as long as all the rest.
    if not expression.startswith(b"("):
        return 0, 0
    whole = f"({expression.decode()}\n)"
    node = ast.parse(whole, mode="eval").body
    ends = [0, *accumulate(map(len, whole.encode().splitlines(keepends=True)))]
    start = ends[node.lineno - 1] + node.col_offset - 1
    end = ends[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0) - 1
    # A tuple without parentheses spans the ones given here.
    return max(start, 0), max(len(expression) - end, 0)


class Comparison:
    """The differences between two trees outside of the replaced regions.

    ``regions`` are the replaced spans of the old text. ``inside`` are those where tokens or a
    header were edited, each with the old node whose own lines, without its blocks, contain it.
    """

    def __init__(
        self,
        before: Module,
        after: Module,
        moved: SpanMap,
        regions: Iterable[Span],
        inside: Mapping[Span, ast.AST],
    ) -> None:
        self._before = before
        self._after = after
        self._moved = moved
        self._old_regions = sorted(regions)
        self._edited = sorted([*self._old_regions, *inside])
        self._new_regions = [moved.to_after(region) for region in self._old_regions]
        self._opaque = set(inside.values())

    def differences(self) -> Iterator[Span]:
        """Yield the spans of old statements of which a part that no edit names now differs."""
        nodes = self._compare(self._before.tree, self._after.tree)
        owners = (self._before.statement_of(node) or self._before.tree for node in nodes)
        yield from map(self._before.span, dict.fromkeys(owners))

    def _compare(self, old: ast.AST, new: ast.AST) -> Iterator[ast.AST]:
        opaque = old in self._opaque
        if type(old) is not type(new) and not opaque:
            yield old
            return
        span = extent(self._before, old)
        # Untouched nodes have only moved, except blocks made longer by what follows them.
        if span is not None and not self._is_touched(span) and self._has_moved(span, new):
            return
        # Before Python 3.12 the parts of an f-string have positions that mean nothing.
        if hides_places(old):
            if differs_apart(old, new, self._replaced_in(old)):
                yield old
            return
        for field in old._fields:
            if not opaque or field in _BLOCKS:
                yield from self._compare_field(
                    old, getattr(old, field, None), getattr(new, field, None)
                )

    def _replaced_in(self, string: ast.AST) -> set[ast.AST]:
        """Return the parts of an f-string that were replaced, of which the place is proved."""
        regions = set(self._old_regions)
        return {
            node
            for node in ast.walk(string)
            if isinstance(node, ast.expr)
            and self._before.span(node) in regions
            and is_placed(self._before, node)
        }

    def _compare_field(self, owner: ast.AST, old: Any, new: Any) -> Iterator[ast.AST]:
        if isinstance(old, list) and isinstance(new, list):
            yield from self._compare_lists(owner, old, new)
        elif isinstance(old, ast.AST) and isinstance(new, ast.AST):
            yield from self._compare_lists(owner, [old], [new])
        elif type(old) is not type(new) or old != new:
            yield owner

    def _compare_lists(
        self, owner: ast.AST, old: Sequence[Any], new: Sequence[Any]
    ) -> Iterator[ast.AST]:
        # Replaced code is excluded from the comparison on both sides; a region may become no
        # statement, or several.
        kept = [node for node in old if not _lies_in(self._before, node, self._old_regions)]
        still = [node for node in new if not _lies_in(self._after, node, self._new_regions)]
        if len(kept) != len(still):
            yield owner
            return
        for item, other in zip(kept, still, strict=True):
            if isinstance(item, ast.AST) and isinstance(other, ast.AST) and item._fields:
                yield from self._compare(item, other)
            elif isinstance(item, ast.AST):  # an operator or a context
                yield from () if type(item) is type(other) else (owner,)
            elif item != other:
                yield owner

    def _has_moved(self, span: Span, new: ast.AST) -> bool:
        return extent(self._after, new) == self._moved.to_after(span)

    def _is_touched(self, span: Span) -> bool:
        # The edited spans do not overlap, so their ends are in order too.
        index = bisect_left(self._edited, span.start, key=lambda edited: edited.end)
        return index < len(self._edited) and self._edited[index].start <= span.end


def extent(module: Module, node: ast.AST) -> Span | None:
    """Return the node's span with its decorators; None where ``ast`` gives no position."""
    if not hasattr(node, "lineno"):
        return None
    span = module.span(node)
    decorators = getattr(node, "decorator_list", None)
    return Span(module.span(decorators[0]).start, span.end) if decorators else span


def _lies_in(module: Module, node: Any, regions: Sequence[Span]) -> bool:
    span = extent(module, node) if isinstance(node, ast.AST) else None
    if span is None:
        return False
    # The regions do not overlap, so their ends are in order too.
    index = bisect_left(regions, span.end, key=lambda region: region.end)
    return index < len(regions) and regions[index].contains(span)
