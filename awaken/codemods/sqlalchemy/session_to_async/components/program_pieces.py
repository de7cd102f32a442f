"""Pieces of a program: functions, classes, and the statements of files."""

from __future__ import annotations

import ast
from typing import NamedTuple

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function


class Piece(NamedTuple):
    """A function, a class without its methods, or a statement of a file; ``start`` is its byte.

    ``name`` is empty for a statement.
    """

    path: str
    start: int
    name: str = ""


def piece_around(module: Module, node: ast.AST) -> Piece:
    """Return the piece that ``node`` is, or of which it is a part.

    Decorators and defaults belong to their function.
    """
    outermost: ast.AST = node
    for ancestor in (node, *module.ancestors(node)):
        if isinstance(ancestor, Function | ast.ClassDef):
            return Piece(module.path, module.span(ancestor).start, module.qualname(ancestor))
        if not isinstance(ancestor, ast.Module):
            outermost = ancestor
    return Piece(*module.key_of(outermost))


def node_of_piece(module: Module, piece: Piece) -> ast.AST | None:
    """Return the function, or the statement of a file or a class, that a piece is."""
    starting = (node for node in module.tree.body if module.span(node).start == piece.start)
    return module.function_at(piece.start) or next(starting, None)


def piece_of(function: FunctionPlace) -> Piece:
    """Return the piece that is a function, one that is not the code outside of all."""
    return Piece(function.path, function.start, function.qualname)
