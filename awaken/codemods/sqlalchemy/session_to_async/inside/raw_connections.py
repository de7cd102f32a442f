"""Functions with the raw connection of an engine that they are passed: they stay plain.

The cursor of an asynchronous driver waits in a greenlet alone, so a greenlet calls the function,
with the synchronous engine of the asynchronous one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_CONNECTION = name_list("of_raw_connections")
_CURSOR = name_list("of_raw_cursors")
_MAKING = {"cursor", "execute"}
"""What makes a cursor of a raw connection."""


def functions_with_raw_connections(part: SynchronousPart) -> Iterator[FunctionPlace]:
    """Yield the functions whose raw connections do in a greenlet what they do now.

    Drivers that belong to an event loop begin transactions, and write parameters, in their own way.
    """
    for step in part.steps if not part.is_loop_bound else ():
        module, function = part.node_of(step) or (None, None)
        if module is None or function is None:
            continue
        operations = part.operations_of(module, step)
        raw = [item.node for item in operations if item.method == "raw_connection"]
        is_known = all(_is_known(module, node, function) for node in raw)
        if raw and is_known and _is_alone(part.project, module, function):
            yield step


def engine_given(project: Project, module: Module, call: ast.Call) -> ast.expr | None:
    """Return the only engine that is passed to a call, as a name or an attribute."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    engines = [node for node in given if project.orm.resource_of(module, node) == "engine"]
    is_named = len(engines) == 1 and isinstance(engines[0], ast.Name | ast.Attribute)
    return engines[0] if is_named else None


def _is_known(module: Module, raw: ast.expr, function: Function) -> bool:
    """Whether a function uses a raw connection, and its cursors, as either side has them."""
    reads = _reads(module, raw, function)
    if reads is None or not _CONNECTION.issuperset(read.attr for read in reads):
        return False
    for read in reads:
        made = module.parent(read)
        used = _reads(module, made, function) if isinstance(made, ast.Call) else None
        if read.attr in _MAKING and (used is None or not all(_is_alike(module, at) for at in used)):
            return False
    return True


def _reads(module: Module, made: ast.expr, function: Function) -> list[ast.Attribute] | None:
    """Return what a function reads of what it makes; None if it is used in other ways."""
    uses = [made]
    match module.parent(made):
        case ast.Expr():
            return []
        case ast.Assign(targets=[ast.Name() as variable]):
            uses = [*module.scopes.reads_of(variable)]
    reads = [above for use in uses if isinstance(above := module.parent(use), ast.Attribute)]
    is_here = all(module.enclosing_function(use) is function for use in uses)
    return reads if is_here and len(reads) == len(uses) else None


def _is_alike(module: Module, read: ast.Attribute) -> bool:
    """Whether both sides have a method of a cursor; an asynchronous one does not return itself."""
    call = module.parent(read)
    is_dropped = call is not None and isinstance(module.parent(call), ast.Expr)
    return read.attr in _CURSOR and (is_dropped or not read.attr.startswith("execute"))


def _is_alone(project: Project, module: Module, function: Function) -> bool:
    """Whether a function uses, by methods, a passed engine and what that makes, and no other."""
    for node in module.walk(function):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if not project.orm.is_resource(module, node):
            continue
        bindings = module.scopes.bindings_of(node)
        is_own = bool(bindings) and all(item.scope.node is function for item in bindings)
        if not is_own or not isinstance(module.parent(node), ast.Attribute):
            return False
    return True
