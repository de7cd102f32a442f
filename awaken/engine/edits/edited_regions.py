"""Finds the nodes of a region again after text edits inside of it, before LibCST sees it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from awaken.contract import Span
from awaken.engine.edits.file_slices import Misplaced, Region
from awaken.engine.edits.node_kinds import KINDS
from awaken.engine.edits.splices import Splice
from awaken.project.source.f_strings import is_placed
from awaken.project.source.modules import Module
from awaken.workspace.parsing import Unparsable, parse_text

_HEADER = b"if 1:\n"


def edited_region(
    module: Module,
    region: Region,
    text: bytes,
    splices: Sequence[Splice],
    wanted: Collection[ast.AST],
) -> tuple[Region, Mapping[ast.AST, ast.AST]]:
    """Return ``region`` as it reads after ``splices``, and what each of ``wanted`` is in it.

    ``text`` is the text of the region then, with its placeholder; the splices count from its start.
    Raises Misplaced.
    """
    before = after = b""
    if region.is_expression:
        before, after = b"(", b")"
    elif text[:1] in {b" ", b"\t"}:
        before = _HEADER
    try:
        tree = parse_text(before + text + after)
    except Unparsable:
        raise Misplaced("the code does not parse after another edit inside of it") from None
    edited = Module(module.source.with_text(before + text + after), tree, module.name)
    roots = _roots(tree, region, is_indented=before == _HEADER)
    again = Region(region.span, roots, region.is_expression, region.fills_block, region.stand_in)
    nodes = [node for node in again.nodes() if type(node).__name__ in KINDS]
    pairs: dict[ast.AST, ast.AST] = {}
    for node in wanted:
        if isinstance(node, ast.Module):
            pairs[node] = tree
            continue
        span = module.span(node)
        start, end = span.start - region.span.start, span.end - region.span.start
        if any(splice.start < at < splice.end for splice in splices for at in (start, end)):
            raise Misplaced("another edit replaces this code")
        starts = {at + len(before) for at in _places(start, splices)}
        ends = {at + len(before) for at in _places(end, splices)}
        same = _nodes_of_kind(edited, nodes, KINDS[type(node).__name__][0])
        pairs[node] = _innermost(
            (place, part) for place, part in same if place.start in starts and place.end in ends
        )
    if len({*pairs.values()}) != len(pairs):
        raise Misplaced("another edit replaces this code")
    return again, pairs


def _roots(tree: ast.Module, region: Region, *, is_indented: bool) -> tuple[ast.AST, ...]:
    if isinstance(region.roots[0], ast.Module):
        return (tree,)
    first = tree.body[0]
    if region.is_expression and isinstance(first, ast.Expr):
        return (first.value,)
    if is_indented and isinstance(first, ast.If):
        return tuple(first.body)
    return tuple(tree.body)


def _places(at: int, splices: Iterable[Splice]) -> Iterator[int]:
    """Yield where an edge of a node may be in the new text: within or outside of insertions."""
    here = [len(splice.text) for splice in splices if splice.start == splice.end == at]
    shift = sum(
        len(one.text) - (one.end - one.start) for one in splices if one.end <= at and one.start < at
    )
    first = at + shift
    yield first
    for size in here:
        first += size
        yield first


def _nodes_of_kind(
    module: Module, nodes: Iterable[ast.AST], kind: type
) -> Iterator[tuple[Span, ast.AST]]:
    """Yield the nodes that are of one ``kind`` for LibCST: a function is, asynchronous or not."""
    for node in nodes:
        is_kind = KINDS[type(node).__name__][0] is kind and not isinstance(node, ast.Module)
        if is_kind and (not isinstance(node, ast.expr) or is_placed(module, node)):
            yield module.span(node), node


def _innermost(nodes: Iterable[tuple[Span, ast.AST]]) -> ast.AST:
    """Return the node that holds no other one: an insertion at its edges is around it."""
    ordered = sorted(nodes, key=lambda pair: pair[0].end - pair[0].start)
    if not ordered or (len(ordered) > 1 and ordered[0][0] == ordered[1][0]):
        raise Misplaced("another edit replaces this code")
    return ordered[0][1]
