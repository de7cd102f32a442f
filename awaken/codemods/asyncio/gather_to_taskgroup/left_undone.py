"""The steps that a cancelled coroutine skips: events, entries, futures, locks."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from awaken.knowledge.library_names import library_names
from awaken.project.effects import suspensions
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.source.trees import last_name
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CANCELLATIONS = {"BaseException", "CancelledError"}
_BEGUN_BY = {"release": "acquire", "set": "", "task_done": "get"}
"""Methods without arguments that others wait for, and what is awaited of the same object before."""
_RESOLVING = {"set_exception", "set_result"}
_REMOVING = {"discard", "pop", "remove"}
_ADDING = {*library_names().adding_methods, "setdefault"}


class LeftUndone(NamedTuple):
    """A step after an ``await`` that does not run where its coroutine is cancelled there."""

    shown: str
    function: str
    place: Place


def left_undone(
    project: Project, module: Module, coroutines: Sequence[ast.expr]
) -> LeftUndone | None:
    """Return the first step that one of ``coroutines``, or a coroutine they await, leaves undone.

    That is a step that others wait for: an event is set, a lock is released, a future is resolved,
    or an entry is removed that the same function adds. None of them in ``finally``, in a manager,
    or in a handler of cancellations counts.
    """
    waiting = deque((module, coroutine) for coroutine in coroutines)
    seen: set[ast.AST] = set()
    while waiting:
        home, node = waiting.popleft()
        called = project.calls.function_called(home, node) if isinstance(node, ast.Call) else None
        if called is None or isinstance(called, Unknown) or called.function in seen:
            continue
        function = called.function
        seen.add(function)
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for step in _skipped_steps(function):
            shown = called.module.excerpt(step)
            place = called.module.place(step, "move it to a `finally`")
            return LeftUndone(shown, function.name, place)
        for part in suspensions(function).awaits:
            if isinstance(part, ast.Await):
                # Also the arguments of `wait_for()` and the like.
                passed = part.value.args if isinstance(part.value, ast.Call) else []
                waiting += [(called.module, each) for each in (part.value, *passed)]
    return None


def _skipped_steps(function: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Yield the steps of a coroutine function that a cancellation passes over."""
    is_kept = _is_kept(function)
    nodes = sorted(own_nodes(function.body), key=_moment)
    added = {word for node in nodes if (word := _added_text(node))}
    own = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    awaited: set[tuple[str, str]] = set()
    for node in nodes:
        step = _step(node)
        if step and not is_kept(step):
            target, how = step
            is_removed = how != "remove" or target in added - own
            if is_removed and awaited - {(target, _BEGUN_BY.get(how, ""))}:
                yield node
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=name))):
                awaited.add((ast.unparse(owner), name))
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                awaited.add(("", ""))


def _moment(node: ast.AST) -> tuple[int, int]:
    """Return where ``node`` has its effect: after its parts, except for the head of a block."""
    if isinstance(node, ast.expr) and node.end_lineno and node.end_col_offset:
        return node.end_lineno, node.end_col_offset
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _is_kept(function: ast.AsyncFunctionDef) -> Callable[[tuple[str, str]], bool]:
    """Return a function that says whether a step also runs in a cancelled coroutine.

    In a handler of cancellations it may be done by another name.
    """
    at_last: set[tuple[str, str]] = set()
    handled: set[str] = set()
    for node in own_nodes(function.body):
        if not isinstance(node, ast.Try):
            continue
        at_last |= {step for part in own_nodes(node.finalbody) if (step := _step(part))}
        for handler in node.handlers:
            caught = handler.type
            named = caught.elts if isinstance(caught, ast.Tuple) else [caught]
            if any(part is None or last_name(part) in _CANCELLATIONS for part in named):
                handled |= {step[1] for part in own_nodes(handler.body) if (step := _step(part))}
    return lambda step: step in at_last or step[1] in handled


def _step(node: ast.AST) -> tuple[str, str] | None:
    """Return what ``node`` ends, and how, if others may wait for that."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr=name)):
            has_arguments = bool(node.args or node.keywords)
            if name in _BEGUN_BY and not has_arguments:
                return ast.unparse(target), name
            if name in _RESOLVING:
                return ast.unparse(target), "resolve"
            if name in _REMOVING and has_arguments:
                return ast.unparse(target), "remove"
        case ast.Subscript(value=target, ctx=ast.Del()):
            return ast.unparse(target), "remove"
    return None


def _added_text(node: ast.AST) -> str:
    """Return to what ``node`` adds an entry; empty if it does not."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr=name)) if name in _ADDING:
            return ast.unparse(target)
        case ast.Subscript(value=target, ctx=ast.Store()):
            return ast.unparse(target)
    return ""
