"""Find loops that start one task per item of an input without a limit.

## What

awaken reports `gather(*[...])`, `create_task()` in a loop and the like, if:

* they start a task for each item of a parameter, of a query result, or of the contents of files
* the tasks wait for a network, a database or a disk
* neither the function nor the tasks use a semaphore, a limiter, batches or a pool

## Why

All tasks run at the same time. With ten items, that is intended. Ten thousand items open ten
thousand connections, and each task uses memory. Pools time out, servers answer 429, and files can
no longer be opened.

## Before

```python
import asyncio


async def download(client, url):
    response = await client.get(url)
    return response.content


async def download_all(client, urls):
    return await asyncio.gather(*[download(client, url) for url in urls])
```

## After

```python
import asyncio


async def download(client, url, semaphore):
    async with semaphore:
        response = await client.get(url)
    return response.content


async def download_all(client, urls):
    semaphore = asyncio.Semaphore(20)
    return await asyncio.gather(*[download(client, url, semaphore) for url in urls])
```

## Safety

This is advice: nothing is rewritten. You decide how many tasks may run at the same time. If the
input is never large, ignore the finding.

## What it does not report

| not reported | why |
| --- | --- |
| literals, ranges, constants and attributes of the object itself | their size is known, or small |
| inputs whose name means few items, such as devices, providers, servers or workers | a program has few of them |
| functions that name a limit, a batch, a pool or a queue, or compare a length | they may limit the tasks |
| tasks that run threads | the thread pool limits them |
| tasks whose function names a lock | the lock limits them |
| tasks that may not wait for anything outside | they need no connection |
| tests | their input is small |

## On real programs

| programs | advice | read: right, wrong, of little use |
| --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 2 | none |
| the six of `benchmarks/asyncio.md` | 0 | none |

## Sources

* Python 3.14, `asyncio`, "Synchronization Primitives": `Semaphore`
* Ruff has no such rule
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Finding, Phase, Status
from awaken.kit.rule import Advice
from awaken.kit.search import site_modules
from awaken.kit.sites import Site
from awaken.knowledge.coroutines import coroutines
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.memo import recursive
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import (
    Comprehension,
    Function,
    FunctionOrLambda,
    children,
    last_name,
)
from awaken.project.source.worklist import MOST_FUNCTIONS, Worklist, preorder
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_DATA = name_list("words_of_data")
_FEW = re.compile(
    r"agent|assistant|backend|base|bucket|candidate|channel|chunk|client|column|config|coordinator"
    r"|default|device|domain|entity|entities|entry|feature|flag|guardrail|handler|host|instance"
    r"|integration|layer|mfa|missing|model|module|monitor|node|option|page_|parallel|peer|platform"
    r"|plugin|pool|provider|region|replica|resource|role|rule|scope|sensor|server|service|shard"
    r"|source|stage|step|sub|target|team|tool|worker|zone"
)
"""Words in names for what a program or its owner has a handful of."""
_OF_OBJECTS = {"documents", "files", "images", "links", "paths", "texts", "uris", "urls"}
"""Of what an object keeps itself, only what it was surely given to work on."""
_PASSING = {"enumerate", "filter", "list", "reversed", "set", "sorted", "tuple", "zip"}
_READING = name_list("reading_all")
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_HOLDING_BACK = name_list("holding_back")
_IN_PARTS = name_list("in_parts")
_WORK = name_list("words_of_io")
_TASKS = {"create_task", "ensure_future", "start_soon"}
_TOGETHER = {"as_completed", "gather", "wait"}
_WRAPPERS = {"shield", "wait_for"}
_CURE = "Limit the tasks with a shared semaphore, or work in batches."


@recursive()
def unbounded_size(module: Module, iterable: ast.expr) -> str | None:
    """Return what ``iterable`` goes through, as it is written, if nothing bounds its size.

    These are the arguments of the function, under a name for data, the results of queries, and the
    contents of files. None for all else, also if unknown.
    """
    match iterable:
        case ast.Name():
            return _of_name(module, iterable)
        case ast.Attribute(attr=word) | ast.Subscript(slice=ast.Constant(value=str() as word)):
            given = _is_data(word) and _is_given(module, iterable)
            return module.excerpt(iterable) if given else None
        case ast.Await(value=inner) | ast.BoolOp(values=[inner, ast.List(elts=[])]):
            return unbounded_size(module, inner)
        case ast.Call():
            return _size_of_call(module, iterable)
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            parts = [unbounded_size(module, node.iter) for node in iterable.generators]
            return next((part for part in parts if part is not None), None)
    return None


def _size_of_call(module: Module, call: ast.Call) -> str | None:
    name = last_name(call.func)
    if module.scopes.builtin_called(call) in _PASSING:
        result = [unbounded_size(module, argument) for argument in call.args]
        return next((candidate for candidate in result if candidate is not None), None)
    if isinstance(call.func, ast.Attribute):
        if name == "get" and call.args and isinstance(call.args[0], ast.Constant):
            given = _is_data(str(call.args[0].value)) and _is_given(module, call.func)
            return module.excerpt(call) if given else None
        if name in _READING or (name == "all" and _is_query(call)):
            return module.excerpt(call)
        if name in name_list("views_of_dictionaries"):
            return unbounded_size(module, call.func.value)
    return None


def _is_query(call: ast.Call) -> bool:
    """Whether ``call`` is the end of a chain that asks a database."""
    words = {last_name(node) for node in ast.walk(call.func) if isinstance(node, ast.expr)}
    return bool(words & {"execute", "objects", "query", "scalars"})


def _of_name(module: Module, name: ast.Name) -> str | None:
    binding = module.scopes.only_binding(name)
    if binding is None:
        return None
    match binding.kind:
        case "parameter":
            return name.id if _is_data(name.id) and name.id not in {"self", "cls"} else None
        case "assignment" if binding.value is not None and binding.scope.kind == "function":
            result = unbounded_size(module, binding.value)
            computed = isinstance(binding.value, ast.Call | ast.Await | ast.ListComp)
            return name.id if result is None and computed and _is_data(name.id) else result
    return None


def _is_data(name: str) -> bool:
    words = name.lower().split("_")
    return words[-1] in _DATA and _FEW.search("_".join(words[:-1])) is None


def _is_given(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is part of what the function is given, or the object itself."""
    word = last_name(node)
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if not isinstance(node, ast.Name) or _FEW.search(node.id.lower()) is not None:
        return False
    if node.id in {"self", "cls"}:
        return word.split("_")[-1] in _OF_OBJECTS
    return module.scopes.parameter_of(node) is not None


