"""Sessions that escape the function that makes them: by themselves, or by their results."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

_KEEPING = {"add_done_callback", "partial", "put", "setattr", "setdefault", "submit"}
_KEEPING |= library_names().adding_methods.keys() - {"add", "insert"}
"""Calls that keep what they are given, or run it later; functions that add rows do not."""
_READING_LATER = tuple(name_list("reading_later"))
_LAZY = name_list("lazy_builtins")


def escapes(
    project: Project, module: Module, function: Function, made: ast.stmt, name: str
) -> bool:
    """Whether something else than ``function`` may still use the session when it has returned."""
    if any(_reads_later(project, module, part) for part in _outgoing(module, function)):
        return True
    for node in module.walk(function):
        if not isinstance(node, ast.Name) or node.id != name or isinstance(node.ctx, ast.Store):
            continue
        # A function inside may be called later.
        if module.enclosing_function(node) is not function or not _is_used_up(module, node):
            return True
    return _shares_its_name(module, made, name)


def _outgoing(module: Module, function: Function) -> Iterator[ast.expr]:
    """Yield what a function returns, or puts where others find it."""
    for node in module.walk(function):
        match node:
            case ast.Return(value=ast.expr() as value):
                yield value
            case ast.Assign(targets=targets, value=value) if any(
                isinstance(target, ast.Attribute | ast.Subscript) for target in targets
            ):
                yield value


def _reads_later(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether a value reads rows from its session, or begins to, when it is used."""
    match node:
        case ast.GeneratorExp(generators=[ast.comprehension(iter=rows), *_]):
            return _reads_later(project, module, rows)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _LAZY:
            return any(_reads_later(project, module, argument) for argument in arguments)
    return any(
        isinstance(alternative, InstanceOf)
        and alternative.qualified.startswith(("sqlalchemy.", "sqlmodel."))
        and alternative.qualified.endswith(_READING_LATER)
        for alternative in project.values.of(module, node).alternatives
    )


def _is_used_up(module: Module, node: ast.Name) -> bool:
    """Whether what reads the session is done with it when the statement is."""
    call = module.call_taking(node)
    if call is not None:
        return _is_plain_call(call)
    match module.parent(node):
        case ast.Attribute() as attribute:
            # ``run = session.execute`` keeps the session as well.
            above = module.parent(attribute)
            is_method = module.call_of(attribute) is not None
            return is_method or not isinstance(above, ast.Assign | ast.Return | ast.Call)
        case ast.Compare() | ast.If() | ast.BoolOp() | ast.UnaryOp():
            return True
    return False


def _is_plain_call(call: ast.Call) -> bool:
    """Whether a call looks like one of a function, not of a class that keeps what it is given."""
    name = last_name(call.func)
    return name not in _KEEPING and not name.lstrip("_")[:1].isupper() and bool(name)


def _shares_its_name(module: Module, made: ast.stmt, name: str) -> bool:
    """Whether the name is something else at times: whose reads are meant is not followed."""
    bindings = module.scopes.scope_of(made).bindings_of(name)
    return len(bindings) != 1
