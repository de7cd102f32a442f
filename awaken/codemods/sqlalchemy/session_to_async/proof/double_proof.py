"""Mocks and fakes in tests: a replacement of a coroutine function can be awaited."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.coloured_results import Results
from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import ENTERING
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import MockedObjects
from awaken.codemods.sqlalchemy.session_to_async.doubles.namespaces import namespaces
from awaken.codemods.sqlalchemy.session_to_async.doubles.replaced_functions import Doubles
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Calls
from awaken.contract import Edit, NeedImport, Place, TextEdit
from awaken.kit.sites import Rewrite
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.colouring import Step
from awaken.project.source.modules import Module
from awaken.project.source.worklist import preorder
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.sources import is_python

if TYPE_CHECKING:
    from awaken.project import Project

_MOCKS = library_names().mocks
_NAMING = (ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef)


class _AsynchronousPart(SynchronousPart):
    """The coroutine functions of a program, as if they still had to become such functions."""

    def __init__(self, after: Project, calls: Calls) -> None:
        # Nothing is read again: synchronous code does not matter here.
        self.project = after
        self.results = Results(after, lambda _: ())
        self._asynchronous, self._lambdas = set(), {}
        before = _coroutines_before(after)
        self.steps = {
            function: Step(Place(function.path, function.place.span), None)
            for function in after.calls.graph().functions()
            if calls.kinds.kind_of(function) == "coroutine"
            and (function.path, function.qualname.replace(".<locals>", "")) not in before
        }

    def operations_of(self, module: Module, function: FunctionPlace) -> list[Operation]:
        """Return what a function awaits of its sessions."""
        known = self.node_of(function)
        return [] if known is None else [*self._awaited_in(module, known[1])]

    def _awaited_in(self, module: Module, function: ast.AST) -> Iterator[Operation]:
        for node in own_nodes(what_runs(function)):
            match node:
                case ast.Await(
                    value=ast.Call(func=ast.Attribute(value=receiver, attr=method)) as call
                ) if method in twins().awaited["session"]:
                    session = self.project.orm.session_of(module, receiver)
                    if isinstance(session, SessionProof):
                        yield Operation(call, "awaited", method=method)


def _coroutines_before(after: Project) -> set[tuple[str, str]]:
    """Return the coroutine functions that a program had before the change: files and names.

    Their replacements were coroutine functions then too.
    """
    coroutines: set[tuple[str, str]] = set()
    for path in after.before or ():
        source = after.before.get(path) if after.before is not None and is_python(path) else None
        if source is None or b"async def" not in source.text:
            continue
        with suppress(Unparsable):
            start: tuple[str, ast.AST] = "", parse_text(source.text)
            for name, node in preorder([start], _named_inside):
                coroutines |= {(path, name)} if isinstance(node, ast.AsyncFunctionDef) else set()
    return coroutines


def _named_inside(pair: tuple[str, ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    around, node = pair
    for child in ast.iter_child_nodes(node):
        name = child.name if isinstance(child, _NAMING) else ""
        yield f"{around}.{name}".strip("."), child


def synchronous_doubles(
    after: Project, calls: Calls, paths: AbstractSet[str]
) -> Iterator[tuple[Place, str]]:
    """Yield the doubles, in ``paths``, that nobody can await where somebody does."""
    yield from _of_managers(after, calls, paths)
    part = _AsynchronousPart(after, calls)
    for result in (Doubles(part, ""), MockedObjects(part, ""), namespaces(part, "")):
        for member in result:
            outcome = member.outcome
            is_left = not isinstance(outcome, Rewrite) or any(map(_lets_await, outcome.edits))
            if is_left and member.site.place.path in paths:
                what = f"{member.shown} is awaited, but does not return an awaitable"
                yield member.site.place, what


def _lets_await(edit: Edit) -> bool:
    """Whether an edit is what makes a double awaited: others say what it gives then.

    ``patch`` itself makes an ``AsyncMock`` of a coroutine function.
    """
    is_text = isinstance(edit, NeedImport | TextEdit)
    return not is_text or (isinstance(edit, TextEdit) and "sync" in edit.text)


def _of_managers(
    after: Project, calls: Calls, paths: AbstractSet[str]
) -> Iterator[tuple[Place, str]]:
    """Yield where a mock of an asynchronous manager is configured as a synchronous one."""
    for module in after.modules_at(sorted(paths)):
        for replacement in after.replacements.in_module(module):
            kinds = {calls.kinds.kind_of(function) for function in replacement.functions}
            around = module.enclosing_function(replacement.node)
            if around is None or kinds != {"manager"} or not replacement.bound:
                continue
            for node in module.walk(around):
                if _is_entered_synchronously(after, module, node, replacement.bound):
                    yield module.place(node), f"`{module.excerpt(node)}` is not asynchronous"


def _is_entered_synchronously(after: Project, module: Module, node: ast.AST, name: str) -> bool:
    match node:
        case ast.Attribute(
            value=ast.Attribute(value=ast.Name(id=held), attr="return_value"), attr=method
        ) if held == name:
            above = module.parent(node)
            value = above.value if isinstance(above, ast.Assign) else None
            made = value.func if isinstance(value, ast.Call) else None
            is_mock = made is not None and after.qualified_name(module, made) in _MOCKS
            return method in ENTERING or (method in ENTERING.values() and is_mock)
    return False
