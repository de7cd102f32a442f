"""Relationships that a reload would reset: the statement loads them as well.

`populate_existing` resets each relationship that its statement does not load (SQLAlchemy,
``LazyLoader.create_row_processor``), also of objects that other code holds and reads later. A
separate statement that leads back to an object resets the relationships that the first statement
loaded: such a call stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import library_names
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.sqlalchemy.keys import direction
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Load, Trace
from awaken.project.source.trees import last_name
from awaken.project.source.worklist import LONGEST_PATH, MOST_STEPS, Worklist
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.kit.relationships.sides import Key
    from awaken.project import Project
    from awaken.project.source.modules import Module


def kept_loaded(
    project: Project, place: Place, ahead: Callable[[str], Iterable[str]]
) -> Iterator[Trace]:
    """Yield the ways from a call, or from the statement that it executes, to what it resets.

    ``ahead`` gives the relationships of a class that something loads before they are read.
    """
    for module, call in project.calls_at(place)[:1]:
        for load, name, reset in _selected_classes(project, module, call, ahead):
            yield from (Trace(load, path) for path in _paths(project, (name,), reset))


def classes_given(
    project: Project, module: Module, call: ast.Call, ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[Place, str]]:
    """Yield the classes of objects that a call loads, selected or not, each with its load."""
    for load, name, reset in _selected_classes(project, module, call, ahead):
        yield load.place, name
        for path in _paths(project, (name,), reset):
            owner, _, last = path[-1].rpartition(".")
            if (target := project.orm.models.target_of(owner, last)) is not None:
                yield load.place, target


def loaded_by_options(project: Project, place: Place) -> set[Key]:
    """Return the relationships that loader options name in the chain which begins at a place."""
    names: set[Key] = set()
    for module, begin in project.calls_at(place)[:1]:
        chain: ast.expr = begin
        while isinstance(above := module.parent(chain), ast.Attribute | ast.Call):
            chain = above
        names.update(_options(project, module, chain))
    return names


def _selected_classes(
    project: Project, module: Module, call: ast.Call, ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[Load, str, Callable[[str], Iterable[str]]]]:
    """Yield the classes that a call selects, each with what gives the relationships loaded."""
    reload = project.orm.commits.reloads.reload_by(module, call)
    statement = None if reload is None else reload.statement
    begin = call if statement is None else _begin(project, module, statement)
    if reload is None or begin is None:
        return
    load = Load("get" if reload.by_key else "select", module.place(begin))
    options = set(_options(project, module, reload.statement or call))

    def reset(owner: str) -> Iterable[str]:
        return {*ahead(owner), *(name for each, name in options if each == owner)}

    for selected in begin.args[:1] if reload.by_key else begin.args:
        name = project.qualified_name(module, selected)
        if name is not None and project.orm.mapped_class(name) is not None:
            yield load, name, reset


def _options(project: Project, module: Module, statement: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the relationships that the options of a call load. Objects there are reset as well."""
    for home, argument, _ in _steps(project, module, statement):
        if isinstance(argument, ast.Attribute):
            yield project.qualified_name(home, argument.value) or "", argument.attr


