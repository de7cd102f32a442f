"""Sizes: whether a program bounds how many items a loop goes through."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.source.memo import recursive
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project.source.modules import Module

_DATA = name_list("words_of_data")
_FEW = re.compile(
    r"agent|assistant|backend|base|bucket|candidate|channel|chunk|client|column|config|coordinator"
    r"|default|device|domain|entity|entities|entry|feature|flag|guardrail|handler|host|instance"
    r"|integration|layer|mfa|missing|model|module|monitor|node|option|page_|parallel|peer|platform"
    r"|plugin|pool|provider|region|replica|resource|role|rule|scope|sensor|server|service|shard"
    r"|source|stage|step|sub|target|team|tool|worker|zone"
)
"""Words in names for what a program or its owner has a handful of."""
_OF_OBJECTS = {"documents", "files", "images", "links", "paths", "texts", "uris", "urls"}
"""Of what an object keeps itself, only what it was surely given to work on."""
_PASSING = {"enumerate", "filter", "list", "reversed", "set", "sorted", "tuple", "zip"}
_READING = name_list("reading_all")


@recursive()
def unbounded_size(module: Module, iterable: ast.expr) -> str | None:
    """Return what ``iterable`` goes through, as it is written, if nothing bounds its size.

    These are the arguments of the function, under a name for data, the results of queries, and the
    contents of files. None for all else, also if unknown.
    """
    match iterable:
        case ast.Name():
            return _of_name(module, iterable)
        case ast.Attribute(attr=word) | ast.Subscript(slice=ast.Constant(value=str() as word)):
            given = _is_data(word) and _is_given(module, iterable)
            return module.excerpt(iterable) if given else None
        case ast.Await(value=inner) | ast.BoolOp(values=[inner, ast.List(elts=[])]):
            return unbounded_size(module, inner)
        case ast.Call():
            return _of_call(module, iterable)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            parts = [unbounded_size(module, node.iter) for node in iterable.generators]
            return next((part for part in parts if part is not None), None)
    return None


def _of_call(module: Module, call: ast.Call) -> str | None:
    name = last_name(call.func)
    if module.scopes.builtin_called(call) in _PASSING:
        result = [unbounded_size(module, argument) for argument in call.args]
        return next((candidate for candidate in result if candidate is not None), None)
    if isinstance(call.func, ast.Attribute):
        if name == "get" and call.args and isinstance(call.args[0], ast.Constant):
            given = _is_data(str(call.args[0].value)) and _is_given(module, call.func)
            return module.excerpt(call) if given else None
        if name in _READING or (name == "all" and _is_query(call)):
            return module.excerpt(call)
        if name in {"items", "keys", "values"}:
            return unbounded_size(module, call.func.value)
    return None


def _is_query(call: ast.Call) -> bool:
    """Whether ``call`` is the end of a chain that asks a database."""
    words = {last_name(node) for node in ast.walk(call.func) if isinstance(node, ast.expr)}
    return bool(words & {"execute", "objects", "query", "scalars"})


def _of_name(module: Module, name: ast.Name) -> str | None:
    binding = module.scopes.only_binding(name)
    if binding is None:
        return None
    match binding.kind:
        case "parameter":
            return name.id if _is_data(name.id) and name.id not in {"self", "cls"} else None
        case "assignment" if binding.value is not None and binding.scope.kind == "function":
            result = unbounded_size(module, binding.value)
            computed = isinstance(binding.value, ast.Call | ast.Await | ast.ListComp)
            return name.id if result is None and computed and _is_data(name.id) else result
    return None


def _is_data(name: str) -> bool:
    words = name.lower().split("_")
    return words[-1] in _DATA and _FEW.search("_".join(words[:-1])) is None


def _is_given(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is part of what the function is given, or the object itself."""
    word = last_name(node)
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if not isinstance(node, ast.Name) or _FEW.search(node.id.lower()) is not None:
        return False
    if node.id in {"self", "cls"}:
        return word.split("_")[-1] in _OF_OBJECTS
    return module.scopes.parameter_of(node) is not None
