"""The elements of a list that is given to a query as ``*columns``.

The list may be built over several statements, put together from others, or be what a function
returns. All code that could change it must be visible.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NoReturn

from msgspec import Struct, structs

from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.source.bindings import Scope
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.expressions.expression_uses import only_reads
from awaken.project.source.expressions.lists import ListPart, added_parts, bound_list, list_parts
from awaken.project.source.memo import recursive
from awaken.project.values.domain import Unknown

_HARMLESS = frozenset({"clear", "copy", "count", "index", "pop", "remove", "reverse"})
"""Methods of a list that put nothing new into it."""
_READS = frozenset({"any", "all", "bool", "enumerate", "iter", "len", "list", "reversed", "tuple"})
"""Builtins that do nothing to a list that they are given."""
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.comprehension)


class Element(Struct, frozen=True):
    """Something that may be in a list, in the module of ``reader``; ``repeated``: several times."""

    reader: ModuleReader
    node: ast.expr
    repeated: bool = False


class _UnseenError(Exception):
    """Something else may be in the list."""


def elements_of(reader: ModuleReader, node: ast.expr) -> list[Element]:
    """Return what may be in the list ``node``; nothing if something else may be in it as well."""
    try:
        return _elements(reader, node)
    except _UnseenError:
        return []


def is_only_read(reader: ModuleReader, name: ast.Name) -> bool:
    """Whether the list in a variable of a function stays as it was made, as far as can be seen."""
    bindings = reader.bindings(name)
    try:
        return not bindings or not list(_changes(reader, bindings[0].scope, name))
    except _UnseenError:
        return False


def _unseen(*_: object) -> NoReturn:
    raise _UnseenError


@recursive(_unseen)
def _elements(reader: ModuleReader, node: ast.expr) -> list[Element]:
    elements = dict[ast.expr, Element]()
    for part in list_parts(reader.module, node):
        for element in _of_part(reader, part):
            again = structs.replace(element, repeated=True)
            elements[element.node] = again if element.node in elements else element
    return [*elements.values()]


def _of_part(reader: ModuleReader, part: ListPart) -> Iterator[Element]:
    match part.node:
        case _ if part.kind != "rest":
            yield Element(reader, part.node, repeated=part.kind == "each")
        case _ if len(parts := branches(part.node)) > 1:
            for branch in parts:
                yield from _elements(reader, branch)
        case ast.Call():
            yield from _returned_elements(reader, part.node)
        case ast.Name():
            yield from _of_variable(reader, part.node)
        case _:
            raise _UnseenError


# ------------------------------------------------------------------------------------- functions
def _returned_elements(reader: ModuleReader, call: ast.Call) -> Iterator[Element]:
    """Yield what may be in the lists that a function of the project returns."""
    called = reader.project.calls.function_called(reader.module, call)
    if isinstance(called, Unknown) or not isinstance(called.function, ast.FunctionDef):
        raise _UnseenError
    there = ModuleReader(reader.project, called.module)
    if called.module.is_generator(called.function):
        raise _UnseenError
    for node in called.module.returns_of(called.function):
        if node.value is None:
            raise _UnseenError
        yield from _elements(there, node.value)


# ------------------------------------------------------------------------------------- variables
def _of_variable(reader: ModuleReader, name: ast.Name) -> Iterator[Element]:
    bindings = reader.bindings(name)
    if not bindings or any(candidate.scope.kind != "function" for candidate in bindings):
        raise _UnseenError
    for binding in bindings:
        given = bound_list(reader.module, binding)
        if given is None:
            raise _UnseenError
        yield from _elements(reader, given)
    yield from _changes(reader, bindings[0].scope, name)


def _changes(reader: ModuleReader, scope: Scope, name: ast.Name) -> Iterator[Element]:
    """Yield what the uses of a variable of ``scope`` put into its list."""
    for read in reader.module.scopes.reads_in(scope, name.id):
        yield from _added(reader, read, scope)


def _added(reader: ModuleReader, read: ast.Name, scope: Scope) -> Iterator[Element]:
    """Yield what a use of a variable puts into its list."""
    parts = added_parts(reader.module, read)
    for part in parts or ():
        # A method is called in a loop, or in another function.
        repeated = _is_in_loop(reader, read, scope)
        for element in _of_part(reader, part):
            yield structs.replace(element, repeated=element.repeated or repeated)
    if parts is None and not _is_only_read(reader, read, scope):
        raise _UnseenError


def _is_in_loop(reader: ModuleReader, node: ast.AST, scope: Scope) -> bool:
    for above in reader.module.ancestors(node):
        if above is scope.node:
            return False
        if isinstance(above, _LOOPS):
            return True
    # It is in a function inside this one, which may be called again and again.
    return True


def _is_only_read(reader: ModuleReader, read: ast.Name, scope: Scope) -> bool:
    """Whether nothing can be put into a list by way of ``read``."""
    above = reader.module.parent(read)
    if isinstance(above, ast.Return | ast.Tuple):
        return _is_returned(reader, above, scope)
    # The additions of ``+=`` to the variable are read as its bindings.
    is_added_to = isinstance(above, ast.AugAssign)
    return is_added_to or only_reads(reader.module, read, _HARMLESS, _READS)


def _is_returned(reader: ModuleReader, node: ast.AST, scope: Scope) -> bool:
    """Whether a list leaves its function only at the end of that."""
    statement = reader.module.parent(node) if isinstance(node, ast.Tuple) else node
    is_own = reader.module.enclosing_function(node) is scope.node
    return is_own and isinstance(statement, ast.Return)