def is_limited_here(module: Module, started: ast.Call) -> bool:
    """Whether the functions around ``started`` name or check anything that may limit the tasks."""
    return any(
        isinstance(above, Function)
        and (bool(_tokens(above) & (_HOLDING_BACK | _IN_PARTS)) or _checks_size(above))
        for above in module.ancestors(started)
    )


def works_without_limit(
    project: Project, module: Module, started: ast.Call, called: ast.expr
) -> bool:
    """Whether a task of ``called`` asks for something outside, and nothing on its way limits it."""
    if _tokens(called) & (_HOLDING_BACK | _IN_PARTS):
        return False
    works = bool(_tokens(called) & _WORK)
    starts = _functions(project, module, started, called)
    waiting = Worklist(starts, lambda pair: (pair[0].path, pair[1].lineno))
    for home, function in waiting:
        if len(waiting.seen) > MOST_FUNCTIONS or _tokens(function) & _HOLDING_BACK:
            return False
        for awaited in _awaited_calls(function):
            works = works or bool(_tokens(awaited.func) & _WORK)
            waiting += _functions(project, home, awaited, awaited.func)
    return works


def _functions(
    project: Project, module: Module, call: ast.Call, called: ast.expr
) -> Iterator[tuple[Module, Function]]:
    """Yield the functions that ``called`` may be, which ``call`` calls or is passed."""
    if called is not call.func:
        yield from functions_in(project.values.of(module, called).alternatives)
    else:
        yield from project.calls.known_functions(module, call)


def _awaited_calls(function: Function) -> Iterator[ast.Call]:
    """Yield the calls that ``function`` awaits, or enters."""
    for node in ast.walk(function):
        match node:
            case ast.Await(value=ast.Call() as call):
                yield call
            case ast.AsyncWith():
                yield from (
                    one.context_expr for one in node.items if isinstance(one.context_expr, ast.Call)
                )


def _words(root: ast.AST) -> Iterator[str]:
    """Yield all names below ``root``, keywords included."""
    for node in ast.walk(root):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str() as word):
                yield word
            case ast.arg(arg=word) | ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word):
                yield word


def _tokens(node: ast.AST) -> set[str]:
    """Return the words of the names below ``node``: of ``BoundedSemaphore`` there are two."""
    return {token.lower() for word in _words(node) for token in _TOKEN.findall(word)}


def _checks_size(function: Function) -> bool:
    """Whether ``function`` compares the length of something with what it may be at most."""
    return any(
        isinstance(node, ast.Compare)
        and any(
            isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "len"
            for part in (node.left, *node.comparators)
        )
        and not all(
            isinstance(part, ast.Constant) and part.value in {0, 1} for part in node.comparators
        )
        for node in ast.walk(function)
    )


class FanOut(Struct, frozen=True):
    """Code that runs once for each item: ``started`` is the call that becomes a task.

    ``called`` is the function that the tasks run, ``iterables`` what the loops around go through,
    the innermost first, and ``waits`` where a comprehension or a list of them is gathered.
    """

    module: Module
    started: ast.Call
    called: ast.expr
    iterables: tuple[ast.expr, ...]
    waits: ast.Call


def fan_outs(project: Project, module: Module) -> Iterator[FanOut]:
    """Yield the fan-outs of ``module``, recognized by their names."""
    words = sorted(_TASKS | _TOGETHER)
    meant = {other: word for word in words for other in project.names_in(module.path, [word])}
    for node in module.nodes(ast.Call):
        if last_name(node.func) not in meant:
            continue
        yield from _of_call(module, node, meant[last_name(node.func)])


