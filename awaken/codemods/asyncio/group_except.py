"""Advises against `except` for what only the tasks of a group raise.

## What

`except ValueError:` behind a `try` that holds `async with asyncio.TaskGroup()` and nothing else
that may raise.

## Why

Whatever its tasks or its block raise, a task group raises an `ExceptionGroup`. `except ValueError:`
does not match it: the handler never runs, and the group goes on to the callers.

## Before

```python
import asyncio


async def save(rows, save_one):
    try:
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(save_one(row))
    except ValueError:
        print("not all of them were saved")
```

## After

```python
import asyncio


async def save(rows, save_one):
    try:
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(save_one(row))
    except* ValueError:
        print("not all of them were saved")
```

## Safety

This is advice: nothing is rewritten. In `except*` there is no `return`, `break` or `continue`, the
name of the exception is that of a group, and no `except` may stand beside it; the help says so
where it matters.

## What it does not report

Handlers of what a group lets through, such as `CancelledError`; of `Exception`, and of groups; a
`try` in which something else may raise the exception, be it a timeout in the same `async with`;
task groups of anyio. Results that are read behind the block raise nothing.

Ruff has no rule for it.

## Sources

* PEP 654, "Exception Groups and except*": "Forbidden Combinations"
* Python 3.14, `asyncio`, "Task Groups"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Constraints, Phase, Plan
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Site
from awaken.project.effects.own import own_nodes
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_GROUP = "asyncio.TaskGroup"
_GROUPS = {"builtins.BaseExceptionGroup", "builtins.ExceptionGroup"}
_EVERYTHING = {"builtins.BaseException", "builtins.Exception", *_GROUPS}
_LET_THROUGH = {
    "asyncio.CancelledError", "asyncio.exceptions.CancelledError", "builtins.GeneratorExit",
    "builtins.KeyboardInterrupt", "builtins.SystemExit",
}  # fmt: skip


_CURE = "Write `except*`."
_BY_HAND = {
    "mixed": "Handle the group in one place: `except*` cannot stand beside `except`.",
    "leaves": "Write `except*`, and leave behind the `try`: the handler itself cannot.",
    "named": "Write `except*`, and go through `exceptions` of the group that has the name then.",
}


class GroupExcept(Rule):
    """Advises against handlers that a task group never matches."""

    name = "group-except"
    kind = "advice"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    since = "0.1.0"
    triggers = (b"TaskGroup",)
    preview = True

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per ``try``, at the first handler that matches nothing."""
        del constraints  # nothing is rewritten
        return Plan(
            tuple(
                Site(self.name, module, handler).advised(
                    f"`{module.excerpt(handler.type)}` is never caught here: a task group raises "
                    "an `ExceptionGroup`",
                    _cure(project, module, handler),
                )
                for module in site_modules(project, self.triggers)
                for handler in _found(project, module)
                if handler.type is not None
            )
        )


def _found(project: Project, module: Module) -> Iterator[ast.ExceptHandler]:
    for node in module.walk():
        if isinstance(node, ast.Try) and _is_around_a_group(project, module, node.body):
            dead = (one for one in node.handlers if _never_matches(project, module, one))
            yield from list(dead)[:1]


def _is_around_a_group(project: Project, module: Module, body: list[ast.stmt]) -> bool:
    """Whether all that ``body`` raises comes out of a task group."""
    match body:
        case [ast.AsyncWith(items=[ast.withitem(context_expr=ast.Call() as call)]), *behind]:
            named = last_name(call.func) == "TaskGroup"
            return (
                named
                and project.qualified_name(module, call.func) == _GROUP
                and all(map(_reads_results, behind))
            )
        case _:
            return False


def _reads_results(statement: ast.stmt) -> bool:
    """Whether a statement only reads results of tasks, which are done without an exception."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr | ast.Pass):
        return False
    return all(
        isinstance(one.func, ast.Attribute) and one.func.attr == "result" and not one.args
        for one in ast.walk(statement)
        if isinstance(one, ast.Call)
    ) and not any(isinstance(one, ast.Await | ast.Subscript) for one in ast.walk(statement))


def _caught(project: Project, module: Module, handler: ast.ExceptHandler) -> list[str | None]:
    """Return the names of the classes that ``handler`` catches."""
    if handler.type is None:
        return ["builtins.BaseException"]
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [project.qualified_name(module, one) for one in named]


def _never_matches(project: Project, module: Module, handler: ast.ExceptHandler) -> bool:
    """Whether ``handler`` names only classes of which no group is an instance."""
    for name in _caught(project, module, handler):
        if name is None or name in _EVERYTHING | _LET_THROUGH:
            return False
        if _GROUPS.intersection(project.library_ancestors(name)):
            return False
    return True


def _cure(project: Project, module: Module, handler: ast.ExceptHandler) -> str:
    """Return what to do, as far as `except*` allows what the handlers do."""
    above = module.parent(handler)
    handlers = above.handlers if isinstance(above, ast.Try) else [handler]
    if not all(_never_matches(project, module, one) for one in handlers):
        return _BY_HAND["mixed"]
    if any(map(_leaves, own_nodes([part for one in handlers for part in one.body]))):
        return _BY_HAND["leaves"]
    for one in handlers:
        names = {node.id for node in own_nodes(one.body) if isinstance(node, ast.Name)}
        if one.name in names:
            return _BY_HAND["named"]
    return _CURE


def _leaves(node: ast.AST) -> bool:
    return isinstance(node, ast.Return | ast.Break | ast.Continue | ast.Raise)
