"""The places that take the locks of threads, and the code that runs while they are held."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place, Span
from awaken.kit.search import argument, modules_with
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.locks import locks
from awaken.project.effects.places.held import lock_of
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import Managers
    from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import EntryPoints
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_KINDS = (locks().kinds.keys() - locks().of_tasks) | {*boundaries().threads.locks}
_WORDS = (*sorted({name.partition(".")[0].encode() for name in _KINDS}), b"lock", b"Lock", b"mutex")
_LIKE_A_LOCK = re.compile(r"\b(\w+_)?r?lock\b|\w*[a-z]Lock\b|\bR?Lock\b|mutex|semaphore")


class Part(Protocol):
    """The questions to the synchronous part of a program."""

    project: Project
    managers: Managers

    @property
    def steps(self) -> Collection[FunctionPlace]:
        """The functions that become coroutine functions."""
        ...

    @property
    def entry_points(self) -> EntryPoints:
        """The functions that something calls outside of the event loop."""
        ...

    def node_of(self, function: FunctionPlace) -> tuple[Module, Function] | None:
        """Return the definition of a function; None for the code outside of all."""
        ...

    def function_around(self, module: Module, node: ast.AST) -> FunctionPlace:
        """Return the function in which ``node`` runs."""
        ...

    def operations_of(self, module: Module, function: FunctionPlace) -> list[Operation]:
        """Return the operations of a function of ``module``."""
        ...

    def is_asynchronous(self, function: FunctionPlace) -> bool:
        """Whether a function is a coroutine function already."""
        ...


class Taking(Struct, frozen=True):
    """A lock is taken ``at`` an expression of ``function``, and is ``held`` there afterwards.

    ``shown`` is that expression. ``lock`` is the qualified name of a variable or attribute, empty
    for others, and ``made`` what makes it. ``is_with`` says that a ``with`` statement names it,
    ``call`` is an ``acquire()`` without arguments that does. ``is_kept`` says that the function is
    left while it is held: at a ``yield``, or for good. A function that takes it ``through`` another
    enters or calls such a function.
    """

    at: Place
    function: FunctionPlace
    held: Span
    shown: str
    lock: str = ""
    made: str = ""
    is_with: bool = False
    call: Place | None = None
    is_kept: bool = False
    is_through: bool = False


def takings(part: Part) -> Iterator[Taking]:
    """Yield where a program takes locks.

    A function that enters a manager which takes a lock, or calls such a function, takes it too.
    """
    result: list[Taking] = []
    for module in modules_with(part.project, _WORDS):
        result += (
            taking
            for node in module.nodes_of(ast.withitem, ast.Call)
            for taking in _takings_at(part, module, node)
        )
    yield from result
    kept = {candidate.function: candidate for candidate in result if candidate.is_kept}
    for function, taking in kept.items():
        for module, node, held in _entries(part, function):
            yield replace(
                taking,
                at=module.place(node),
                function=part.function_around(module, node),
                held=held,
                shown=module.excerpt(node),
                is_with=False,
                call=None,
                is_kept=False,
                is_through=True,
            )


def _takings_at(part: Part, module: Module, node: ast.AST) -> Iterator[Taking]:
    project = part.project
    match node:
        case ast.withitem(context_expr=entered):
            statement = module.parent(node)
            end = module.span(statement or node).end
        case ast.Call(func=ast.Attribute(value=entered, attr="acquire")) if _waits(node):
            end = _released_number(module, node, entered)
        case ast.Call(func=ast.Attribute(attr="enter_context"), args=[entered]):
            end = _end_around(module, node)
        case _:
            return
    made = _made_call(project, module, entered)
    if made is None:
        return
    known = lock_of(project, module, entered)
    held = Span(module.span(entered).end, end)
    is_with = isinstance(node, ast.withitem)
    is_plain = isinstance(node, ast.Call) and not (node.args or node.keywords)
    yield Taking(
        module.place(entered),
        part.function_around(module, entered),
        held,
        module.excerpt(entered),
        "" if known is None else known.name,
        made,
        is_with,
        module.place(node) if is_plain else None,
        _yields(module, entered, held) or (not is_with and _is_never_released(module, node)),
    )


def _made_call(project: Project, module: Module, node: ast.expr) -> str | None:
    """Return the call that makes the lock ``node``, or None."""
    values = project.values.of(module, node).alternatives
    made = sorted({value.qualified for value in values if isinstance(value, InstanceOf)} & _KINDS)
    if made:
        return made[0]
    named = node.func if isinstance(node, ast.Call) else node
    # For unknown values, the name says whether it may be one.
    return None if values or not _LIKE_A_LOCK.search(last_name(named)) else ""


def _waits(call: ast.Call) -> bool:
    """Whether ``acquire`` waits until the lock is free."""
    blocking = argument(call, 0, "blocking")
    return not (isinstance(blocking, ast.Constant) and blocking.value is False)


def _released_number(module: Module, call: ast.Call, lock: ast.expr) -> int:
    """Return where the lock is released at last that ``call`` acquires."""
    function = module.enclosing_function(call) or module.tree
    text = module.text_of(lock)
    ends = [
        module.span(node).end
        for node in module.nodes_below(function, ast.Attribute)
        if node.attr == "release" and module.text_of(node.value) == text
    ]
    return max(ends, default=_end_around(module, call))


def _is_never_released(module: Module, call: ast.AST) -> bool:
    match call:
        case ast.Call(func=ast.Attribute(value=lock, attr="acquire")):
            return _released_number(module, call, lock) == _end_around(module, call)
    return False


def _end_around(module: Module, node: ast.AST) -> int:
    return module.span(module.enclosing_function(node) or module.tree).end


def _yields(module: Module, node: ast.AST, held: Span) -> bool:
    function = module.enclosing_function(node)
    return any(
        isinstance(part, ast.Yield | ast.YieldFrom) and held.contains(module.span(part))
        for part in (() if function is None else module.walk(function))
    )


def _entries(part: Part, function: FunctionPlace) -> Iterator[tuple[Module, ast.expr, Span]]:
    """Yield what enters the manager that ``function`` makes or is of, or calls it, and how long."""
    for call in part.managers.callers(function):
        for module, node in part.project.expressions_at(call.place):
            item = module.parent(node)
            statement = module.parent(item) if isinstance(item, ast.withitem) else None
            end = _end_around(module, node) if statement is None else module.span(statement).end
            yield module, node, Span(module.span(node).end, end)
            break
