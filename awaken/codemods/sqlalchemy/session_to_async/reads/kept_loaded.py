"""What a call that reads objects again would unload: it loads that again as well.

`populate_existing` resets each relationship that its statement does not load (SQLAlchemy,
``LazyLoader.create_row_processor``), also of objects that others hold and read later.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.project.frameworks.sqlalchemy.commits.reloads import SELECTS
from awaken.project.frameworks.sqlalchemy.reads.domain import Load, Trace

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

_DEEPEST = 4
"""Relationships one behind the other; the options of the programs measured name three."""


def kept_loaded(
    project: Project, place: Place, ahead: Callable[[str], Iterable[str]]
) -> Iterator[Trace]:
    """Yield the ways from a call, or from the statement that it executes, to what it resets.

    ``ahead`` gives the relationships of a class that something loads before they are read.
    """
    module = project.module(place.path)
    if module is None:
        return
    for call in module.calls_at(place.span)[:1]:
        reload = project.orm.commits.reloads.of(module, call)
        statement = None if reload is None else reload.statement
        begin = call if statement is None else _begin(project, module, statement)
        if reload is None or begin is None:
            continue
        load = Load("get" if reload.by_key else "select", module.place(begin))
        for given in begin.args[:1] if reload.by_key else begin.args:
            name = project.qualified_name(module, given)
            if name is not None and project.orm.mapped_class(name) is not None:
                for path in _paths(project, (name,), ahead):
                    yield Trace(load, path)


def _begin(project: Project, module: Module, statement: ast.expr) -> ast.Call | None:
    """Return the call that begins a statement, which a variable may hold."""
    for _ in range(len(module.source.text)):
        match statement:
            case ast.Call() if project.qualified_name(module, statement.func) in SELECTS:
                return statement
            case ast.Call(func=ast.Attribute(value=inner)):
                statement = inner
            case ast.Name():
                bindings = module.scopes.bindings_of(statement)
                values = [one.value for one in bindings if one.kind == "assignment"]
                if len(bindings) != 1 or len(values) != 1 or values[0] is None:
                    return None
                statement = values[0]
            case _:
                return None
    return None


def _paths(
    project: Project, classes: tuple[str, ...], ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[str, ...]]:
    """Yield the relationships that lead on from the last of ``classes``, and not back to one."""
    owner = classes[-1]
    mapped = project.orm.mapped_class(owner)
    for name in sorted(set(ahead(owner))) if mapped is not None else ():
        facts = mapped.relationships.get(name) if mapped is not None else None
        if facts is None or facts.target is None or facts.target in classes:
            continue
        step = f"{owner}.{name}"
        yield (step,)
        if len(classes) < _DEEPEST:
            for further in _paths(project, (*classes, facts.target), ahead):
                yield (step, *further)
