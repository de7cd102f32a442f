"""Await coroutines instead of running a second event loop inside a running one.

## What

| you write, in a coroutine | what awaken does |
| --- | --- |
| `asyncio.run(c)` | writes `await c` |
| `loop.run_until_complete(c)` | writes `await c` |
| a call of a plain function that leads to such a call | reports it, with the calls in between |

## Why

A thread has at most one running event loop. If one runs, `asyncio.run()` raises `RuntimeError`, and
never awaits its coroutine.

## Before (unsafe)

```python
import asyncio


async def load(url):
    await asyncio.sleep(0.1)
    return url


async def pages(urls):
    return [asyncio.run(load(url)) for url in urls]
```

## After (unsafe)

```python
import asyncio


async def load(url):
    await asyncio.sleep(0.1)
    return url


async def pages(urls):
    return [await load(url) for url in urls]
```

## Safety

No rewrite is safe: code that fails today will run.

## What it does not report

| not reported | why |
| --- | --- |
| calls in a `try`, `if` or `while` | the code may check whether a loop runs, or handle the error |
| calls in plain functions that no coroutine calls, such as functions of a thread | there may be no running loop |
| programs that use `nest_asyncio` | loops run inside other loops there |
| tests | they may expect the error |

awaken follows at most two calls, and only if it knows each called function. It searches by name, so
it does not find every call: `blocking-call` lists the limits.

Ruff has no such rule.

## What it refuses

| left alone | why |
| --- | --- |
| calls with other arguments than the coroutine | `await` has no place for them |
| calls in f-strings | awaken does not edit these |

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. None of them has such a call.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| 33 programs | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Runners": `run()` "cannot be called when another asyncio event loop is
  running in the same thread"
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit, Level, Phase, Reason, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import SiteRule
from awaken.kit.search import modules_with, refers_to, site_modules
from awaken.kit.sites import Refused, Rewrite, Site, rewrite_through
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Conditional

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

OTHER_ARGUMENTS = Reason(
    "other-arguments",
    "`{}` fails if a loop is running, and its argument is not only a coroutine",
    "Await the coroutine.",
)
THROUGH = Reason(
    "through-functions",
    "{}, which fails if a loop is running",
    "Make the functions in between coroutine functions and await them. Or run the first "
    "one in a thread: `await asyncio.to_thread(...)`.",
)

_NAMES = {"asyncio.run": "main", "asyncio.AbstractEventLoop.run_until_complete": "future"}
_LAST = ("run", "run_until_complete")
_BINDS_TIGHTER = (ast.Attribute, ast.Subscript)
_GUARDS = Conditional | ast.Try | ast.While


class NestedAsyncioRun(SiteRule):
    """Rewrites ``asyncio.run(c)`` in coroutines to ``await c``."""

    name = "nested-asyncio-run"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"async def",)
    anchors = ((b"asyncio.run", b"asyncio as ", b"import run", b"run_until_complete"),)
    status = Status.OPT_IN
    reasons = (INSIDE_FSTRING, OTHER_ARGUMENTS, THROUGH)

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Return one finding per call in a coroutine that starts a loop, or comes to one."""
        if project.files_with((b"nest_asyncio",)):
            return
        for module in site_modules(project, self.triggers, is_around_tests, calling=_LAST):
            for call in _calls(project, module):
                if module.enclosing_coroutine(call) is not None:
                    yield decide(Site(self.name, module, call), _rewrite)
        ends = (
            (module, call, module.excerpt(call.func))
            for module in modules_with(project, self.anchors[0], is_around_tests)
            for call in _calls(project, module)
        )
        in_sight = set(project.site_files(self.triggers))
        for module, call, way in project.calls.paths_to(ends):
            if module.path in in_sight and not _is_guarded(module, call):
                yield decide(Site(self.name, module, call), rewrite_through, THROUGH, way)


def _calls(project: Project, module: Module) -> Iterator[ast.Call]:
    """Yield the calls of ``module`` that run a loop to the end of a coroutine, in any case."""
    if not any(word in module.source.text for word in (b"asyncio", b"run_until_complete")):
        return
    for node in module.nodes(ast.Call):
        if _runs_a_loop(project, module, node) and not _is_guarded(module, node):
            yield node


def _runs_a_loop(project: Project, module: Module, call: ast.Call) -> bool:
    # Only loops have a method of this name.
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr == "run_until_complete"
    return is_method or refers_to(project, module, call.func, {"asyncio.run"})


def _is_guarded(module: Module, call: ast.Call) -> bool:
    """Whether the function around asks for something before it makes this call.

    Most authors of such a call next to a coroutine ask whether a loop is running.
    """
    for above in module.ancestors(call):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return isinstance(above, ast.Lambda)
        if isinstance(above, _GUARDS):
            return True
    return False


def _rewrite(site: Site[ast.Call]) -> Rewrite:
    module, call = site.module, site.node
    shown = f"{module.excerpt(call.func)}()"
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    args = [*call.args, *(node.value for node in call.keywords if node.arg in _NAMES.values())]
    others = len(call.args) + len(call.keywords) != 1
    if len(args) != 1 or others or not isinstance(args[0], ast.Name | ast.Attribute | ast.Call):
        raise Refused(OTHER_ARGUMENTS, shown)
    text = f"await {module.text_of(args[0])}"
    if isinstance(module.parent(call), _BINDS_TIGHTER) or module.call_of(call) is not None:
        text = f"({text})"
    edits: list[Edit] = [site.replace(call, text), site.release_import("asyncio")]
    message = f"`{shown}` fails here, where a loop is running"
    return Rewrite(message, edits, ["code that failed before now runs"])
