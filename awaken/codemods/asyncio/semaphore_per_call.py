"""Find locks and semaphores that each call creates for itself, so they limit nothing.

## What

awaken knows the locks, semaphores and limiters of asyncio, anyio, trio and threading. It reports
those that only one call can wait for:

* one that is used in place, such as `async with asyncio.Semaphore(5):`
* one in a local variable that only this function enters
* one that an inner function enters, if its calls are awaited one after the other

## Why

A semaphore limits the tasks that share it. A semaphore that each call creates is always free.
Nothing waits for it, however many tasks run, so the limit in the code does not exist.

## Before

```python
import asyncio


async def fetch(client, url):
    semaphore = asyncio.Semaphore(5)
    async with semaphore:
        return await client.get(url)


async def fetch_all(client, urls):
    return await asyncio.gather(*[fetch(client, url) for url in urls])
```

## After

```python
import asyncio


async def fetch(client, url, semaphore):
    async with semaphore:
        return await client.get(url)


async def fetch_all(client, urls):
    semaphore = asyncio.Semaphore(5)
    return await asyncio.gather(*[fetch(client, url, semaphore) for url in urls])
```

## Safety

This is advice: nothing is rewritten. First decide whether you want the limit: with a shared
semaphore, tasks will wait for the first time.

## What it does not report

| not reported | why |
| --- | --- |
| a lock that is returned, passed on, or stored in an attribute, a container or a global name | other code may share it |
| a lock that an inner function enters as a task, a thread or a callback | these share it |
| a variable that may contain another lock | the other one may be shared |
| classes of unknown libraries, such as file locks and database locks | they may be shared by their name |
| tests | they may test the lock itself |

## On real programs

None of 33 programs (`benchmarks/recipes/statuses.md`) has such a lock. In six others
(`benchmarks/asyncio.md`), awaken found one, correctly.

| program | advice |
| --- | --- |
| 33 programs | 0 |

## Sources

* Python 3.14, `asyncio`, "Synchronization Primitives": `Lock`, `Semaphore`
* Ruff, `useless-with-lock` (PLW2101), which reports those of `threading` in a `with`
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Finding, Phase
from awaken.kit.rule import Advice
from awaken.kit.search import site_modules
from awaken.kit.sites import Site
from awaken.knowledge.library_names import word_list
from awaken.knowledge.locks import locks
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ATTRIBUTE = rb"^[ \t]*+\w++(?:\.\w++|\[[^\[\]\n]*+\])++ = (?:\w++\.)*"
_TAKEN_BY_HAND = {"acquire", "release"}
_CURE = "Create it once, where the tasks or threads start, and pass it to them. Or remove it."


class SemaphorePerCall(Advice):
    """Advises against locks and semaphores that nobody shares."""

    name = "semaphore-per-call"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = word_list("words_of_locks")
    per_file = True

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per lock that only the call that made it can wait for."""
        return (
            Site(self.name, module, call).advice(
                f"`{module.excerpt(call)}` is created {_when(module, call)} and not "
                "shared, so it limits nothing",
                _CURE,
            )
            for module in site_modules(
                project, self.triggers, lambda path: _has_none(project, path), locks().words
            )
            for call in _lone_locks(project, module)
        )


def _has_none(project: Project, path: str) -> bool:
    """Whether the text of a file shows that it has no site: each lock becomes an attribute."""
    if is_around_tests(path):
        return True
    if _renames_locks(project, path):
        return False
    text, made = project.snapshot[path].text, rb"(?:%s)" % "|".join(locks().words).encode()
    called = re.findall(rb"(?<!\w)%s[\s\\)]*+\(" % made, text)
    return len(called) == len(re.findall(_ATTRIBUTE + made + rb"\(", text, re.MULTILINE))


def _renames_locks(project: Project, path: str) -> bool:
    """Whether a file may give what makes a lock another name; in one order, for evidence."""
    return any(path in project.files_renaming(word) for word in sorted(locks().words))


def _lone_locks(project: Project, module: Module) -> Iterator[ast.Call]:
    """Yield the calls that make a lock or a semaphore which only the code around can wait for."""
    known = locks()
    words = project.names_in(module.path, known.words)
    yield from (
        node
        for node in module.nodes(ast.Call)
        if last_name(node.func) in words
        and _is_alone(module, node)
        and project.qualified_name(module, node.func) in known.kinds
    )


def _when(module: Module, call: ast.Call) -> str:
    function = module.enclosing_function(call)
    if isinstance(function, Function):
        return f"by each call of `{function.name}`"
    return "where it is used"


def _is_alone(module: Module, call: ast.Call) -> bool:
    """Whether only the code around ``call`` can wait for the lock that it creates."""
    match module.parent(call):
        case ast.withitem(optional_vars=None):
            return True
        case ast.Assign(targets=[ast.Name() as name]) | ast.AnnAssign(target=ast.Name() as name):
            return _is_entered_alone(module, name)
    return False


def _is_entered_alone(module: Module, name: ast.Name) -> bool:
    """Whether the variable ``name`` is only entered, and by one task or thread at a time."""
    scope = module.scopes.scope_of(name)
    function = scope.node
    bindings = scope.bindings_of(name.id)
    if not isinstance(function, Function) or len(bindings) != 1:
        return False
    reads = module.scopes.reads_in(scope, name.id)
    return _is_entered(module, reads) and all(
        _is_guard(module, node) and _runs_in_turn(module, node, function) for node in reads
    )


def _is_entered(module: Module, reads: Sequence[ast.Name]) -> bool:
    """Whether the reads of a lock take it, and give it back."""
    methods = {last_name(above) for read in reads if (above := module.parent(read)) is not None}
    return methods >= _TAKEN_BY_HAND or any(
        isinstance(module.parent(read), ast.withitem) for read in reads
    )


def _is_guard(module: Module, read: ast.Name) -> bool:
    """Whether ``read`` takes the lock or gives it back, and does nothing else with it."""
    match module.parent(read):
        case ast.withitem(context_expr=context, optional_vars=None):
            return context is read
        case ast.Attribute(attr=method) as asked:
            call = module.call_of(asked)
            if call is None:
                return False
            # With an argument, the object may be a counter that the code uses up.
            return method in _TAKEN_BY_HAND and not call.args and not call.keywords
    return False


def _runs_in_turn(module: Module, read: ast.Name, maker: Function) -> bool:
    """Whether ``read`` runs in a call of ``maker``, never twice at a time."""
    around = module.enclosing_function(read)
    if around is maker:
        return not _is_lazy(module, read)
    if not isinstance(around, Function) or around.decorator_list:
        return False
    # A suspended generator holds the lock.
    if module.enclosing_function(around) is not maker or module.is_generator(around):
        return False
    return all(
        _is_run_at_once(module, name, around, maker)
        for inside in module.scopes.scopes_inside(module.scopes.scope_made_by(maker))
        for name in inside.reads.get(around.name, ())
    )


def _is_run_at_once(module: Module, named: ast.Name, function: Function, maker: Function) -> bool:
    """Whether ``named`` calls ``function`` and waits until it ends."""
    call = module.call_of(named)
    if call is None:
        return False
    if module.enclosing_function(named) is not maker or _is_lazy(module, named):
        return False
    return isinstance(function, ast.FunctionDef) or isinstance(module.parent(call), ast.Await)


def _is_lazy(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in a generator expression, which runs when code iterates over it."""
    for scope in module.scopes.scope_of(node).chain():
        if scope.kind == "function":
            return False
        if isinstance(scope.node, ast.GeneratorExp):
            return True
    return False
