"""Find requests that run one after the other although they are independent.

## What

awaken reports two or more consecutive `name = await ...` in a coroutine, if:

* none uses the result of an earlier one
* each only reads over HTTP, with `get()` or `head()` of a client of httpx or aiohttp

A function of the program may call the client. The name of the function must say that it reads, such
as `get_user()`, and the function must only send requests.

Statements in between may work on the results.

## Why

Each request waits for the network while the coroutine does nothing else. Together, the requests
could take only as long as the slowest one.

## Before

```python
import httpx


async def show(client: httpx.AsyncClient, name):
    user = await client.get(f"/users/{name}")
    orders = await client.get(f"/orders/{name}")
    return user.json(), orders.json()
```

## After

```python
import asyncio

import httpx


async def show(client: httpx.AsyncClient, name):
    async with asyncio.TaskGroup() as tg:
        user = tg.create_task(client.get(f"/users/{name}"))
        orders = tg.create_task(client.get(f"/orders/{name}"))
    return user.result().json(), orders.result().json()
```

## Safety

This is advice: nothing is rewritten. With a task group, three things change:

* All requests are sent at the same time, so the server has a higher load.
* The failure of one request cancels the others.
* A failure arrives as an `ExceptionGroup`.

## What it does not report

| not reported | why |
| --- | --- |
| database sessions and connections | they serve one task at a time |
| clients of devices and of other libraries | they may not allow concurrent requests |
| anything that may write: a function that assigns an attribute, has a decorator or awaits something else | the order may matter |
| code that holds a lock, a semaphore or a timeout | the lock or the time limit may be about the order |
| loops over items | `unbounded-fan-out` explains their risk |
| tests | their order may matter |

## On real programs

| programs | advice | read: right, wrong, of little use |
| --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | none |
| the six of `benchmarks/asyncio.md` | 1 | 0, 0, 1 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": "Task Groups"
* httpx, "Async Support"; aiohttp, "Client Quickstart": one client serves many requests at once
* Ruff has no such rule
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.sequential_awaits.http_reads import (
    may_have_a_row,
    may_read,
    reads_over_http,
)
from awaken.contract import Finding, Phase, Status
from awaken.kit.rule import Advice
from awaken.kit.search import site_modules
from awaken.kit.sites import Site, listed_names
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CURE = "Start all of them in one `asyncio.TaskGroup`, and read their results after it."
_BLOCKS = ("body", "orelse", "finalbody")


class SequentialAwaits(Advice):
    """Advises to send independent requests together."""

    name = "sequential-awaits"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"= await ",)
    anchors = ((b"httpx", b"aiohttp"),)
    status = Status.OPT_IN

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per row of requests, at the first of them."""

        def is_out(path: str) -> bool:
            return is_around_tests(path) or not may_have_a_row(project.snapshot[path].text)

        return (
            Site(self.name, module, row[0]).advice(
                f"{_shown_text(module, row)} run one after the other, and none uses the "
                "result of another",
                _CURE,
                tuple(module.place(one, "this could run at the same time") for one in row[1:]),
            )
            for module in site_modules(project, self.triggers, is_out)
            for candidates in _rows(module)
            if len(row := _independent(project, module, candidates)) > 1
        )


def _shown_text(module: Module, row: Sequence[ast.Call]) -> str:
    return listed_names([f"{module.excerpt(call.func)}()" for call in row])


def _independent(
    project: Project, module: Module, candidates: Sequence[ast.Call]
) -> Sequence[ast.Call]:
    """Return the calls that only read, up to the first that may do more."""
    row: list[ast.Call] = []
    for call in candidates:
        if not reads_over_http(project, module, call):
            break
        row.append(call)
    return row


def _rows(module: Module) -> Iterator[list[ast.Call]]:
    """Yield the awaited calls that follow each other and share no names, two or more of them."""
    for node in module.walk():
        if not isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list) and not _is_held(module, node):
                yield from _rows_of(block)


def _is_held(module: Module, node: ast.AST) -> bool:
    """Whether something is entered around ``node`` that others may wait for."""
    for above in (node, *module.ancestors(node)):
        if isinstance(above, Function):
            return False
        if isinstance(above, ast.AsyncWith):
            return any(not _is_client(item.context_expr) for item in above.items)
    return False


def _is_client(entered: ast.expr) -> bool:
    match entered:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in {"AsyncClient", "ClientSession"}
    return False


def _rows_of(block: Sequence[ast.stmt]) -> Iterator[list[ast.Call]]:
    row: list[ast.Call] = []
    bound: set[str] = set()
    for statement in block:
        call = _awaited_call(statement)
        if call is not None and may_read(call) and not _names(call, ast.Load) & bound:
            row.append(call)
        elif call is not None or not _only_works_on(statement, bound):
            if len(row) > 1:
                yield row
            row, bound = ([], set()) if call is None or not may_read(call) else ([call], set())
        bound |= _names(statement, ast.Store) if row else set()
    if len(row) > 1:
        yield row


def _awaited_call(statement: ast.stmt) -> ast.Call | None:
    """Return the call of ``name = await call()``, or of several names."""
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Tuple()], value=ast.Await(value=value)):
            call = value
        case ast.AnnAssign(target=ast.Name(), value=ast.Await(value=value)):
            call = value
        case _:
            return None
    does_more = any(isinstance(node, ast.Await | ast.NamedExpr) for node in ast.walk(call))
    return call if isinstance(call, ast.Call) and not does_more else None


def _only_works_on(statement: ast.stmt, bound: set[str]) -> bool:
    """Whether a statement between two requests only computes from what the earlier one gave."""
    match statement:
        case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign(target=ast.Name()):
            return not any(isinstance(node, ast.Await) for node in ast.walk(statement))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))):
            return name in bound and method == "raise_for_status"
    return False


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, context)
    }
