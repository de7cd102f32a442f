"""Find asynchronous generators that `yield` inside a timeout or task group.

## What

awaken reports a `yield` of an asynchronous generator inside one of these:

* `async with asyncio.timeout(...)`
* `async with asyncio.TaskGroup()`
* a cancel scope, timeout or task group of anyio or trio

## Why

At the `yield`, the consumer of the generator runs in the same task, inside the scope. The timeout
counts the time of the consumer, and cancels it. If a task of the group fails, the group cancels the
consumer too. That code may be far from the code that started the task.

## Before

```python
import asyncio


async def pages(read, names):
    async with asyncio.timeout(10):
        for name in names:
            yield await read(name)
```

## After

```python
import asyncio


async def pages(read, names):
    for name in names:
        async with asyncio.timeout(10):
            page = await read(name)
        yield page
```

## Safety

This is advice: nothing is rewritten.

## What it does not report

| not reported | why |
| --- | --- |
| `@asynccontextmanager`, fixtures, lifespans, dependencies of FastAPI with `yield` | their caller is inside the scope on purpose |
| a generator with any decorator, or one that is passed on without a call | it may be one of these |
| tests | they may be about the scope |

Ruff's ASYNC119 reports a `yield` inside *any* `with` of such a generator, for another reason: the
cleanup may run late.

## On real programs

None of 33 programs (`benchmarks/recipes/statuses.md`) has such a `yield`.

| program | advice |
| --- | --- |
| 33 programs | 0 |

## Sources

* PEP 789, "Preventing task-cancellation bugs by limiting yield in async generators"
* anyio 4, "Cancellation": "Avoiding cancel scope stack corruption"
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Finding, Phase
from awaken.kit.rule import Advice
from awaken.kit.search import modules_with, refers_to, site_modules
from awaken.kit.sites import Site
from awaken.knowledge.library_names import name_list
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.worklist import MOST_FILES

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_SCOPES = name_list("cancel_scopes")
_LAST = {name.rpartition(".")[2] for name in _SCOPES}
_CURE = (
    "Yield outside it, pass the values through a queue, or turn the generator into an "
    "`@asynccontextmanager`."
)


class YieldInCancelScope(Advice):
    """Advises against generators that are suspended inside of a cancel scope."""

    name = "yield-in-cancel-scope"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = tuple(sorted(name.encode() for name in _LAST))

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per scope that a generator yields in."""
        yielding = frozenset(project.files_with((b"yield",)))

        def is_left_out(path: str) -> bool:
            return path not in yielding or is_around_tests(path)

        return (
            Site(self.name, module, scope).advice(
                f"this generator yields inside `{module.excerpt(scope)}`, which may "
                "cancel the code that iterates over it",
                _CURE,
                (module.place(yields, "yields here"),),
            )
            for module in site_modules(project, self.triggers, is_left_out, _LAST)
            for scope, yields in _found_scopes(project, module)
        )


def _found_scopes(project: Project, module: Module) -> Iterator[tuple[ast.Call, ast.Yield]]:
    """Yield each scope of ``module`` with the first ``yield`` in it."""
    seen: set[ast.Call] = set()
    for node in module.walk():
        function = module.enclosing_coroutine(node) if isinstance(node, ast.Yield) else None
        if not isinstance(node, ast.Yield) or function is None or function.decorator_list:
            continue
        scope = _scope_around(project, module, node)
        if scope is None or scope in seen or _escapes(project, module, function):
            continue
        seen.add(scope)
        yield scope, node


def _scope_around(project: Project, module: Module, node: ast.Yield) -> ast.Call | None:
    """Return what makes the innermost cancel scope around ``node`` in its function."""
    for above in module.ancestors_inside(node):
        for item in above.items if isinstance(above, ast.With | ast.AsyncWith) else ():
            call = item.context_expr
            if isinstance(call, ast.Call) and refers_to(project, module, call.func, _SCOPES):
                return call
    return None


def _escapes(project: Project, module: Module, function: ast.AsyncFunctionDef) -> bool:
    """Whether the generator function itself is passed on, as a dependency or a lifespan."""
    name = function.name
    for number, home in enumerate(modules_with(project, (name.encode(),))):
        if number >= MOST_FILES:
            return home is not module
        for mention in home.mentions(name):
            if home.call_taking(mention) is not None:
                return True
            if isinstance(home.parent(mention), ast.Assign | ast.Subscript | ast.Tuple | ast.Dict):
                return True  # kept, for a later call
    return False
