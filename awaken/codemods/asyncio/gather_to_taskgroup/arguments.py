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
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.codemods.asyncio.gather_to_taskgroup.placing import Position
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

    ``one``: a coroutine; ``comprehension``: starred, and written in place; ``each``: starred, and
    anything else. ``coroutines`` are the expressions that give what runs. ``is_task``: in the code
    ``create_task()`` stands around them.
    """

    node: ast.expr
    kind: Literal["one", "comprehension", "each"]
    coroutines: tuple[ast.expr, ...]
    is_task: bool = False

    @property
    def is_one(self) -> bool:
        """Whether it is a single coroutine."""
        return self.kind == "one"


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a gather runs.

    ``built`` is the statement directly above it that makes the list it is given, for nothing else.
    ``unpacks``: the arguments are the elements of the list that is starred, or built.
    """

    given: Sequence[Given]
    built: ast.Assign | None = None
    unpacks: bool = False


def gathered_by(project: Project, module: Module, call: ast.Call, position: Position) -> Gathered:
    """Return what ``call`` runs. Raises Refused where a task group cannot start it."""
    for argument in call.args:
        _check_at_once(module, argument)
    match call.args:
        case [ast.Starred(value=ast.Name() as name)]:
            built = built_for(module, name, position)
            if built is not None:
                _check_at_once(module, built.value)
                found = _passed(project, module, built.value)
                return Gathered(found, built, unpacks=_is_display(built.value))
        case [ast.Starred(value=value)] if _is_display(value):
            return Gathered(_passed(project, module, value), unpacks=True)
    found = [_given(project, module, one) for one in call.args]
    _check_different(found)
    return Gathered(found)


def _passed(project: Project, module: Module, value: ast.expr) -> list[Given]:
    """Return the elements of a display, or the one comprehension that ``value`` is."""
    if not isinstance(value, ast.List | ast.Tuple):
        return [_starred(project, module, value)]
    found = [_given(project, module, one) for one in value.elts]
    _check_different(found)
    return found


def _is_display(value: ast.expr) -> bool:
    return isinstance(value, ast.List | ast.Tuple) and bool(value.elts)


def built_for(module: Module, name: ast.Name, position: Position) -> ast.Assign | None:
    """Return the statement that makes the list ``name`` directly above the gather.

    None where it is used otherwise, or where the two cannot become one.
    """
    block = module.block_of(position.statement)
    at = block.index(position.statement)
    match block[at - 1] if at else None:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) as built if target == name.id:
            is_written = isinstance(value, ast.ListComp | ast.GeneratorExp) or _is_display(value)
            is_alone = len(module.scopes.bindings_of(name)) == 1
            is_read_once = module.scopes.reads_of(name) == [name]
            # The comments of a statement that goes would have no line to stand on.
            keeps = not position.is_ignored or not _has_comments(module, built, position.statement)
            return built if is_written and is_alone and is_read_once and keeps else None
        case _:
            return None


def _has_comments(module: Module, above: ast.stmt, statement: ast.stmt) -> bool:
    text, end = module.source.text, module.span(statement).end
    until = LINE_END_BYTES.search(text, end)
    return b"#" in text[module.span(above).end : len(text) if until is None else until.start()]


def _check_at_once(module: Module, argument: ast.expr) -> None:
    """Raise Refused if tasks would start to run while ``argument`` is evaluated."""
    pauses = suspensions(argument)
    walrus = [one for one in walk(argument) if isinstance(one, ast.NamedExpr)]
    for node in (*pauses.awaits, *pauses.yields, *walrus):
        raise Refused(AWAIT_IN_ARGUMENT, module.excerpt(node))


def _check_different(found: Sequence[Given]) -> None:
    names = [one.node.id for one in found if isinstance(one.node, ast.Name)]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise Refused(DUPLICATE, twice)


def _given(project: Project, module: Module, argument: ast.expr) -> Given:
    if not isinstance(argument, ast.Starred):
        inner = _started(project, module, argument)
        return Given(argument, "one", (inner,), is_task=inner is not argument)
    return _starred(project, module, argument.value)


def _starred(project: Project, module: Module, value: ast.expr) -> Given:
    match value:
        case ast.ListComp() | ast.GeneratorExp():
            inner = _started(project, module, value.elt)
            return Given(value, "comprehension", (inner,), is_task=inner is not value.elt)
        case ast.Name():
            return _variable(project, module, value)
        case _:
            raise Refused(NOT_A_COROUTINE, f"*{module.excerpt(value)}")


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
