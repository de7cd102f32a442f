"""The strings that are executed: what is known of their text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge.sql_names import sql_names
from awaken.project.source.f_strings import is_literal
from awaken.project.source.trees import chained_calls
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MOST_PARTS = 200  # pieces of one text; the longest of real programs has 40
_STATEMENTS = sql_names().selects | sql_names().texts | sql_names().writes
_STRING = InstanceOf("builtins.str")


def may_be_string(node: ast.expr) -> bool:
    """Whether ``node`` is written as a string, or a name that may hold one."""
    part = _first_part(node)
    if isinstance(part, ast.Constant):
        return isinstance(part.value, str)
    return is_literal(part) or isinstance(part, ast.Name | ast.Attribute)


def is_something_else(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` may be something else than a string, whatever callers pass."""
    part = _first_part(node)
    if not isinstance(part, ast.Name | ast.Attribute):
        return False
    if _is_statement(project, module, part):
        return True
    known = project.values.without_callers(module, part).alternatives
    return any(
        not isinstance(value, InstanceOf) or value.qualified != _STRING.qualified for value in known
    )


def _is_statement(project: Project, module: Module, node: ast.Name | ast.Attribute) -> bool:
    """Whether a variable holds a statement; its columns are of no use here."""
    bindings = module.scopes.bindings_of(node)
    made = [[*chained_calls(item.value)] for item in bindings if item.kind == "assignment"]
    # `statement = statement.where(...)` makes another one of a statement.
    begun = [calls for calls in made if not calls or _variable(calls[-1]) != ast.unparse(node)]
    named = [{project.qualified_name(module, call.func) for call in calls} for calls in begun]
    is_all = bool(begun) and len(made) == len(bindings)
    return is_all and not any(map(_STATEMENTS.isdisjoint, named))


def _variable(call: ast.Call) -> str:
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def is_string(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node``, of which ``may_be_string`` is true, is proved to be a string."""
    part = _first_part(node)
    if not isinstance(part, ast.Name | ast.Attribute):
        return True
    values = project.values.of(module, part)
    return values.is_known and set(values.alternatives) == {_STRING}


def _first_part(node: ast.expr) -> ast.expr:
    """Return the leftmost operand of what ``node`` is put together from."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()):
            return _first_part(left)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return _first_part(value)
    return node


def text_of(project: Project, module: Module, node: ast.expr) -> str | None:
    """Return the text that ``node`` is; None where it is not one constant."""
    waiting, texts = [(module, node)], list[str]()
    for _ in range(_MOST_PARTS):
        if not waiting:
            return "".join(texts)
        home, part = waiting.pop()
        match part:
            case ast.Constant(value=str() as text):
                texts.append(text)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                waiting += [(home, right), (home, left)]
            case ast.Name() | ast.Attribute():
                value = _held_pair(project, home, part)
                if value is None:
                    return None
                waiting.append(value)
            case _:
                return None
    return None


def _held_pair(
    project: Project, module: Module, node: ast.Name | ast.Attribute
) -> tuple[Module, ast.expr] | None:
    """Return the one value of a variable of a function, or at the top of a file."""
    binding = module.scopes.only_binding(node)
    if binding is not None and binding.kind == "assignment" and binding.value is not None:
        return module, binding.value
    name = project.qualified_name(module, node)
    result = None if name is None else project.definition(name)
    is_assigned = result is not None and result.kind == "assignment"
    return project.value_at(name) if is_assigned else None
