"""Start coroutines with `asyncio.create_task()`.

## What

| you write, in a coroutine | awaken writes |
| --- | --- |
| `asyncio.ensure_future(c)`, if `c` is a coroutine | `asyncio.create_task(c)` |
| `asyncio.get_running_loop().create_task(c)` | `asyncio.create_task(c)` |
| `asyncio.get_event_loop().create_task(c)` | `asyncio.create_task(c)` |

awaken follows `c` through variables, functions and classes of all files.

## Why

The documentation of Python prefers `create_task()`. It says that a coroutine starts here, and takes
a name. `ensure_future()` also accepts tasks and futures, and returns them unchanged. If no loop
runs, it creates one, or fails since Python 3.14.

## Before

```python
import asyncio


async def fetch(url):
    return url


async def main(url):
    page = asyncio.ensure_future(fetch(url))
    print("started")
    return await page
```

## After

```python
import asyncio


async def fetch(url):
    return url


async def main(url):
    page = asyncio.create_task(fetch(url))
    print("started")
    return await page
```

## Safety

A *safe* rewrite creates the same task in the same loop. For a coroutine, `ensure_future()` calls
`create_task()` of the running loop, as `asyncio.create_task()` does.

| case | what may change (unsafe) |
| --- | --- |
| a test or an assignment replaces `asyncio.ensure_future`, or another function that is no longer called | the replacement gets no call |
| a test or an assignment replaces `asyncio.create_task` | the replacement gets this call |
| a test or an assignment replaces the function that creates the coroutine | the replacement may return a future, which only `ensure_future()` accepts |

## What it does not report

These calls are right. `awaken explain` says why.

| not reported | why |
| --- | --- |
| `ensure_future(c)`, if `c` may be a task or a future | it returns these unchanged, and `create_task()` rejects them |
| `ensure_future()` outside coroutines | there may be no running loop |
| `ensure_future(c, loop=...)` | the program chooses the loop |
| `create_task()` of any other loop | it may not be the running loop |

## What it refuses

| left alone | why |
| --- | --- |
| calls in f-strings that show their own code, such as `f"{call()=}"` | the output would change |
| functions in which the new name means something else | the call would reach another object |

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. Every place was read, and is
right. The same programs have 13 calls of `ensure_future()` that stay.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| chia-blockchain 2.7.5 | 5 | 3 | 0 |
| cognee 1.6.5 | 2 | 2 | 0 |
| mealie | 1 | 0 | 0 |
| ukrdc | 1 | 0 | 0 |
| 29 others | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": `create_task()`; "Futures": `ensure_future()`
* `Lib/asyncio/tasks.py` of CPython 3.11 and 3.13
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Phase, Place
from awaken.kit.caveats.replaced_names import doubles_of
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_from_same_module, replace_name
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.rule import SiteRule
from awaken.kit.search import calls_of, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.source.f_strings import can_be_edited
from awaken.project.source.modules import nodes_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ENSURE = "asyncio.ensure_future"
_CREATE = "asyncio.create_task"
_LOOPS = library_names().loop_getters


class EnsureFuture(SiteRule):
    """Rewrites ``ensure_future(coroutine)`` to ``create_task(coroutine)``."""

    name = "ensure-future"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"ensure_future", b"loop().create_task")
    reasons = (INSIDE_FSTRING, NAME_TAKEN)

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Return one finding per call, and its change."""
        for module, node in nodes_in(site_modules(project, self.triggers), ast.Call):
            if _is_of_running_loop(project, module, node):
                yield decide(Site(self.name, module, node), _rewrite, project)
        for site in calls_of(project, self, {_ENSURE}):
            if not _why_kept(project, site.module, site.node):
                yield decide(site, _rewrite, project)

    def why_no_site(self, project: Project, place: Place) -> str | None:
        """Return why `ensure_future()` stays at ``place``."""
        for module, node in nodes_in(project.modules_at([place.path]), ast.Call):
            span = module.span(node)
            is_here = span.contains(place.span) or place.span.contains(span)
            # Only here: a name may take the evaluation of a whole file.
            if is_here and project.qualified_name(module, node.func) == _ENSURE:
                return _why_kept(project, module, node)
        return None