def _steps(
    project: Project, module: Module, statement: ast.expr
) -> Iterator[tuple[Module, ast.expr, str]]:
    """Yield the arguments of the loader options of a statement, with the names of the options."""
    for home, node in _expressions(project, module, statement):
        name = last_name(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name.endswith("load"):
            yield from ((home, argument, name) for argument in node.args)


def leads_back(
    project: Project,
    place: Place,
    traces: Iterable[Trace],
    ways_back: Collection[Key],
    mapped: Collection[Key],
) -> bool:
    """Whether a call loads by its options, in a statement of its own, what it loaded before.

    That is a class of which the options load more, and which is selected or in another step.
    ``traces`` are the options that statements get. The mapping loads ``mapped`` relationships, and
    goes on by ``ways_back``.
    """
    for module, call in project.calls_at(place)[:1]:
        reload = project.orm.commits.reloads.reload_by(module, call)
        if reload is None:
            continue
        begin = call if reload.by_key else _begin(project, module, reload.statement or call)
        own = (trace for trace in traces if begin and trace.load.place == module.place(begin))
        if any(_returns(project, trace.path, ways_back, mapped) for trace in own):
            return True
        steps = {
            (*_ends(project, home, argument), name)
            for home, argument, name in _steps(project, module, reload.statement or call)
        }
        selected = [project.qualified_name(module, each) for each in begin.args] if begin else []
        separate = library_names().separate_loaders
        for owner in {owner for owner, _, _, name in steps if name in separate}:
            related = {owner, *project.orm.mapping_ancestors(owner), *project.all_subclasses(owner)}
            again = [name for _, _, target, name in steps if target in related]
            is_first = not selected or not {None, *related}.isdisjoint(selected)
            if len(again) + is_first > 1 and not separate.isdisjoint(again):
                return True
    return False


def _returns(
    project: Project, path: Iterable[str], ways_back: Collection[Key], mapped: Collection[Key]
) -> bool:
    """Whether one of ``ways_back`` leads to objects of which a step before it is reset.

    The mapping loads ``mapped`` relationships again with them.
    """
    reset, orm = set[str](), project.orm
    for owner, _, name in (step.rpartition(".") for step in path):
        if (owner, name) not in mapped:
            reset |= {owner, *orm.mapping_ancestors(owner)}
        target = orm.models.target_of(owner, name)
        around = set[str]() if target is None else {target, *orm.mapping_ancestors(target)}
        if any(key[0] in around and orm.models.target_of(*key) in reset for key in ways_back):
            return True
    return False


def _ends(project: Project, module: Module, node: ast.expr) -> tuple[str, str, str]:
    """Return the class of a relationship that an option names, its name, and where it leads."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value  # of_type(...), and_(...)
    if not isinstance(node, ast.Attribute):
        return "", "", ""
    owner = project.qualified_name(module, node.value) or ""
    for name in project.orm.mapping_ancestors(owner) if owner else ():
        facts = project.orm.models.relationship(name, node.attr)
        if facts is not None:
            return owner, node.attr, facts.target or ""
    return owner, node.attr, ""


def _expressions(
    project: Project, module: Module, node: ast.expr
) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what a statement is made of, by variables and functions of the program as well."""
    starts: list[tuple[Module, ast.AST]] = [(module, node)]
    waiting = Worklist(starts, lambda pair: pair[1])
    for home, part in waiting:
        if len(waiting.seen) > MOST_STEPS:
            return
        for inner in home.walk(part):
            if isinstance(inner, ast.Call):
                called = project.calls.functions_called(home, inner)
                if not isinstance(called, Unknown):
                    waiting += [(each.module, each.function) for each in called]
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                waiting += _assigned(project, home, inner)
            if isinstance(inner, ast.expr):
                yield home, inner


def _assigned(project: Project, module: Module, name: ast.Name) -> Iterator[tuple[Module, ast.AST]]:
    """Yield what a variable was given, here or in the file that it is imported from."""
    for binding in module.scopes.bindings_of(name):
        if binding.kind == "assignment" and binding.value is not None:
            yield module, binding.value
    pair = project.value_at(project.qualified_name(module, name))
    if pair is not None and pair[0] is not module:
        yield pair


def _begin(project: Project, module: Module, statement: ast.expr) -> ast.Call | None:
    """Return the call that begins a statement, which a variable may hold."""
    selects = sql_names().selects
    for _ in range(len(module.source.text)):
        match statement:
            case ast.Call() if project.qualified_name(module, statement.func) in selects:
                return statement
            case ast.Call(func=ast.Attribute(value=inner)):
                statement = inner
            case ast.Name():
                bindings = module.scopes.bindings_of(statement)
                values = [binding.value for binding in bindings if binding.kind == "assignment"]
                if len(bindings) != 1 or len(values) != 1 or values[0] is None:
                    return None
                statement = values[0]
            case _:
                return None
    return None


def _paths(
    project: Project, classes: tuple[str, ...], ahead: Callable[[str], Iterable[str]]
) -> Iterator[tuple[str, ...]]:
    """Yield the relationships that lead on from the last of ``classes``.

    Of those that lead back, it yields single ones whose key is in the other table. The session
    finds other objects by their keys, without a query.
    """
    owner = classes[-1]
    mapped = project.orm.mapped_class(owner)
    for name in sorted(set(ahead(owner))):
        facts = project.orm.models.relationship(owner, name)
        if mapped is None or facts is None or facts.target is None:
            continue
        step = f"{owner}.{name}"
        if facts.target in classes:
            target = project.orm.mapped_class(facts.target)
            has_key = target is not None and direction(mapped, target)
            if has_key and project.orm.is_collection(owner, name) is False:
                yield (step,)
            continue
        yield (step,)
        if len(classes) < LONGEST_PATH:
            for further in _paths(project, (*classes, facts.target), ahead):
                yield (step, *further)
