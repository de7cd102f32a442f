"""The elements of a list that is given to a query as ``*columns``.

The list may be built over several statements, put together from others, or be what a function
returns. All code that could change it must be visible.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.source.bindings import Binding, Scope
from awaken.project.values.domain import Unknown

_DEPTH = 4
"""How many variables and functions are followed: as many as for a class (``mapped_classes``)."""
_ADDS = frozenset({"append", "insert"})
_HARMLESS = frozenset({"clear", "copy", "count", "index", "pop", "remove", "reverse"})
"""Methods of a list that put nothing new into it."""
_READS = frozenset({"any", "all", "bool", "enumerate", "iter", "len", "list", "reversed", "tuple"})
"""Builtins that do nothing to a list that they are given."""
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)


@dataclass(frozen=True, slots=True)
class Element:
    """Something that may be in a list, in the module of ``reader``; ``repeated``: several times."""

    reader: ModuleReader
    node: ast.expr
    repeated: bool = False


class _UnseenError(Exception):
    """Something else may be in the list."""


def elements_of(reader: ModuleReader, node: ast.expr) -> list[Element]:
    """Return what may be in the list ``node``; nothing if something else may be in it as well."""
    try:
        return list(_elements(reader, node, _DEPTH))
    except _UnseenError:
        return []


def is_only_read(reader: ModuleReader, name: ast.Name) -> bool:
    """Whether the list in a variable of a function stays as it was made, as far as can be seen."""
    bindings = reader.bindings(name)
    try:
        return not bindings or not list(_changes(reader, bindings[0].scope, name, _DEPTH))
    except _UnseenError:
        return False


def _elements(reader: ModuleReader, node: ast.expr, depth: int) -> Iterator[Element]:
    if depth == 0:
        raise _UnseenError
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for one in elements:
                inner = one.value if isinstance(one, ast.Starred) else None
                result = _elements(reader, inner, depth) if inner else [Element(reader, one)]
                yield from result
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            yield Element(reader, element, repeated=True)
        case ast.BinOp(op=ast.Add(), left=one, right=other) | ast.IfExp(body=one, orelse=other):
            yield from _elements(reader, one, depth)
            yield from _elements(reader, other, depth)
        case ast.Call():
            yield from _of_call(reader, node, depth)
        case ast.Name():
            yield from _of_variable(reader, node, depth - 1)
        case _:
            raise _UnseenError


def _of_call(reader: ModuleReader, call: ast.Call, depth: int) -> Iterator[Element]:
    match call:
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[one], keywords=[]):
            if _is_builtin(reader, call.func):
                yield from _elements(reader, one, depth)
                return
    yield from _returned_elements(reader, call, depth - 1)


def _is_builtin(reader: ModuleReader, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and not reader.module.scopes.is_bound(node.id, node)


# ------------------------------------------------------------------------------------- functions
def _returned_elements(reader: ModuleReader, call: ast.Call, depth: int) -> Iterator[Element]:
    """Yield what may be in the lists that a function of the project returns."""
    called = reader.project.calls.function_called(reader.module, call)
    if isinstance(called, Unknown) or not isinstance(called.function, ast.FunctionDef):
        raise _UnseenError
    there = ModuleReader(reader.project, called.module)
    for node in called.module.walk(called.function):
        if called.module.enclosing_function(node) is not called.function:
            continue
        if isinstance(node, ast.Yield | ast.YieldFrom):
            raise _UnseenError
        if isinstance(node, ast.Return):
            if node.value is None:
                raise _UnseenError
            yield from _elements(there, node.value, depth)


# ------------------------------------------------------------------------------------- variables
def _of_variable(reader: ModuleReader, name: ast.Name, depth: int) -> Iterator[Element]:
    bindings = reader.bindings(name)
    if not bindings or any(candidate.scope.kind != "function" for candidate in bindings):
        raise _UnseenError
    for binding in bindings:
        yield from _elements(reader, _given_list(reader, binding), depth)
    yield from _changes(reader, bindings[0].scope, name, depth)


def _changes(reader: ModuleReader, scope: Scope, name: ast.Name, depth: int) -> Iterator[Element]:
    """Yield what the uses of a variable of ``scope`` put into its list."""
    scopes = reader.module.scopes
    for inner in scopes.scopes:
        for read in inner.reads.get(scope.mangled(name.id), ()):
            if scopes.owner(read.id, inner) is scope:
                yield from _added(reader, read, scope, depth)


def _given_list(reader: ModuleReader, binding: Binding) -> ast.expr:
    """Return the list that an assignment gives to a variable, or adds to it by ``+=``."""
    above = reader.module.parent(binding.node)
    if isinstance(above, ast.AugAssign) and isinstance(above.op, ast.Add):
        return above.value
    if binding.kind != "assignment" or binding.value is None:
        raise _UnseenError
    return binding.value


def _added(reader: ModuleReader, read: ast.Name, scope: Scope, depth: int) -> Iterator[Element]:
    """Yield what a use of a variable puts into its list."""
    module = reader.module
    above = module.parent(read)
    call = module.parent(above) if isinstance(above, ast.Attribute) else None
    if isinstance(above, ast.Attribute) and isinstance(call, ast.Call) and call.func is above:
        repeated = _is_in_loop(reader, call, scope)
        if above.attr in _ADDS and call.args:
            # ``insert(0, x)`` has the element last.
            yield Element(reader, call.args[-1], repeated)
        elif above.attr == "extend" and len(call.args) == 1:
            for element in _elements(reader, call.args[0], depth):
                yield replace(element, repeated=element.repeated or repeated)
        elif above.attr not in _HARMLESS:
            raise _UnseenError
    elif not _is_only_read(reader, read, above, scope):
        raise _UnseenError


def _is_in_loop(reader: ModuleReader, node: ast.AST, scope: Scope) -> bool:
    for above in reader.module.ancestors(node):
        if above is scope.node:
            return False
        if isinstance(above, _LOOPS):
            return True
    # It is in a function inside this one, which may be called again and again.
    return True


def _is_only_read(
    reader: ModuleReader, read: ast.Name, above: ast.AST | None, scope: Scope
) -> bool:
    """Whether nothing can be put into a list by way of ``read``."""
    match above:
        # The additions of ``+=`` to the variable are read as its bindings.
        case ast.Starred(ctx=ast.Load()) | ast.BinOp() | ast.AugAssign():
            return True
        case ast.Subscript(value=value, ctx=ast.Load()):
            return value is read
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return iterated is read
        case ast.Call(func=function, keywords=[]):
            is_known = isinstance(function, ast.Name) and function.id in _READS
            return is_known and _is_builtin(reader, function)
        case ast.If() | ast.While() | ast.UnaryOp() | ast.Compare():
            return True
        case ast.IfExp(test=test):
            return test is read
        case ast.Return() | ast.Tuple():
            return _is_returned(reader, above, scope)
        case _:
            return False


def _is_returned(reader: ModuleReader, node: ast.AST, scope: Scope) -> bool:
    """Whether a list leaves its function only at the end of that."""
    statement = reader.module.parent(node) if isinstance(node, ast.Tuple) else node
    is_own = reader.module.enclosing_function(node) is scope.node
    return is_own and isinstance(statement, ast.Return)
