"""Calls by the name of a function that waits, of which it is not known what they call.

``for key, value in found.items()`` calls no generator whose items cannot be unpacked: that would
raise TypeError.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.find.idle import is_of_uncalled
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.fitting_calls import fits
from awaken.codemods.sqlalchemy.session_to_async.functions.unknown_objects import (
    annotation,
    unknown_behind,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_CALL
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.programs.undefined import is_undefined
from awaken.project.source.trees import Function
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import InstanceOf, Value

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_ITERABLE = {"__getattr__", "__getattribute__", "__getitem__", "__iter__"}


def unpacks_others(
    part: SynchronousPart, module: Module, call: ast.Call, function: FunctionPlace
) -> bool:
    """Whether ``call``, of ``module``, is unpacked item by item, and ``function`` yields others."""
    above = module.parent(call)
    match above:
        case (
            ast.For(iter=iterated, target=ast.Tuple() | ast.List())
            | ast.comprehension(iter=iterated, target=ast.Tuple() | ast.List())
        ) if iterated is call:
            pass
        case _:
            return False
    home, node = part.node_of(function) or (None, None)
    if home is None or node is None:
        return False
    if all(_does_nothing(statement) for statement in node.body):
        # It gives None, or another method runs in its place.
        return True
    if not home.is_generator(node):
        return False
    yielded = [*_yielded_nodes(home, node)]
    return bool(yielded) and all(
        item is not None and _is_no_iterable(part.project, home, item) for item in yielded
    )


def _does_nothing(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass)


def _yielded_nodes(module: Module, function: Function) -> list[ast.expr | None]:
    """Return what a function yields; None for what another one does in its place."""
    yields = module.yields_of(function)
    return [node.value if isinstance(node, ast.Yield) else None for node in yields]


def _is_no_iterable(project: Project, module: Module, node: ast.expr) -> bool:
    possible_values = project.values.of(module, node)
    return (
        possible_values.is_known
        and bool(possible_values.alternatives)
        and all(_is_plain_object(project, value) for value in possible_values.alternatives)
    )


def _is_plain_object(project: Project, value: Value) -> bool:
    """Whether a value is an object of a class of the program that has no items."""
    if not isinstance(value, InstanceOf):
        return False
    facts = project.class_facts(value.qualified)
    above = set(project.library_ancestors(value.qualified))
    if facts is None or not above <= {"abc.ABC", "builtins.object"}:
        return False
    classes = [value.qualified, *project.all_subclasses(value.qualified)]
    known = [project.class_facts(class_) for class_ in classes]
    names = {name for item in known if item is not None for name in item.attributes}
    return len(classes) == len([candidate for candidate in known if candidate is not None]) and (
        names.isdisjoint(_ITERABLE)
    )


def unresolved_calls(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the calls that may reach a function which becomes a coroutine function.

    Left out are calls with arguments that it does not take, unreachable ones, and awaited ones. So
    are those that unpack another result, and those in files that no process runs with the function.
    """
    project = part.project
    by_name = groups_of(part.steps, lambda function: function.name)
    escaping = {place for component in part.escaping_components for place in component.calls}
    for call in project.calls.graph().unresolved_calls(by_name):
        if call.place in escaping:
            continue
        module, node = next(iter(project.calls_at(call.place)), (None, None))
        if module is None or node is None or set(call.functions) & set(part.steps):
            continue
        if _is_of_session(part, module, node) or _is_behind_error(part, module, node):
            continue
        if is_awaited_already(module, call) or is_of_uncalled(project, module, node):
            continue
        fitting = [
            one
            for one in by_name[call.name]
            if fits(part, module, node, one)
            and not unpacks_others(part, module, node, one)
            and project.calls.may_meet(module.path, one.path)
        ]
        if fitting:
            why = f"`{fitting[0].qualname}`, which becomes a coroutine function: {call.why}"
            site: Site[ast.AST] = Site(rule, module, node)
            along = tuple(item.place for item in fitting)
            shown = f"`{module.excerpt(node)}`"
            unknown = unknown_behind(project, (call.place,))
            kinds = {item.qualname.rpartition(".")[0] for item in fitting}
            cure = annotation(project, (call.place,), kinds.pop() if len(kinds) == 1 else "")
            because = () if unknown is None or not cure else (unknown.place,)
            yield Member(site, Refused(UNKNOWN_CALL, why, cure, because), shown, along)


def is_awaited_already(module: Module, call: Call) -> bool:
    """Whether a call that is not resolved is awaited: it gives what a decorator makes of it."""
    nodes = module.calls_at(call.place.span) if call.kind == "unknown" else []
    return any(isinstance(module.parent(node), ast.Await) for node in nodes)


def _is_of_session(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether a method of a session is called, as those who call the function around tell."""
    if not isinstance(call.func, ast.Attribute):
        return False
    return isinstance(part.project.orm.session_of(module, call.func.value), SessionProof)


def _is_behind_error(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether a session is asked for what it does not have before: ``session.select(X).filter()``.

    That raises AttributeError, so nothing is called on it. Nor is anything on an undefined name.
    """
    project = part.project
    if is_undefined(project, module, call.func):
        return True
    for node in ast.walk(call.func):
        if isinstance(node, ast.Attribute) and node is not call.func:
            if node.attr in twins().members["session"]:
                continue
            proof = project.orm.session_of(module, node.value)
            match proof:
                case SessionProof(kind="session", unless="", query_class=""):
                    # A program may set it itself.
                    if not project.files_with((f".{node.attr} =".encode(),)):
                        return True
    return False
