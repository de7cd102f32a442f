"""Functions that run in a thread of their own, and share no session with those who start it."""

from __future__ import annotations

import ast
from itertools import zip_longest
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.fitting_calls import is_plain
from awaken.kit.search import argument
from awaken.knowledge.asynchronous.boundaries import handed_by_function
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of
from awaken.project.values.domain import FunctionOf, InstanceOf, without_none

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_NOTHING, _NAMELESS = ast.Tuple([], ast.Load()), ast.Dict([], [])
_HOLDING = {f"builtins.{name}" for name in ("dict", "frozenset", "list", "set", "tuple")}


def begins_alone(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is what a new thread calls, with arguments that carry nothing of a session.

    The thread drops what it returns, so such a function may stay synchronous, and its caller not.
    """
    project, call = part.project, module.call_taking(node)
    name = None if call is None else project.qualified_name(module, call.func)
    if call is None or name not in library_names().threads:
        return False
    row = handed_by_function()[name]
    functions = project.values.of(module, node).alternatives
    if argument(call, row.position, row.argument) is not node or len(functions) != 1:
        return False
    function = functions[0]
    if not isinstance(function, FunctionOf) or not isinstance(function.node, Function):
        return False
    home, parameters = function.module, [pair[0] for pair in parameters_of(function.node.args)]
    keywords = {item.arg: item.value for item in call.keywords}
    is_read = keywords.keys() <= {row.argument, "args", "daemon", "kwargs", "name"}
    if not is_read or len(call.args) > row.position + 1 or home.enclosing_class(function.node):
        return False
    values, named = keywords.get("args", _NOTHING), keywords.get("kwargs", _NAMELESS)
    if not isinstance(values, ast.List | ast.Tuple) or not isinstance(named, ast.Dict):
        return False
    by_name: dict[object, ast.arg] = {parameter.arg: parameter for parameter in parameters}
    passed = [*zip_longest(values.elts, parameters[: len(values.elts)])]
    for key, value in zip(named.keys, named.values, strict=True):
        passed.append((value, by_name.get(getattr(key, "value", None))))
    return all(
        parameter is not None
        and not isinstance(value, ast.Starred)
        and (_is_of_file(module, value) or _says_plain(part, home, parameter))
        for value, parameter in passed
    )


def _is_of_file(module: Module, value: ast.expr) -> bool:
    """Whether an argument is constant, or a variable of the file, which no request gives."""
    if not isinstance(value, ast.Name):
        return isinstance(value, ast.Constant)
    bindings = module.scopes.bindings_of(value)
    return bool(bindings) and all(item.scope is module.scopes.module for item in bindings)


def _says_plain(part: SynchronousPart, home: Module, parameter: ast.arg) -> bool:
    """Whether an annotation says that a parameter is a plain value, which holds no others."""
    if parameter.annotation is None:
        return False
    declared = part.project.values.declared(home, parameter.annotation)
    wanted = without_none(declared.alternatives)
    return (
        declared.is_known
        and bool(wanted)
        and all(
            isinstance(value, InstanceOf)
            and value.qualified not in _HOLDING
            and is_plain(part, value)
            for value in wanted
        )
    )
