"""Fan-outs: loops that start a task, or make a coroutine to be gathered, for each item."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.knowledge.coroutines import coroutines
from awaken.knowledge.library_names import library_names
from awaken.project.source.trees import Comprehension, FunctionOrLambda, children, last_name
from awaken.project.source.worklist import preorder

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_TASKS = {"create_task", "ensure_future", "start_soon"}
_TOGETHER = {"as_completed", "gather", "wait"}
_WRAPPERS = {"shield", "wait_for"}


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
