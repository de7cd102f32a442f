"""Get the running event loop with `asyncio.get_running_loop()`.

## What

In a coroutine, `asyncio.get_event_loop()` becomes `asyncio.get_running_loop()`.

## Why

In a coroutine, both return the running loop. Elsewhere, `get_event_loop()` depends on the code that
ran before. Before Python 3.14 it may create a loop; since then it raises. In other threads and
after `asyncio.run()`, it raises in every version. `get_running_loop()` says which loop you mean.

## Before

```python
import asyncio


async def load(read):
    loop = asyncio.get_event_loop()
    started = loop.time()
    return await read(), loop.time() - started
```

## After

```python
import asyncio


async def load(read):
    loop = asyncio.get_running_loop()
    started = loop.time()
    return await read(), loop.time() - started
```

## Safety

A *safe* rewrite returns the same loop: `get_event_loop()` returns the running loop under every
policy.

| case | what may change (unsafe) |
| --- | --- |
| a test replaces `get_event_loop()` | the replacement gets no call |
| code drives a coroutine by its `send()` or `__await__()` | there may be no running loop |

## What it refuses

| left alone | why |
| --- | --- |
| calls in plain functions, also inside a coroutine | they may run without a loop |
| calls in generator expressions | other code may iterate over them later |
| calls at the top of a file | no loop runs during an import |

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. Every place was read, and is
right.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| antarest | 0 | 0 | 1 |
| chia-blockchain 2.7.5 | 3 | 0 | 6 |
| cognee 1.6.5 | 2 | 2 | 0 |
| crewai 1.15.30 | 2 | 0 | 1 |
| homeassistant 2024.3.3 | 2 | 0 | 1 |
| langflow-base 1.13.0 | 29 | 0 | 0 |
| mealie | 0 | 0 | 2 |
| prefect 3.9.1 | 2 | 0 | 0 |
| quetz | 1 | 0 | 0 |
| timesketch | 0 | 0 | 2 |
| ukrdc | 2 | 0 | 0 |
| 22 others | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Event Loop": `get_event_loop()`, `get_running_loop()`
* `Lib/asyncio/events.py` of CPython 3.11 and 3.14
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Phase, Reason
from awaken.kit.call_rule import CallRule
from awaken.kit.caveats.replaced_names import doubles_of
from awaken.kit.imports import replace_name
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.expressions.attribute_texts import named_owner
from awaken.project.source.modules import nodes_in
from awaken.project.source.trees import last_name
from awaken.project.values.domain import Producer

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

OUTSIDE_COROUTINE = Reason(
    "outside-coroutine",
    "there may be no running loop here",
    "Get the loop in a coroutine, or run one with `asyncio.run()` or `asyncio.Runner`.",
)

_ASKED = "asyncio.get_event_loop"
_CALLER = "methodcaller"
_NAMING = (b".send", b"'send'", b'"send"')


class RunningLoop(CallRule):
    """Rewrites ``get_event_loop()`` to ``get_running_loop()`` in coroutines."""

    name = "running-loop"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    # These rules drop a loop that nothing needs any more.
    after = ("ensure-future", "executor-to-thread", "asyncio-run")
    functions = (_ASKED,)
    triggers = (b"get_event_loop",)
    reasons = (INSIDE_FSTRING, NAME_TAKEN, OUTSIDE_COROUTINE)

    def rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        """Return the call that gets the running loop. Raises Refused."""
        asked = site.node.func
        if site.module.enclosing_coroutine(site.node) is None:
            raise Refused(OUTSIDE_COROUTINE)
        written, edits = replace_name(project, site, asked, "asyncio.get_running_loop")
        message = f"`{site.module.excerpt(asked)}` becomes `{written}`"
        caveats, doubles = doubles_of(project, site.module, asked, "asyncio.get_running_loop")
        if _drives_by_hand(project):
            caveats.append("if code drives a coroutine by hand, there may be no running loop")
        return Rewrite(message, edits, caveats, doubles)


def _drives_by_hand(project: Project) -> bool:
    """Whether code runs a coroutine without a loop; in `__await__` a loop runs it."""
    calls = nodes_with(project, [b".__await__()"], ast.Call)
    # A coroutine that ends raises this exception, which its driver catches.
    driving = set(project.files_with((b"StopIteration",))).intersection(project.files_with(_NAMING))
    steps = nodes_in(project.modules_at(sorted(driving)), (ast.Attribute, ast.Constant))
    return (
        bool(project.files_with((b".send(None)",)))
        or any(
            last_name(call.func) == "__await__"
            and getattr(module.enclosing_def(call), "name", "") != "__await__"
            for module, call in calls
        )
        or any(_steps_coroutine(project, module, node) for module, node in steps)
    )


def _steps_coroutine(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` reads the method by which a coroutine runs to its next `await`.

    Sockets and clients send as well, so that the object decides.
    """
    owner: ast.expr | None = None
    match node:
        case ast.Attribute(attr="send", value=owner):
            pass
        case ast.Constant(value="send"):
            reader, owner = named_owner(module, node, project.qualified_name) or (None, None)
            if isinstance(reader, ast.Call) and last_name(reader.func) == _CALLER:
                return True
    if owner is None:
        return False
    alternatives = project.values.of(module, owner).alternatives
    return any(isinstance(item, Producer) and item.how == "coroutine" for item in alternatives)
