"""Engines and functions of the program that files of Alembic use, and that become asynchronous."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf, Producer, Session, Value

if TYPE_CHECKING:
    from awaken.project import Project


_SET_OPTION = "set_main_option"


class Given(NamedTuple):
    """An expression that is, or may be, an engine, a connection or a session of the program's.

    ``sources`` are the places of the functions that give it, or of what a file defines.
    """

    node: ast.expr
    sources: tuple[Place, ...]


def given_in(project: Project, module: Module) -> Iterator[Given]:
    """Yield what a file of Alembic gets from the rest of the program."""
    for node in module.walk():
        if isinstance(node, ast.Call) or (
            isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
        ):
            sources = _sources(project, module, node)
            values = () if sources is None else project.values.of(module, node).alternatives
            if sources is not None and any(map(_is_resource, values)):
                yield Given(node, sources)


def urls_for_alembic(project: Project) -> Iterator[tuple[Module, Given]]:
    """Yield the engines whose URLs the program sets in configurations of Alembic."""
    for module, call in nodes_with(project, (_SET_OPTION.encode(),), ast.Call, revisions=False):
        if last_name(call.func) != _SET_OPTION:
            continue
        for node in module.walk(call):
            if isinstance(node, ast.Attribute) and node.attr == "url":
                values = project.values.of(module, node.value).alternatives
                if any(map(_is_resource, values)):
                    sources = _sources(project, module, node.value)
                    yield module, Given(node.value, sources or (module.place(node.value),))


def _sources(project: Project, module: Module, node: ast.expr) -> tuple[Place, ...] | None:
    """Return the definitions in other files that a call or a name uses; None if there are none.

    Empty where it is of another file, and more than one thing there may be meant.
    """
    if isinstance(node, ast.Call):
        called = project.calls.functions_called(module, node)
        callees = called if isinstance(called, tuple) else ()
        places = tuple(
            item.module.place(item.function) for item in callees if item.module.path != module.path
        )
        return places or None
    name = project.qualified_name(module, node)
    if name is None:
        return _sources(project, module, node.value) if isinstance(node, ast.Attribute) else None
    while name:
        place = project.definition(name)
        if place is not None:
            return None if place.path == module.path else (Place(place.path, place.span),)
        path = project.layout.find(name, module.path).path
        if path is not None:
            return None if path == module.path else ()
        name = name.rpartition(".")[0]
    return None


def _is_resource(value: Value) -> bool:
    match value:
        case Session(kind=kind):
            return kind in {"scoped", "session"}
        case InstanceOf(qualified=qualified):
            return qualified in library_names().engines
        case Producer(how=how, inner=inner):
            return how != "callable" and any(map(_is_resource, inner))
    return False
