"""Tasks: functions that a worker calls in a process of its own, and that others send to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import KNOWN
from awaken.contract import Place
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import (
    Function,
    keyword_of,
    last_name,
    parameters_of,
    root_of,
    without_arguments,
)
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project


def refused_tasks(part: SynchronousPart) -> Iterator[tuple[FunctionPlace, Refused]]:
    """Yield the tasks that cannot run a coroutine, each with why.

    Where tests or settings have tasks run at once, they run inside of the loop that sends them. The
    worker interrupts a task with an exception. The event loop raises it outside of the coroutine
    function that expects it. Hooks run where any task is applied.
    """
    tasks = [
        one for one in part.entry_points.found if part.entry_points.is_task(one) and part.waits(one)
    ]
    if not tasks:
        return
    eager = next(_eager(part.project), None)
    hooks = {task.name for task in tasks if part.entry_points.is_hook(task)}
    applied = next(_applied_places(part, hooks), None) if hooks else None
    for function in tasks:
        at = eager or (applied if part.entry_points.is_hook(function) else None)
        if at is not None:
            yield function, Refused(reasons.EAGER_TASK, function.qualname, because=(at,))
    for function in part.steps:
        interrupted = next(_interrupted_places(part, function), None)
        if interrupted is not None:
            because = (interrupted,)
            yield function, Refused(reasons.INTERRUPTED, function.qualname, because=because)


def is_sent(part: SynchronousPart, function: FunctionPlace, place: Place) -> bool:
    """Whether a task is only sent to a worker at a place at which it is named."""
    if not part.entry_points.is_task(function):
        return False
    if any(entry_point.at == place for entry_point in part.entry_points.found[function]):
        return True
    module = part.project.module(place.path)
    name = function.name
    return module is not None and any(
        isinstance(node, ast.Name | ast.Attribute) and _is_plain_use(part, module, node)
        for node in module.mentions(name)
        if place.span in {module.span(node), module.span(module.parent(node) or node)}
    )


def _is_plain_use(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether ``node``, which names a task, is no call of its function in the event loop."""
    match module.parent(node):
        case ast.Attribute(attr=name) as above:
            if name in KNOWN.running:
                return module.call_of(above) is not None
            return name not in KNOWN.applying or _is_in_plain_test(part, module, node)
        case ast.Call(args=[first, ast.Constant(value=str() as name), *_]) as call:
            # `patch.object(task, "delay")` and `monkeypatch.setattr(task, "delay", ...)`.
            is_patched = last_name(call.func) in {"object", "setattr"} and first is node
            return is_patched and name not in {*KNOWN.running, *KNOWN.applying}
        case ast.Compare():
            return True
    return False


