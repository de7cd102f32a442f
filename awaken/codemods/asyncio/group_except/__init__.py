"""Replace `except` with `except*` around task groups.

## What

If a `try` contains only `async with asyncio.TaskGroup()`, and nothing else in it may raise the
exception, `except ValueError:` becomes `except* ValueError:`. All handlers of that `try` change
together.

## Why

A task group raises an `ExceptionGroup`, whatever its tasks or its block raise. `except ValueError:`
does not match the group. The handler never runs, and the callers get the group.

## Before (unsafe)

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

## After (unsafe)

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

No rewrite is safe:

| today | after the rewrite |
| --- | --- |
| the handler never runs | it runs |
| the callers get the exceptions | the handler ends those that it matches; the rest is raised as a group |
| at most one handler runs | several handlers may run |

## What it does not report

| not reported | why |
| --- | --- |
| handlers of exceptions that a group does not wrap, such as `CancelledError` | they match today |
| handlers of `Exception` and of groups | they match the group |
| a `try` in which other code may raise the exception, such as a timeout in the same `async with` | the handler may run today |
| task groups of anyio | they are another class |

Reading results after the block raises nothing, so such code may be in the `try`.

Ruff has no such rule.

## What it refuses

| left alone | why |
| --- | --- |
| handlers with `return`, `break` or `continue` | `except*` forbids them |
| handlers with `raise` | they would raise a group |
| handlers that use the name of the exception | the name would be a group |
| a `try` with another handler that may match a group | a `try` cannot have both kinds of handlers |
| programs that run on Python before 3.11 | `except*` is a syntax error there |

## On real programs

This rule runs after `gather-to-taskgroup`. Without that rule, these programs have no such handler.

| programs | safe | unsafe | manual | read: right, wrong, of little use |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 0 | 0 | none |
| the six of `benchmarks/asyncio.md` | 0 | 0 | 0 | none |

## Sources

* PEP 654, "Exception Groups and except*": "Forbidden Combinations"
* Python 3.14, `asyncio`, "Task Groups"
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Level, Phase, Reason, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.rule import SiteRule
from awaken.kit.search import refers_to, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.own_nodes import own_nodes

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_GROUP = "asyncio.TaskGroup"
_GROUPS = {"builtins.BaseExceptionGroup", "builtins.ExceptionGroup"}
_EVERYTHING = library_names().catching_all | _GROUPS
_LET_THROUGH = name_list("let_through")
_GROUPS_SINCE = (3, 11)  # `except*` is a syntax error before

_NEVER = "`{}` is never caught here, because a task group raises an `ExceptionGroup`"
MIXED = Reason(
    "other-handlers",
    _NEVER,
    "Handle the group in one place: a `try` cannot have both `except*` and `except`.",
)
LEAVES = Reason(
    "leaves",
    _NEVER,
    "Write `except*`, and leave the function after the `try`, because the handler cannot return.",
)
NAMED = Reason("named", _NEVER, "Write `except*`, and iterate over the `exceptions` of the group.")
OLD_PYTHON = Reason(
    "old-python",
    _NEVER,
    "Catch the group and iterate over its `exceptions`, because `except*` needs Python 3.11.",
)


class GroupExcept(SiteRule):
    """Stars the handlers that a task group never matches."""

    name = "group-except"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"TaskGroup",)
    status = Status.OPT_IN
    reasons = (MIXED, LEAVES, NAMED, OLD_PYTHON)
    writers = (f"{__package__}.rewrite",)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per ``try``, at the first handler that matches nothing."""
        return (
            decide(Site(self.name, module, handler), _starred_edits, project)
            for module in site_modules(project, self.triggers)
            for handler in _found_handlers(project, module)
        )


def _found_handlers(project: Project, module: Module) -> Iterator[ast.ExceptHandler]:
    for node in module.nodes(ast.Try):
        if _is_around_a_group(project, module, node.body):
            dead = (part for part in node.handlers if _never_matches(project, module, part))
            yield from list(dead)[:1]


def _is_around_a_group(project: Project, module: Module, body: list[ast.stmt]) -> bool:
    """Whether all that ``body`` raises comes out of a task group."""
    match body:
        case [ast.AsyncWith(items=[ast.withitem(context_expr=ast.Call() as call)]), *behind]:
            is_group = refers_to(project, module, call.func, {_GROUP})
            return is_group and all(map(_reads_results, behind))
    return False


def _reads_results(statement: ast.stmt) -> bool:
    """Whether a statement only reads results of tasks, which are done without an exception."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr | ast.Pass):
        return False
    return all(
        isinstance(node.func, ast.Attribute) and node.func.attr == "result" and not node.args
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    ) and not any(isinstance(node, ast.Await | ast.Subscript) for node in ast.walk(statement))


def _never_matches(project: Project, module: Module, handler: ast.ExceptHandler) -> bool:
    """Whether ``handler`` names only classes of which no group is an instance."""
    for name in project.effects.caught_by(module, handler):
        if name is None or name in _EVERYTHING | _LET_THROUGH:
            return False
        if _GROUPS.intersection(project.library_ancestors(name)):
            return False
    return True


def _starred_edits(site: Site[ast.ExceptHandler], project: Project) -> Rewrite:
    """Return the edits that star all handlers of the ``try``; Refused where they cannot be."""
    module, handler = site.module, site.node
    shown = "" if handler.type is None else module.excerpt(handler.type)
    above = module.parent(handler)
    if not isinstance(above, ast.Try):
        raise TypeError("a handler is in a `try`")
    handlers = above.handlers
    if not all(_never_matches(project, module, node) for node in handlers):
        raise Refused(MIXED, shown)
    if any(map(_leaves, own_nodes([part for node in handlers for part in node.body]))):
        raise Refused(LEAVES, shown)
    for item in handlers:
        names = {node.id for node in own_nodes(item.body) if isinstance(node, ast.Name)}
        if item.name in names:
            raise Refused(NAMED, shown)
    if project.targets.lowest_python < _GROUPS_SINCE:
        raise Refused(OLD_PYTHON, shown)
    caveats = ["exceptions that went to the callers before are now handled here"]
    if len(handlers) > 1:
        caveats.append("more than one handler may run")
    return Rewrite(_NEVER.format(shown), [site.rewrite(above, "try-star")], caveats)


def _leaves(node: ast.AST) -> bool:
    return isinstance(node, ast.Return | ast.Break | ast.Continue | ast.Raise)
