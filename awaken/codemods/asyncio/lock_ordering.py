"""Find pairs of locks that are acquired in both orders.

## What

awaken reports two locks that are held together, if the program acquires them in both orders. It
considers locks of asyncio, anyio, trio and threading in module variables and
class attributes. It also follows functions that are called while a lock is held, over a few calls
and all files. The finding shows both orders.

## Why

Two tasks or threads can each hold one lock and wait for the other one. Then both wait forever. This
is rare, happens under load, and raises no exception.

## Before

```python
import asyncio

stock_lock = asyncio.Lock()
orders_lock = asyncio.Lock()


async def total(stock, orders):
    async with orders_lock, stock_lock:
        return sum(stock) + sum(orders)


async def count(stock, orders):
    async with stock_lock, orders_lock:
        return len(stock), len(orders)
```

## After

```python
import asyncio

stock_lock = asyncio.Lock()
orders_lock = asyncio.Lock()


async def total(stock, orders):
    async with orders_lock, stock_lock:
        return sum(stock) + sum(orders)


async def count(stock, orders):
    async with orders_lock, stock_lock:
        return len(stock), len(orders)
```

## Safety

This is advice: nothing is rewritten. You decide which order is right, or whether one lock is
enough.

## What it does not report

| not reported | why |
| --- | --- |
| two orders that both hold the same third lock | they never run at the same time |
| semaphores | several tasks may hold one |
| locks in containers and local variables, and calls of `acquire()` | awaken does not follow them |
| circles of three or more locks | awaken compares pairs |
| tests | they do not run under load |

awaken treats an attribute of a class as one lock, for all instances.

## Sources

* Python 3.14, `asyncio`, "Synchronization Primitives": `Lock`; `threading`, "Lock Objects"
* Ruff has no such rule
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Finding, Phase, Place, Status
from awaken.kit.rule import Advice
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Site
from awaken.project.effects.places.held import Lock, locks_taken_by, runs_held
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, With, last_name
from awaken.project.source.worklist import MOST_FUNCTIONS, multimap, reachable
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MAKERS = (b"Lock", b"RLock")
_CURE = "Acquire them in the same order everywhere, or use one lock for both."


class _Way(Struct, frozen=True):
    """One place where ``second`` is taken while ``first`` is held, with all that is held there.

    ``node`` of ``module`` takes it: an item of a ``with``, or a call that leads to one.
    """

    module: Module
    node: ast.expr
    first: Lock
    second: Lock
    held: frozenset[Lock]
    places: tuple[Place, ...]


class LockOrdering(Advice):
    """Advises against taking two locks in both orders."""

    name = "lock-ordering"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"with ",)
    anchors = (_MAKERS,)
    status = Status.PREVIEW

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per pair of locks, at the first of its two ways."""
        ways: dict[tuple[str, str], _Way] = {}
        names = _names_of_locks(project)
        words = [name.encode() for name in sorted(names)] if len(names) > 1 else []
        leading = _leading_to(project, words, names)
        for module in modules_with(project, words, is_around_tests) if words else ():
            for way in _nested_acquisitions(project, module, names, leading):
                ways.setdefault((way.first.name, way.second.name), way)
        sites = set(project.site_files(self.triggers))
        return (
            _finding(self.name, way, ways[second, first])
            for (first, second), way in ways.items()
            if (second, first) in ways and way.module.path in sites
            if way.places < ways[second, first].places and not _is_apart(way, ways[second, first])
        )


def _is_apart(one: _Way, other: _Way) -> bool:
    """Whether a third lock is held on both paths, so that they never wait for each other."""
    return bool((one.held & other.held) - {one.first, one.second})


def _finding(rule: str, way: _Way, back: _Way) -> Finding:
    first, second = (lock.name.rpartition(".")[2] for lock in (way.first, way.second))
    return Site(rule, way.module, way.node).advice(
        f"`{second}` is acquired while `{first}` is held, and elsewhere in the opposite order",
        _CURE,
        (*way.places, *back.places),
    )


def _names_of_locks(project: Project) -> set[str]:
    """Return the names of all variables and attributes that a lock is given to."""
    makers = {word.decode() for word in _MAKERS}
    names: set[str] = set()
    for module, node in nodes_with(project, _MAKERS, ast.AST, is_around_tests):
        match node:
            case ast.Assign(value=ast.Call() as value) | ast.AnnAssign(value=ast.Call() as value):
                if any(last_name(part) in makers for part in module.walk(value)):
                    names |= set(map(last_name, targets_of(node)))
    return names - {""}


