"""Namespaces with which tests replace objects of the program: ``cast(Orders, namespace)``.

An ``AsyncMock`` calls the attribute that replaces a method which waits.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import asynchronous
from awaken.kit.changes import Member, member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import recursive_items
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_of_program
from awaken.project.values.domain import FunctionOf, InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_NAMESPACE = "types.SimpleNamespace"
_CASTING = 2


def namespaces(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the rewrites of the namespaces that tests cast to classes of a program."""
    functions: dict[tuple[str, int], tuple[Site[ast.AST], FunctionPlace]] = {}
    for module, node in nodes_with(part.project, (b"SimpleNamespace",), ast.Call, is_of_program):
        if len(node.args) != _CASTING:
            continue
        if part.project.qualified_name(module, node.func) in library_names().casts:
            declared = part.project.qualified_name(module, node.args[0]) or ""
            for value, function in _standing_in(part, module, node.args[1], declared):
                place = module.key_of(value)
                functions.setdefault(place, (Site(rule, module, value), function))
    for site, function in functions.values():
        shown = f"the mock of `{function.qualname}`"
        yield member(site, shown, lambda item: _awaited_rewrite(part, item))


@recursive_items
def _standing_in(
    part: SynchronousPart, module: Module, node: ast.expr, declared: str
) -> Iterator[tuple[ast.expr, FunctionPlace]]:
    """Yield what a namespace has in the place of methods of ``declared`` that wait."""
    project = part.project
    if isinstance(node, ast.Name):
        bindings = module.scopes.bindings_of(node)
        node = bindings[0].value if len(bindings) == 1 and bindings[0].value else node
    is_one = isinstance(node, ast.Call) and project.class_facts(declared) is not None
    if not isinstance(node, ast.Call) or not is_one:
        return
    if project.qualified_name(module, node.func) != _NAMESPACE:
        return
    for keyword in node.keywords:
        if keyword.arg is None:
            continue
        methods = project.calls.override_sets().methods(declared, keyword.arg)
        waiting = [method for method in methods if method in part.steps]
        if waiting and not _waits(part, module, keyword.value):
            yield keyword.value, waiting[0]
        for name in _field(part, declared, keyword.arg):
            yield from _standing_in(part, module, keyword.value, name)


def _field(part: SynchronousPart, owner: str, name: str) -> Iterator[str]:
    """Yield the classes of which a class says that its attribute is an instance."""
    module, node = part.project.class_definition(owner) or (None, None)
    for statement in node.body if node is not None else ():
        match statement:
            case ast.AnnAssign(target=ast.Name(id=field), annotation=declared) if (
                field == name and module is not None
            ):
                yield part.project.qualified_name(module, declared) or ""


def _waits(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether what is put there is a function that becomes a coroutine function itself."""
    values = part.project.values.of(module, node).alternatives
    functions = [
        part.function_at(value.module.path, value.module.span(value.node).start)
        for value in values
        if isinstance(value, FunctionOf)
    ]
    are_mocks = bool(values) and all(isinstance(value, InstanceOf) for value in values)
    is_told = bool(functions) and all(function in part.steps for function in functions)
    return is_told or are_mocks


def _awaited_rewrite(part: SynchronousPart, site: Site[ast.AST]) -> Rewrite:
    """Return how a double is awaited. Raises Refused."""
    edits = asynchronous(part.project, site, site.node) if isinstance(site.node, ast.expr) else []
    return Rewrite(f"`{site.module.excerpt(site.node)}` is awaited", edits)
