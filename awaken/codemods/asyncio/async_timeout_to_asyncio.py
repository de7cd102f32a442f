"""Replace the package async-timeout with `asyncio.timeout()`.

## What

| you write | awaken writes |
| --- | --- |
| `async_timeout.timeout(10)`, `async_timeout.timeout_at(when)` in a `with` | `asyncio.timeout(10)`, `asyncio.timeout_at(when)` |
| a plain `with`, for old versions of the package | `async with` |
| `limit.shift(5)` | `limit.reschedule(limit.when() + 5)` |
| `limit.update(when)` | `limit.reschedule(when)` |
| `limit.reject()` | `limit.reschedule(None)` |
| `limit.deadline` | `limit.when()` |
| `limit.expired` | `limit.expired()` |

The requirement `async-timeout` stays, because other packages may need it. Remove it if none does.

## Why

Python has these functions since 3.11. There, version 5 of the package only imports them.

## Before

```python
import async_timeout


async def fetch(read):
    async with async_timeout.timeout(10) as limit:
        page = await read()
        limit.shift(5)
        await read()
    return page
```

## After

```python
import asyncio


async def fetch(read):
    async with asyncio.timeout(10) as limit:
        page = await read()
        limit.reschedule(limit.when() + 5)
        await read()
    return page
```

## Safety

A *safe* rewrite limits the block as before, and ends it with the same exception. Since Python 3.11,
`asyncio.TimeoutError` is `TimeoutError`.

| case | what may change (unsafe) |
| --- | --- |
| a test replaces the function | the replacement gets no call |
| `limit.expired` is read, and the project does not require a version below 5 | it is a method since version 5, so it was always true |
| the program reads `__cause__`, and may use a version below 5 | the old package raises `TimeoutError` without a cause; `asyncio` sets it |
| the program uses `cancelling()` or `uncancel()`, and may use a version below 4.0.3 | the old package does not reset the count of `cancelling()`, so that an outer `asyncio.timeout()` raises `CancelledError`; `asyncio` resets it |

## What it refuses

| left alone | why |
| --- | --- |
| a timeout that is stored, returned or passed on | no `with` statement limits a block |
| another use of the block's name, or a second assignment to it | `asyncio` may have no counterpart |
| a plain `with` outside a coroutine, or with other managers | it cannot become `async with` |
| `loop=`, or other arguments than one time | `asyncio.timeout()` does not take them |

awaken does not report files that import `asyncio as async_timeout` on new Python versions.

## On real programs

| programs | safe | unsafe | manual | read: right, wrong, of little use |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 0 | 0 | none |
| the six of `benchmarks/asyncio.md` | 0 | 0 | 0 | none |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": "Timeouts"
* async-timeout 4.0 and 5.0, `README.rst`, `async_timeout/__init__.py`
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.contract import Edit, Phase, Reason, Status
from awaken.kit.call_rule import CallRule
from awaken.kit.caveats.replaced_names import doubles_of
from awaken.kit.imports import name_behind
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.sites import Refused, Rewrite, Site

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

NO_BLOCK = Reason(
    "no-block",
    "`{}` is not created in the `with` statement",
    "Write `asyncio.timeout()` where the block begins.",
)
OTHER_ARGUMENTS = Reason(
    "other-arguments", "`{}` is not called with one argument", "Pass only the time."
)
OTHER_USE = Reason(
    "other-use",
    "`asyncio` has no counterpart for this use of `{}`",
    "Use `when()`, `reschedule()` and `expired()` of the timeout.",
)
PLAIN_WITH = Reason(
    "plain-with",
    "a plain `with` enters `{}`, and it cannot become `async with`",
    "Move it to a separate block in a coroutine.",
)

_FUNCTIONS = ("async_timeout.timeout", "async_timeout.timeout_at")
_NO_ARGUMENT = {"deadline": "{}.when()", "expired": "{}.expired()"}
_ARGUMENTS = {"reject": 0, "shift": 1, "update": 1}
_ATOMS = (ast.Attribute, ast.Call, ast.Constant, ast.Name, ast.Subscript)
_BELOW = {
    "5": ((b"__cause__",), "the error has no `__cause__`"),
    "4.0.3": ((b"cancelling(", b"uncancel("), "`cancelling()` keeps counting the timeout"),
}
"""What old versions do otherwise, and the words of programs that see it."""
_SINCE_5 = {"expired", "reschedule", "when"}


class AsyncTimeoutToAsyncio(CallRule):
    """Rewrites ``async_timeout.timeout()`` to ``asyncio.timeout()``."""

    name = "async-timeout-to-asyncio"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    functions = _FUNCTIONS
    triggers = (b"async_timeout",)
    needs: ClassVar[Mapping[str, str]] = {"python": ">=3.11"}
    status = Status.OPT_IN
    reasons = (INSIDE_FSTRING, NAME_TAKEN, NO_BLOCK, OTHER_ARGUMENTS, OTHER_USE, PLAIN_WITH)

    def rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        """Return how the block is limited. Raises Refused."""
        module, call = site.module, site.node
        shown = module.excerpt(call)
        item = module.parent(call)
        block = module.parent(item)
        if not isinstance(item, ast.withitem) or not isinstance(block, ast.With | ast.AsyncWith):
            raise Refused(NO_BLOCK, shown)
        qualified = project.qualified_name(module, call.func) or ""
        now = qualified.replace("async_timeout", "asyncio")
        written, imports = name_behind(project, site, now)
        edits: list[Edit] = [site.replace(call.func, written), *imports]
        edits += _of_arguments(site)
        edits += _of_name(site, item.optional_vars)
        if isinstance(block, ast.With):
            if module.enclosing_coroutine(call) is None or len(block.items) > 1:
                raise Refused(PLAIN_WITH, shown)
            edits.append(site.insert_before(block, "async "))
        edits.append(site.release_import("async_timeout"))
        edits.append(site.release_import("async_timeout", qualified.rpartition(".")[2]))
        caveats, doubles = doubles_of(project, module, call.func, now)
        uses = list(_reads(module, item.optional_vars))
        caveats += (
            f"below async-timeout {version}, {what}"
            for version, (words, what) in _BELOW.items()
            if project.files_with(words)
            and not project.targets.guarantees("async-timeout", f">={version}")
        )
        is_before_5 = project.targets.guarantees("async-timeout", "<5")
        if not is_before_5 and any(_is_property(module, use) for use in uses):
            caveats.append("`expired` is a method since async-timeout 5, so it was always true")
        message = f"`{module.excerpt(call.func)}` becomes `{written}`"
        places = [module.place(use, "rewritten with it") for use in uses]
        return Rewrite(message, edits, caveats, (*doubles, *places))


def _of_arguments(site: Site[ast.Call]) -> Iterator[Edit]:
    """Yield the edits of the arguments: one of them has another name. Raises Refused."""
    call = site.node
    given = [*call.args, *call.keywords]
    if len(given) != 1 or isinstance(given[0], ast.Starred):
        raise Refused(OTHER_ARGUMENTS, site.module.excerpt(call))
    for keyword in call.keywords:
        if keyword.arg not in {"deadline", "delay"}:
            raise Refused(OTHER_ARGUMENTS, site.module.excerpt(call))
        if keyword.arg == "deadline":
            yield site.replace(keyword, f"when={site.module.text_of(keyword.value)}")


# ---------------------------------------------------------------------------- the block's name
def _of_name(site: Site[ast.Call], name: ast.expr | None) -> Iterator[Edit]:
    """Yield the edits of what is asked of the block by its name. Raises Refused."""
    if name is None:
        return
    module = site.module
    if not isinstance(name, ast.Name):
        raise Refused(OTHER_USE, module.excerpt(name))
    scope = module.scopes.scope_of(name)
    owner = module.scopes.owner(name.id, scope)
    if owner is None or owner is not scope or owner.kind != "function":
        raise Refused(OTHER_USE, name.id)
    if len(owner.bindings[scope.mangled_name(name.id)]) != 1:
        raise Refused(OTHER_USE, name.id)
    for read in _reads(module, name):
        yield from _of_use(site, read)


def _is_property(module: Module, read: ast.Name) -> bool:
    """Whether ``expired`` is asked for without a call."""
    used = module.parent(read)
    is_called = getattr(module.parent(used), "func", None) is used if used is not None else False
    return isinstance(used, ast.Attribute) and used.attr == "expired" and not is_called


def _reads(module: Module, name: ast.expr | None) -> list[ast.Name]:
    """Return where the name is read, also in functions inside this one."""
    if not isinstance(name, ast.Name):
        return []
    return module.scopes.reads_in(module.scopes.scope_of(name), name.id)


def _of_use(site: Site[ast.Call], read: ast.Name) -> Iterator[Edit]:
    module, used = site.module, site.module.parent(read)
    if not isinstance(used, ast.Attribute) or not isinstance(used.ctx, ast.Load):
        raise Refused(OTHER_USE, read.id)
    call = module.call_of(used)
    if module.in_fstring(used):
        raise Refused(INSIDE_FSTRING, module.excerpt(used))
    if call is None:
        if used.attr not in _NO_ARGUMENT:
            raise Refused(OTHER_USE, module.excerpt(used))
        yield site.replace(used, _NO_ARGUMENT[used.attr].format(read.id))
        return
    if used.attr in _SINCE_5:
        return
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    if _ARGUMENTS.get(used.attr) != len(call.args) or call.keywords or starred:
        raise Refused(OTHER_USE, module.excerpt(call))
    if used.attr == "reject":
        yield site.replace(call, f"{read.id}.reschedule(None)")
        return
    yield site.rename(used, "reschedule")
    if used.attr == "shift":
        (given,) = call.args
        if isinstance(given, _ATOMS):
            yield site.insert_before(given, f"{read.id}.when() + ")
        else:
            yield site.insert_before(given, f"{read.id}.when() + (")
            yield site.insert_behind(given, ")")
