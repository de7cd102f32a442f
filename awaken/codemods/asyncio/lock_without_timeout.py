"""Find locks that are held during an await that may never finish.

## What

awaken reports a lock or semaphore of asyncio, anyio or trio that is held during an `await` of:

* a stream
* a subprocess
* a queue
* an event

It reports only an `await` without a deadline, such as `asyncio.timeout()`, `asyncio.wait_for()` or
an argument `timeout`. It also follows functions that are called while the lock is held, over a few
calls and all files.

## Why

If the other side never answers, one task waits, and the lock makes all others wait too. One lost
connection then stops the whole program, without an exception.

## Before

```python
import asyncio


class Link:
    def __init__(self, reader: asyncio.StreamReader):
        self.reader = reader
        self.lock = asyncio.Lock()

    async def line(self) -> bytes:
        async with self.lock:
            return await self.reader.readline()
```

## After

```python
import asyncio


class Link:
    def __init__(self, reader: asyncio.StreamReader):
        self.reader = reader
        self.lock = asyncio.Lock()

    async def line(self) -> bytes:
        async with self.lock, asyncio.timeout(10):
            return await self.reader.readline()
```

## Safety

This is advice: nothing is rewritten. You decide how long to wait. You also decide what to do
with a connection that has sent half an answer.

## What it does not report

| not reported | why |
| --- | --- |
| clients with their own deadline, such as httpx and aiohttp | they end by themselves |
| `sleep()` | it ends |
| acquiring another lock | `lock-ordering` reports opposite orders |
| an `await` inside a deadline, in the function or in one that it calls | it ends |
| locks of threads | the rule is about locks of tasks |
| locks in local variables and containers | awaken follows module variables and class attributes |
| locks whose name says that they protect writes to one peer | only that peer waits |
| a process that the same function kills | it ends |
| tests | they have other time limits |

awaken does not see a deadline of the caller.

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": "Timeouts"; "Streams"; "Subprocesses"
* Ruff has no such rule; `async-function-with-timeout` (ASYNC109) is about parameters
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Finding, Phase, Place, Status
from awaken.kit.rule import Advice
from awaken.kit.search import site_modules
from awaken.kit.sites import Site
from awaken.knowledge.library_names import name_list, word_list
from awaken.project.effects.places.held import Lock, locks_taken_by, runs_held
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, last_name
from awaken.project.source.worklist import MOST_FUNCTIONS

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_WAITING = name_list("waiting_for_others")
_WORDS = {name.rpartition(".")[2] for name in _WAITING}
_DEADLINES = name_list("deadlines")
_OF_WRITERS = re.compile(r"send|writ", re.IGNORECASE)
_CURE = "Set a deadline inside: `async with asyncio.timeout(...)`."


class LockWithoutTimeout(Advice):
    """Advises against holding a lock while something is awaited without a deadline."""

    name = "lock-without-timeout"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"async with ",)
    anchors = (word_list("words_of_locks"),)
    status = Status.PREVIEW

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per ``async with`` that holds a lock without an end."""
        return (
            Site(self.name, module, named).advice(
                f"`{module.excerpt(named)}` is held during `await {shown}()`, which "
                "may never finish",
                _CURE,
                (place,),
            )
            for module in site_modules(project, self.triggers, is_around_tests)
            for node in module.nodes(ast.AsyncWith)
            if not _has_deadline(module, node)
            for _, named in _locks(project, module, node)[:1]
            for shown, place in _endless(project, module, node)
        )


def _locks(project: Project, module: Module, node: ast.AsyncWith) -> list[tuple[Lock, ast.expr]]:
    """Return the locks of tasks that ``node`` takes, if something is awaited below."""
    if not any(isinstance(part, ast.Await) for part in runs_held(node)):
        return []
    return [
        (lock, named)
        for lock, named in locks_taken_by(project, module, node)
        # Tasks that wait for the lock of a writer wait for the same peer anyway.
        if lock.is_of_tasks and not _OF_WRITERS.search(lock.name.rpartition(".")[2])
    ]


def _endless(project: Project, module: Module, node: ast.AsyncWith) -> Iterator[tuple[str, Place]]:
    """Yield the first thing that is awaited without a deadline while ``node`` is held."""
    waiting = [(module, call) for call in _calls_without_deadline(module, list(runs_held(node)))]
    waiting.reverse()
    seen: set[tuple[str, int]] = set()
    while waiting and len(seen) <= MOST_FUNCTIONS:
        home, call = waiting.pop()
        if last_name(call.func) in _WORDS and _is_endless(project, home, call):
            yield home.excerpt(call.func), home.place(call, "this is awaited without a deadline")
            return
        functions = project.calls.known_functions(home, call)
        if len(functions) != 1:
            continue
        there, function = functions[0]
        if (there.path, function.lineno) not in seen:
            seen.add((there.path, function.lineno))
            own = [part for part in there.walk(function) if _runs_in(there, part, function)]
            calls = list(_calls_without_deadline(there, own))
            waiting += [(there, part) for part in reversed(calls)]


def _runs_in(module: Module, node: ast.AST, function: Function) -> bool:
    return isinstance(node, ast.Await) and module.enclosing_function(node) is function


def _is_endless(project: Project, module: Module, call: ast.Call) -> bool:
    names = set(project.effects.library_functions(module, call))
    if not names or not names <= _WAITING:
        return False
    # A killed process ends.
    is_process = any("Process" in name for name in names)
    return not is_process or not _kills(module, call)


def _kills(module: Module, call: ast.Call) -> bool:
    around = module.enclosing_function(call)
    return around is not None and any(
        isinstance(node, ast.Attribute) and node.attr in {"kill", "terminate"}
        for node in module.walk(around)
    )


def _calls_without_deadline(module: Module, nodes: list[ast.AST]) -> Iterator[ast.Call]:
    """Yield the calls that ``nodes`` await without any deadline around."""
    for node in nodes:
        match node:
            case ast.Await(value=ast.Call() as call):
                told = any(keyword.arg in {"timeout", "deadline"} for keyword in call.keywords)
                told = told or last_name(call.func) in _DEADLINES
                if not told and not _has_deadline(module, node):
                    yield call


def _has_deadline(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is inside a deadline of its function, or has one in its own ``with``."""
    for above in (node, *module.ancestors_inside(node)):
        if isinstance(above, ast.With | ast.AsyncWith):
            for item in above.items:
                entered = item.context_expr
                if isinstance(entered, ast.Call) and last_name(entered.func) in _DEADLINES:
                    return True
    return False