def _of_call(module: Module, call: ast.Call, name: str) -> Iterator[FanOut]:
    if name in _TASKS and call.args:
        yield from _made_fan_outs(module, call.args[0], call, None)
    elif name in _TOGETHER:
        starred = [argument.value for argument in call.args if isinstance(argument, ast.Starred)]
        given = starred if name == "gather" else call.args[:1]
        for node in given:
            for element in _elements(module, node):
                yield from _made_fan_outs(module, element, call, call)


def _elements(module: Module, gathered: ast.expr, depth: int = 0) -> Iterator[ast.expr]:
    """Yield what makes the items of ``gathered``: of a comprehension, what it makes each of."""
    if isinstance(gathered, Comprehension):
        yield gathered.value if isinstance(gathered, ast.DictComp) else gathered.elt
    elif isinstance(gathered, ast.Call) and isinstance(gathered.func, ast.Attribute):
        if gathered.func.attr == "values":
            yield from _elements(module, gathered.func.value, depth)
    elif isinstance(gathered, ast.Name) and not depth:
        for binding in module.scopes.bindings_of(gathered):
            if binding.value is not None and binding.kind == "assignment":
                yield from _elements(module, binding.value, depth + 1)
        for read in module.scopes.reads_of(gathered):
            call = module.method_call_on(read)
            if call is not None and last_name(call.func) in library_names().adding_methods:
                yield from call.args


def _made_fan_outs(
    module: Module, element: ast.expr, waits: ast.Call, gathered: ast.Call | None
) -> Iterator[FanOut]:
    """Yield the fan-out that makes ``element`` for each item, if it is in a loop."""
    while isinstance(element, ast.Call) and last_name(element.func) in _WRAPPERS | _TASKS:
        if not element.args:
            return
        if last_name(element.func) in _TASKS:
            waits = element
        element = element.args[0]
    by_name = last_name(waits.func) == "start_soon" and isinstance(
        element, ast.Name | ast.Attribute
    )
    if not isinstance(element, ast.Call) and not by_name:
        return
    iterables = tuple(_iterables(module, element, gathered))
    if iterables:
        started = element if isinstance(element, ast.Call) else waits
        called = element.func if isinstance(element, ast.Call) else element
        yield FanOut(module, started, called, iterables, waits)


def _iterables(module: Module, element: ast.expr, gathered: ast.Call | None) -> Iterator[ast.expr]:
    """Yield what the loops around ``element`` go through, up to one that waits for each round."""
    around = set() if gathered is None else set(module.ancestors(gathered))
    for above in module.ancestors(element):
        if isinstance(above, FunctionOrLambda | ast.While | ast.AsyncFor) or above in around:
            return
        if isinstance(above, Comprehension):
            yield from reversed([generator.iter for generator in above.generators])
        elif isinstance(above, ast.For):
            if gathered is None and _waits_in(above):
                return  # a round that waits limits the number of tasks
            yield above.iter


def _waits_in(loop: ast.For) -> bool:
    """Whether a round of ``loop`` lets others run, outside of functions inside."""
    parts: list[ast.AST] = [*loop.body]
    run = preorder(parts, lambda node: () if isinstance(node, FunctionOrLambda) else children(node))
    return any(isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) for node in run)


def is_meant(project: Project, fan_out: FanOut) -> bool:
    """Whether the call of a fan-out is known: it starts tasks, or awaits them together."""
    module, call = fan_out.module, fan_out.waits
    known = coroutines()
    starting = {name for name, item in known.takers.items() if item.does in {"starts", "calls"}}
    qualified = project.qualified_name(module, call.func)
    names: Sequence[str] = [qualified or ""]
    if qualified is None:
        names = project.effects.library_functions(module, call)
    tasks = {name for name, gives in known.gives.items() if gives == "task"}
    return any(
        name in tasks or name in starting or name.rpartition(".")[2] in _TOGETHER
        for name in names
        if name.startswith(("asyncio.", "anyio.", "trio."))
    )


class UnboundedFanOut(Advice):
    """Advises against a task for each of any number of items."""

    name = "unbounded-fan-out"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"gather", b"create_task", b"ensure_future", b"start_soon", b"as_completed")
    status = Status.OPT_IN

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per fan-out over an input of any size."""
        findings: dict[ast.Call, Finding] = {}
        for module in site_modules(project, self.triggers, is_around_tests):
            for fan_out in fan_outs(project, module):
                over = None if fan_out.started in findings else _text_over(project, fan_out)
                if over is not None:
                    findings[fan_out.started] = Site(self.name, module, fan_out.started).advice(
                        f"every item of `{over}` starts a task that runs "
                        f"`{module.excerpt(fan_out.called)}()`, without a limit",
                        _CURE,
                    )
        return findings.values()


def _text_over(project: Project, one: FanOut) -> str | None:
    """Return what a fan-out goes through, if neither its size nor its tasks are limited."""
    result = (unbounded_size(one.module, iterable) for iterable in one.iterables)
    over = next((each for each in result if each is not None), None)
    if over is None or is_limited_here(one.module, one.started) or not is_meant(project, one):
        return None
    return over if works_without_limit(project, one.module, one.started, one.called) else None
