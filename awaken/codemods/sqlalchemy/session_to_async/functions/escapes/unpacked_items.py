"""Loops that unpack the items of what they call, and functions that give items of another kind.

``for key, value in found.items()`` calls no generator whose items cannot be unpacked: that would
raise TypeError.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import InstanceOf, Value

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_ITERABLE = {"__getattr__", "__getattribute__", "__getitem__", "__iter__"}


def unpacks_others(
    part: SynchronousPart, module: Module, call: ast.Call, function: FunctionPlace
) -> bool:
    """Whether ``call``, of ``module``, is unpacked item by item, and ``function`` yields others."""
    above = module.parent(call)
    match above:
        case (
            ast.For(iter=iterated, target=ast.Tuple() | ast.List())
            | ast.comprehension(iter=iterated, target=ast.Tuple() | ast.List())
        ) if iterated is call:
            pass
        case _:
            return False
    home, node = part.node_of(function) or (None, None)
    if home is None or node is None:
        return False
    if all(_does_nothing(statement) for statement in node.body):
        # It gives None, or another method runs in its place.
        return True
    if not home.is_generator(node):
        return False
    yielded = [*_yielded_nodes(home, node)]
    return bool(yielded) and all(
        item is not None and _is_no_iterable(part.project, home, item) for item in yielded
    )


def _does_nothing(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass)


def _yielded_nodes(module: Module, function: Function) -> list[ast.expr | None]:
    """Return what a function yields; None for what another one does in its place."""
    yields = module.yields_of(function)
    return [node.value if isinstance(node, ast.Yield) else None for node in yields]


def _is_no_iterable(project: Project, module: Module, node: ast.expr) -> bool:
    possible_values = project.values.of(module, node)
    return (
        possible_values.is_known
        and bool(possible_values.alternatives)
        and all(_is_plain_object(project, value) for value in possible_values.alternatives)
    )


def _is_plain_object(project: Project, value: Value) -> bool:
    """Whether a value is an object of a class of the program that has no items."""
    if not isinstance(value, InstanceOf):
        return False
    facts = project.class_facts(value.qualified)
    above = set(project.library_ancestors(value.qualified))
    if facts is None or not above <= {"abc.ABC", "builtins.object"}:
        return False
    classes = [value.qualified, *project.all_subclasses(value.qualified)]
    known = [project.class_facts(class_) for class_ in classes]
    names = {name for item in known if item is not None for name in item.attributes}
    return len(classes) == len([candidate for candidate in known if candidate is not None]) and (
        names.isdisjoint(_ITERABLE)
    )