def _is_in_plain_test(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    around = part.function_around(module, node)
    is_plain = around not in part.steps and not part.is_asynchronous(around)
    return is_plain and is_test_file(module.path)


# ------------------------------------------------------------------------------------- refusals
def _interrupted_places(part: SynchronousPart, function: FunctionPlace) -> Iterator[Place]:
    pair = part.node_of(function)
    if pair is None:
        return
    module, node = pair
    if not any(name.encode() in module.source.text for name in KNOWN.interrupting):
        return
    for handler in own_nodes(what_runs(node)):
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None:
            names = {last_name(item) for item in ast.walk(handler.type)}
            if names.intersection(KNOWN.interrupting):
                yield module.place(handler)


def _applied_places(part: SynchronousPart, hooks: set[str]) -> Iterator[Place]:
    """Yield where ``hooks`` of a task are called, and a loop may run: where it is applied, too."""
    names = sorted({KNOWN.traced, *hooks})
    for module in modules_with(part.project, [f".{name}".encode() for name in names]):
        for node in (mention for name in names for mention in module.mentions(name)):
            if isinstance(node, ast.Attribute) and not _is_in_plain_test(part, module, node):
                made: ast.expr = node
                while isinstance(made, ast.Attribute | ast.Call):
                    made = made.value if isinstance(made, ast.Attribute) else made.func
                    if _is_task(part, module, made):
                        yield module.place(node)
                        break


def _is_task(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    functions = functions_in(part.project.values.of(module, node).alternatives)
    return any(part.entry_points.is_task(part.place_of(*pair)) for pair in functions)


def _eager(project: Project) -> Iterator[Place]:
    """Yield where a setting has tasks run at once; on doubles it sets nothing."""
    for module, node in nodes_with(project, [name.encode() for name in KNOWN.eager], ast.AST):
        setting = _setting(module, node)
        is_off = isinstance(setting, ast.Constant) and setting.value is False
        if setting is not None and not is_off and not _is_on_double(module, node):
            yield module.place(node)
    words = sorted({f"{name.rpartition('.')[2]}(".encode() for name in KNOWN.queues})
    for module, call in nodes_with(project, words, ast.Call):
        option = KNOWN.queues.get(project.qualified_name(module, call.func) or "")
        is_async = keyword_of(call, option) if option else None
        if is_async is not None and not (isinstance(is_async, ast.Constant) and is_async.value):
            yield module.place(is_async)


def _setting(module: Module, node: ast.AST) -> ast.expr | None:
    """Return the value that ``node`` gives such a setting; the name itself if it is unknown."""
    match node:
        case ast.keyword(arg=name, value=value) if name in KNOWN.eager:
            return value
        case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if name in KNOWN.eager:
            return value
        case ast.Constant(value=str() as name) if name in KNOWN.eager:
            return _value_of(module, node) or node
    return None


def _value_of(module: Module, key: ast.expr) -> ast.expr | None:
    above = module.parent(key)
    if isinstance(above, ast.Dict) and key in above.keys:
        return above.values[above.keys.index(key)]
    return None


def _is_on_double(module: Module, node: ast.AST) -> bool:
    """Whether what holds ``node`` is assigned to an attribute of a mock."""
    statement = module.statement_of(node)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return bool(targets) and all(_is_double(module, target) for target in targets)


def _is_double(module: Module, target: ast.expr) -> bool:
    root = root_of(target)
    if root is target or not isinstance(root, ast.Name):
        return False
    bindings = module.scopes.bindings_of(root)
    return (
        bool(bindings)
        and all(
            last_name(without_arguments(made)) in {"MagicMock", "Mock", "patch"}
            for binding in bindings
            if (made := _made_call(module, binding.node, binding.value)) is not None
        )
        and all(_made_call(module, binding.node, binding.value) is not None for binding in bindings)
    )


def _made_call(module: Module, node: ast.AST, value: ast.expr | None) -> ast.expr | None:
    """Return the call whose result, or whose manager, a name is bound to."""
    if isinstance(value, ast.Call):
        return value
    above = module.parent(node)
    if isinstance(above, ast.withitem) and isinstance(above.context_expr, ast.Call):
        return above.context_expr
    return None


# ------------------------------------------------------------------------------------ signatures
def whole_signature(module: Module, node: Function, receiver: str) -> tuple[str, str]:
    """Return the parameters of a task as written, and the arguments that pass all of them on.

    Its coroutine function is called by others as the task was, and on the ``receiver`` of a hook.
    """
    arguments, shown, given = node.args, list[str](), list[str]()
    for argument, default in parameters_of(arguments):
        star = {arguments.vararg: "*", arguments.kwarg: "**"}.get(argument, "")
        is_named = argument in arguments.kwonlyargs
        if arguments.vararg is None and argument in arguments.kwonlyargs[:1]:
            shown.append("*")
        shown.append(f"{star}{_shown_text(module, argument, default)}")
        given.append(f"{argument.arg}=" * is_named + f"{star}{argument.arg}")
        if argument in arguments.posonlyargs[-1:]:
            shown.append("/")
    return ", ".join(shown), ", ".join(given[1 if receiver else 0 :])


def _shown_text(module: Module, parameter: ast.arg, default: ast.expr | None) -> str:
    declared = parameter.annotation
    text = parameter.arg if declared is None else f"{parameter.arg}: {module.text_of(declared)}"
    if default is None:
        return text
    return f"{text}{'=' if declared is None else ' = '}{module.text_of(default)}"
