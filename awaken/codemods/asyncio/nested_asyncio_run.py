"""Await coroutines instead of running a second event loop inside a running one.

## What

In a coroutine, `asyncio.run(c)` becomes `await c`, and so does `loop.run_until_complete(c)`. Calls
of plain functions that come to such a call are reported, with the way.

## Why

A thread has one running event loop. `asyncio.run()` raises `RuntimeError` where one runs, and what
it was given is never awaited.

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

Never safe: what fails today runs from now on.

## What it refuses

Calls with more arguments than the coroutine, and in f-strings.

No sites are calls in a `try` that catches `RuntimeError`, or below a test; calls in plain functions
that no coroutine in sight calls, such as those that a thread is given; programs with
`nest_asyncio`; tests. Ways go over two calls at most, of which it is certain what they call; they
are climbed by names, so that not all are found: `blocking-call` says which are not.

Ruff has no rule for it.

## On real programs

On the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. These programs have
no place for it.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| 33 programs | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Runners": `run()` "cannot be called when another asyncio event loop is
  running in the same thread"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Constraints, Edit, Level, Phase, Plan, Reason, Status
from awaken.kit.changes import Decided, decide, plan_of
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import Rule
from awaken.kit.search import modules_with, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.graph.ways import Way
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import last_name

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
_GUARDS = (ast.If, ast.IfExp, ast.Try, ast.While)


class NestedAsyncioRun(Rule):
    """Rewrites ``asyncio.run(c)`` in coroutines to ``await c``."""

    name = "nested-asyncio-run"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"async def",)
    anchors = ((b"asyncio.run(", b"import run", b"run_until_complete"),)
    status = Status.OPT_IN
    reasons = (INSIDE_FSTRING, OTHER_ARGUMENTS, THROUGH)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per call in a coroutine that starts a loop, or comes to one."""
        del constraints  # no change needs another site
        if project.files_with((b"nest_asyncio",)):
            return Plan()
        return plan_of(self._decided(project))

    def _decided(self, project: Project) -> Iterator[Decided]:
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
        for module, call, way in project.calls.ways_to(ends):
            if module.path in in_sight and not _is_guarded(module, call):
                yield decide(Site(self.name, module, call), _through, way)


def _calls(project: Project, module: Module) -> Iterator[ast.Call]:
    """Yield the calls of ``module`` that run a loop to the end of a coroutine, in any case."""
    if not any(word in module.source.text for word in (b"asyncio", b"run_until_complete")):
        return
    for node in module.walk():
        if (
            isinstance(node, ast.Call)
            and last_name(node.func) in _LAST
            and not _is_guarded(module, node)
            and _runs_a_loop(project, module, node)
        ):
            yield node


def _runs_a_loop(project: Project, module: Module, call: ast.Call) -> bool:
    if last_name(call.func) == "run":
        return project.qualified_name(module, call.func) == "asyncio.run"
    # Only loops have a method of this name.
    return isinstance(call.func, ast.Attribute)


def _is_guarded(module: Module, call: ast.Call) -> bool:
    """Whether the function around asks for something before it makes this call.

    Most who write such a call beside a coroutine ask whether a loop is running.
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
    given = [*call.args, *(one.value for one in call.keywords if one.arg in _NAMES.values())]
    others = len(call.args) + len(call.keywords) != 1
    if len(given) != 1 or others or not isinstance(given[0], ast.Name | ast.Attribute | ast.Call):
        raise Refused(OTHER_ARGUMENTS, shown)
    above = module.parent(call)
    text = f"await {module.text_of(given[0])}"
    if isinstance(above, _BINDS_TIGHTER) or (isinstance(above, ast.Call) and above.func is call):
        text = f"({text})"
    edits: list[Edit] = [site.replace(call, text), site.release_import("asyncio")]
    message = f"`{shown}` fails here, where a loop is running"
    return Rewrite(message, edits, ["code that failed before now runs"])


def _through(site: Site[ast.Call], way: Way) -> Rewrite:
    shown = f"`{site.module.excerpt(site.node.func)}()` leads to `{way.name}()`"
    raise Refused(THROUGH, shown, because=way.places)