def _leading_to(project: Project, words: Sequence[bytes], names: Collection[str]) -> frozenset[str]:
    """Return the names of functions that take a lock, and of those in the same files that call one.

    Following a call is costly, so only calls by these names are followed.
    """
    leading: set[str] = set()
    for module in modules_with(project, words, is_around_tests) if words else ():
        taking: set[str] = set()
        calling: set[tuple[str, str]] = set()  # what is called, and by whom
        for scope in module.scopes.scopes:
            function = scope.node
            if not isinstance(function, Function) or scope.kind != "function":
                continue
            for node in module.walk(function):
                if isinstance(node, ast.Call):
                    calling.add((last_name(node.func), function.name))
                elif isinstance(node, With) and _names_lock(node, names):
                    taking.add(function.name)
        leading |= reachable(taking, multimap(calling).__getitem__)
    return frozenset(leading)


def _names_lock(entered: With, names: Collection[str]) -> bool:
    return any(last_name(item.context_expr) in names for item in entered.items)


def _nested_acquisitions(
    project: Project, module: Module, names: Collection[str], leading: Collection[str]
) -> Iterator[_Way]:
    """Yield each place of ``module`` where a lock is taken while another is held."""
    for node in module.walk():
        if not isinstance(node, With) or not _names_lock(node, names):
            continue
        around = _held_around(project, module, node)
        locks = locks_taken_by(project, module, node)
        for index, (lock, named) in enumerate(locks):
            held = around | {item for item, _ in locks[: index + 1]}
            inside = [(inner, where, ()) for inner, where in locks[index + 1 :]]
            for inner, where, deeper in (*inside, *_taken_inside(project, module, node, leading)):
                yield from _way(module, (lock, named, held), inner, where, deeper)


def _taken_inside(
    project: Project, module: Module, entered: With, leading: Collection[str]
) -> Iterator[tuple[Lock, ast.expr, tuple[Place, ...]]]:
    """Yield the locks that the block of ``entered`` takes, where, and where the calls lead."""
    for node in runs_held(entered):
        if isinstance(node, With):
            for lock, where in locks_taken_by(project, module, node):
                yield lock, where, ()
        elif isinstance(node, ast.Call) and _runs(module, node, leading):
            for lock, place in _taken_by(project, module, node, leading):
                yield lock, node, (place,)


def _way(
    module: Module,
    outside: tuple[Lock, ast.expr, frozenset[Lock]],
    inner: Lock,
    where: ast.expr,
    deeper: tuple[Place, ...],
) -> Iterator[_Way]:
    lock, named, held = outside
    if (
        {lock.kind, inner.kind} == {"lock"}
        and lock != inner
        and lock.is_of_tasks == inner.is_of_tasks
    ):
        shown = lock.name.rpartition(".")[2], inner.name.rpartition(".")[2]
        places = (
            module.place(named, f"`{shown[0]}` is held from here"),
            module.place(where, f"and `{shown[1]}` is acquired"),
            *deeper,
        )
        yield _Way(module, where, lock, inner, held, places)


def _held_around(project: Project, module: Module, node: ast.AST) -> frozenset[Lock]:
    held: set[Lock] = set()
    for above in module.ancestors_inside(node):
        if isinstance(above, With):
            held.update(lock for lock, _ in locks_taken_by(project, module, above))
    return frozenset(held)


def _runs(module: Module, call: ast.Call, leading: Collection[str]) -> bool:
    """Whether ``call`` may take a lock by its name, and is not passed to what runs it later."""
    above = module.parent(call)
    handed = isinstance(above, ast.Call | ast.Starred | ast.keyword)
    return last_name(call.func) in leading and (not handed or call is getattr(above, "func", None))


def _taken_by(
    project: Project, module: Module, call: ast.Call, leading: Collection[str]
) -> Iterator[tuple[Lock, Place]]:
    """Yield the locks that are taken by what ``call`` runs, and where."""
    seen: set[tuple[str, int]] = set()
    waiting = [(module, call)]
    while waiting and len(seen) <= MOST_FUNCTIONS:
        home, here = waiting.pop()
        called = project.calls.function_called(home, here)
        # A call that may reach one of several functions proves no order.
        if isinstance(called, Unknown):
            continue
        there, function = called.module, called.function
        key = there.path, function.lineno
        if key in seen or not _runs_at_once(home, here, there, function):
            continue
        seen.add(key)
        for node in there.walk(function):
            if there.enclosing_function(node) is not function:
                continue
            if isinstance(node, With):
                for lock, named in locks_taken_by(project, there, node):
                    yield lock, there.place(named, f"by `{function.name}`, here")
            elif isinstance(node, ast.Call) and _runs(there, node, leading):
                waiting += [(there, node)]


def _runs_at_once(home: Module, call: ast.Call, there: Module, function: Function) -> bool:
    """Whether ``call`` runs the body of ``function``, and is not what somebody else will run."""
    is_awaited = isinstance(home.parent(call), ast.Await)
    is_coroutine = isinstance(function, ast.AsyncFunctionDef)
    return is_coroutine == is_awaited and not there.is_generator(function)
