"""What a gather is given: coroutines one by one, and starred arguments that hold several."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from awaken.codemods.asyncio.gather_to_taskgroup.reasons import (
    AWAIT_IN_ARGUMENT,
    CREATED_EARLIER,
    DUPLICATE,
    NOT_A_COROUTINE,
)
from awaken.kit.sites import Refused
from awaken.project.effects import suspensions
from awaken.project.source.trees import walk
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

Comprehension = ast.ListComp | ast.GeneratorExp
_MAKES_TASK = {
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.AbstractEventLoop.create_task",
}
_KEPT = {"name", "context", "coro", "coro_or_future"}


@dataclass(frozen=True, slots=True)
class Given:
    """One argument.

    ``one``: a coroutine; ``comprehension`` and ``display``: starred, and written in place;
    ``each``: starred, and anything else. ``coroutines`` are the expressions that give what runs.
    ``is_task``: in the code ``create_task()`` stands around them.
    """

    node: ast.expr
    kind: Literal["one", "comprehension", "display", "each"]
    coroutines: tuple[ast.expr, ...]
    is_task: bool = False

    @property
    def is_one(self) -> bool:
        """Whether it is a single coroutine."""
        return self.kind == "one"


def given_to(project: Project, module: Module, call: ast.Call) -> list[Given]:
    """Return the arguments of ``call``. Raises Refused where one cannot be started by a group."""
    for argument in call.args:
        _check_at_once(module, argument)
    found = [_given(project, module, one) for one in call.args]
    _check_different(module, found)
    return found


def _check_at_once(module: Module, argument: ast.expr) -> None:
    """Raise Refused if tasks would start to run while ``argument`` is evaluated."""
    pauses = suspensions(argument)
    walrus = [one for one in walk(argument) if isinstance(one, ast.NamedExpr)]
    for node in (*pauses.awaits, *pauses.yields, *walrus):
        raise Refused(AWAIT_IN_ARGUMENT, module.excerpt(node))


def _check_different(module: Module, found: Sequence[Given]) -> None:
    names = [one.node.id for one in found if isinstance(one.node, ast.Name)]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise Refused(DUPLICATE, twice)
    del module


def _given(project: Project, module: Module, argument: ast.expr) -> Given:
    if not isinstance(argument, ast.Starred):
        inner = _started(project, module, argument)
        return Given(argument, "one", (inner,), is_task=inner is not argument)
    value = argument.value
    match value:
        case ast.ListComp() | ast.GeneratorExp():
            inner = _started(project, module, value.elt)
            return Given(value, "comprehension", (inner,), is_task=inner is not value.elt)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) if elements:
            return _display(project, module, value, elements)
        case ast.Name():
            return _variable(project, module, value)
        case _:
            raise Refused(NOT_A_COROUTINE, module.excerpt(argument))


def _display(
    project: Project, module: Module, value: ast.expr, elements: Sequence[ast.expr]
) -> Given:
    starred = next((one for one in elements if isinstance(one, ast.Starred)), None)
    if starred is not None:
        raise Refused(NOT_A_COROUTINE, module.excerpt(starred))
    inner = tuple(_started(project, module, one) for one in elements)
    tasks = {one is not each for one, each in zip(inner, elements, strict=True)}
    if len(tasks) > 1:
        raise Refused(NOT_A_COROUTINE, module.excerpt(value))
    return Given(value, "display", inner, is_task=tasks == {True})


def _started(project: Project, module: Module, node: ast.expr) -> ast.expr:
    """Return the coroutine that ``node`` is, or makes a task of. Raises Refused."""
    inner = _in_task(project, module, node)
    _require_coroutine(project, module, inner)
    return inner


def _in_task(project: Project, module: Module, node: ast.expr) -> ast.expr:
    """Return what ``node`` makes a task of; ``node`` itself if it does not."""
    if not isinstance(node, ast.Call):
        return node
    names = set(project.effects.library_functions(module, node))
    passed = [*node.args, *(one.value for one in node.keywords if (one.arg or "")[:4] == "coro")]
    if (
        not names
        or not names <= _MAKES_TASK
        or len(passed) != 1
        or isinstance(passed[0], ast.Starred)
        or not all(one.arg in _KEPT for one in node.keywords)
    ):
        return node
    return passed[0]


def _require_coroutine(project: Project, module: Module, node: ast.expr) -> None:
    kind = project.effects.awaitable(module, node)
    if kind != "coroutine":
        because = (kind.place,) if isinstance(kind, Unknown) else ()
        raise Refused(NOT_A_COROUTINE, module.excerpt(node), because=because)


# ------------------------------------------------------------------------------ lists of coroutines
def _variable(project: Project, module: Module, name: ast.Name) -> Given:
    """Return the variable ``name`` that holds coroutines: a list that is built in the function."""
    parts = list(_put_into(module, name))
    coroutines = tuple(_in_task(project, module, one) for one in parts)
    made = [one for one, inner in zip(parts, coroutines, strict=True) if one is not inner]
    if made:
        raise Refused(CREATED_EARLIER, name.id, because=(module.place(made[0]),))
    for one in coroutines:
        _require_coroutine(project, module, one)
    return Given(name, "each", coroutines)


def _put_into(module: Module, name: ast.Name) -> Iterator[ast.expr]:
    """Yield all that the list ``name`` may hold. Raises Refused where that cannot be told."""
    refused = Refused(NOT_A_COROUTINE, f"*{name.id}")
    scope = module.scopes.scope_of(name)
    bindings = module.scopes.bindings_of(name)
    if not bindings or any(
        one.scope is not scope or one.kind != "assignment" or one.value is None for one in bindings
    ):
        raise refused
    for binding in bindings:
        if binding.value is not None:
            yield from _items(binding.value, refused)
    for read in module.scopes.reads_of(name):
        if read is not name:
            yield from _added(module, read, refused)


def _items(value: ast.expr, refused: Refused) -> Iterator[ast.expr]:
    match value:
        case ast.ListComp() | ast.GeneratorExp():
            yield value.elt
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for one in elements:
                if isinstance(one, ast.Starred):
                    yield from _items(one.value, refused)
                else:
                    yield one
        case _:
            raise refused


_READING = {"len", "zip", "enumerate", "bool"}


def _added(module: Module, read: ast.Name, refused: Refused) -> Iterator[ast.expr]:
    """Yield what is put into a list where it is read, if that is all that may happen to it."""
    above = module.parent(read)
    call = None if above is None else module.parent(above)
    match above, call:
        case ast.Attribute(attr="append"), ast.Call(args=[added], keywords=[], func=func):
            if func is not above or isinstance(added, ast.Starred):
                raise refused
            yield added
        case ast.Attribute(attr="extend"), ast.Call(args=[added], keywords=[], func=func):
            if func is not above:
                raise refused
            yield from _items(added, refused)
        case (ast.If() | ast.While() | ast.IfExp(), _) if getattr(above, "test", None) is read:
            return
        case ast.UnaryOp(op=ast.Not()), _:
            return
        case ast.Call(), _ if module.scopes.builtin_called(above) in _READING:
            return
        case _:
            raise refused