def _why_kept(project: Project, module: Module, call: ast.Call) -> str:
    """Return in one sentence why `ensure_future()` is right for ``call``; empty if it is not."""
    if module.enclosing_coroutine(call) is None:
        return "`ensure_future()` stays outside coroutines, where there may be no running loop"
    given = _only_argument(call)
    if given is None:
        return "`ensure_future()` stays, because this call has more arguments than a coroutine"
    if project.effects.awaitable(module, given) != "coroutine":
        return f"`ensure_future()` stays, because `{module.excerpt(given)}` may not be a coroutine"
    return ""


def _is_of_running_loop(project: Project, module: Module, node: ast.Call) -> bool:
    """Whether ``node`` is ``get_running_loop().create_task(...)`` in a coroutine."""
    match node.func:
        case ast.Attribute(value=ast.Call(func=asked, args=[]), attr="create_task"):
            in_coroutine = module.enclosing_coroutine(node) is not None
            return in_coroutine and project.qualified_name(module, asked) in _LOOPS
    return False


def _rewrite(site: Site[ast.Call], project: Project) -> Rewrite:
    module, call = site.module, site.node
    if not can_be_edited(module, call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    if _is_of_running_loop(project, module, call):
        return _of_loop(site, project)
    return _of_ensure_future(site, project)


def _of_loop(site: Site[ast.Call], project: Project) -> Rewrite:
    """Return how `create_task()` is called without asking for the loop."""
    module, func = site.module, site.node.func
    asked = func.value.func if isinstance(func, ast.Attribute) else func  # type: ignore[attr-defined]
    written, imports = name_from_same_module(project, site, asked, _CREATE)
    caveats, doubles = doubles_of(project, module, asked, _CREATE)
    unused = [site.release_import("asyncio", name.rpartition(".")[2]) for name in _LOOPS]
    message = f"`{module.excerpt(func)}` becomes `{written}`"
    edits = [site.replace(func, written), *imports, *unused]
    return Rewrite(message, edits, caveats, doubles)


def _of_ensure_future(site: Site[ast.Call], project: Project) -> Rewrite:
    module, call = site.module, site.node
    given = call.args[0] if call.args else call.keywords[0].value
    written, edits = replace_name(project, site, call.func, _CREATE)
    if call.keywords:
        # The two functions name their parameter differently.
        edits.append(site.replace(call.keywords[0], module.text_of(given)))
    caveats, doubles = _replaced_pairs(project, module, call, given)
    message = f"`{module.excerpt(call.func)}` becomes `{written}`"
    return Rewrite(message, edits, caveats, doubles)


def _replaced_pairs(
    project: Project, module: Module, call: ast.Call, given: ast.expr
) -> tuple[list[str], tuple[Place, ...]]:
    """Return what the program replaces of the functions that are called, and where."""
    caveats, doubles = doubles_of(project, module, call.func, _CREATE)
    for made in _calls_behind(module, given):
        replaced = project.replaced_names.replacements_of(module, made.func)
        places = tuple(replacement.place for replacement in replaced if not replacement.keeps_kind)
        if places:
            caveats.append(
                f"the replacement of `{module.excerpt(made.func)}` may not return a coroutine"
            )
            doubles += places
    return caveats, doubles


def _calls_behind(module: Module, node: ast.expr) -> Iterator[ast.Call]:
    """Yield the calls that give ``node``, itself or by its variable."""
    bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
    for value in (node, *(binding.value for binding in bindings)):
        if isinstance(value, ast.Call):
            yield value


def _only_argument(call: ast.Call) -> ast.expr | None:
    """Return the coroutine that is passed, if nothing else is."""
    args = [*call.args, *(node.value for node in call.keywords if node.arg == "coro_or_future")]
    if len(args) != 1 or len(call.keywords) > 1 or isinstance(args[0], ast.Starred):
        return None
    return args[0] if not call.keywords or not call.args else None
