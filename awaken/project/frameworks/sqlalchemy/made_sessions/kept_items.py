"""Items of a dictionary that a library hands to functions of a program: ``ctx["db"]`` of a worker.

One function puts something there, and another takes it out: a parameter of the same name, and the
same text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module, nodes_in


def put_as_item(
    evaluator: ProgramEvaluator, module: Module, node: ast.Subscript
) -> Iterator[tuple[Module, ast.expr | None]]:
    """Yield what is put where ``node`` is taken out; None for what is no plain assignment."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
            pass
        case _:
            return
    if module.scopes.parameter_of(node.value) is None:
        return
    paths = evaluator.files_with([f'{name}["{key}"]'.encode(), f"{name}['{key}']".encode()])
    for other, part in nodes_in(evaluator.modules_at(paths), ast.Subscript):
        match part:
            case ast.Subscript(
                value=ast.Name(id=owner) as held, slice=ast.Constant(value=item)
            ) if (owner, item) == (name, key):
                if isinstance(part.ctx, ast.Load):
                    continue
                above = other.parent(part)
                is_parameter = other.scopes.parameter_of(held) is not None
                is_plain = isinstance(above, ast.Assign) and is_parameter
                yield other, above.value if is_plain and isinstance(above, ast.Assign) else None
