"""Calls of tasks and of coroutines in what becomes a coroutine function itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.contract import Edit, Span
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.library_names import library_names
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda, last_name
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project

KNOWN = boundaries().tasks
"""What is known of the tasks of workers."""
ASKING = {name.rpartition(".")[2] for name in library_names().loop_getters}
"""What raises where no event loop is running, or gives one that says so."""

_RUN = "asyncio.run"
_LOOPS = {"asyncio.get_event_loop", "asyncio.new_event_loop"}
_WAITING = "run_until_complete"


def write_call_of_task(
    project: Project,
    site: Site[ast.AST],
    insertions: Insertions,
    call: ast.Call,
    task: tuple[Module, ast.FunctionDef, str],
) -> list[Edit]:
    """Write ``send(user)`` and ``send.run(user)`` as calls of the coroutine function of the task.

    ``task`` is its place, and the name of that function; a method is called on the same object.
    Return the edits that import it. Raises Refused where more may be called.
    """
    module, (home, node, name) = site.module, task
    is_run = isinstance(call.func, ast.Attribute) and call.func.attr in KNOWN.running
    named = call.func.value if is_run and isinstance(call.func, ast.Attribute) else call.func
    values = project.values.of(module, named)
    is_one = len(values.alternatives) == 1 and isinstance(values.alternatives[0], FunctionOf)
    if not values.is_known or not is_one:
        why = f"`{node.name}`, which is a task, and others"
        raise Refused(reasons.UNKNOWN_CALL, why, because=(module.place(call),))
    written, imports = name, list[Edit]()
    if isinstance(call.func, ast.Attribute) and home.enclosing_class(node) is not None:
        end = module.span(call.func).end
        insertions.replace(Span(module.span(call.func.value).end, end), f".{name}")
        return imports
    if home.path != module.path:
        written, imports = name_from_same_module(project, site, named, f"{home.name}.{name}")
    insertions.replace(module.span(call.func), written)
    if is_bound(node):
        _pass_first(module, insertions, call, module.text_of(named))
    return imports


def is_bound(node: ast.FunctionDef) -> bool:
    """Whether a task is passed itself as its first argument."""
    return any(
        keyword.arg == KNOWN.bound
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    )


def _pass_first(module: Module, insertions: Insertions, call: ast.Call, text: str) -> None:
    opening = module.source.text.index(b"(", module.span(call.func).end) + 1
    if not call.args and not call.keywords:
        insertions.insert_at(opening, text)
        return
    following = re.match(rb"[ \t]*\r?\n[ \t]*", module.source.text[opening:])
    line = f"{text}, " if following is None else f"{following[0].decode()}{text},"
    insertions.insert_at(opening, line)


def runs_of(project: Project, module: Module, node: ast.AST) -> Iterator[ast.Call]:
    """Yield where a function runs a coroutine in a loop of its own: ``asyncio.run(f())``.

    ``node`` is the function, or a statement outside of all functions.
    """
    function = node if isinstance(node, Function) else None
    if _RUN.rpartition(".")[2].encode() not in module.source.text:
        return
    for call in _calls_by_function(module).get(function, ()):
        is_inside = function is not None or node in {call, *module.ancestors(call)}
        if is_inside and runs_loop(project, module, call):
            yield call


@cached_in_file
def _calls_by_function(module: Module) -> dict[FunctionOrLambda | None, list[ast.Call]]:
    """Return the calls with one argument, and no other, by the function around them."""
    calls = (call for call in module.nodes(ast.Call) if len(call.args) == 1 and not call.keywords)
    return groups_of(calls, module.enclosing_function)


def runs_loop(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call runs a coroutine in a loop that does nothing else in its function.

    ``asyncio.run(f())``, or ``loop.run_until_complete(f())`` of a variable with such a loop.
    """
    if project.qualified_name(module, call.func) == _RUN:
        return True
    match call.func:
        case ast.Attribute(value=ast.Name() as loop, attr=name) if name == _WAITING:
            return _is_loop(project, module, loop)
        case ast.Attribute(value=ast.Call(args=[], keywords=[]) as made, attr=name):
            return name == _WAITING and project.qualified_name(module, made.func) in _LOOPS
    return False


def caveats_of_loops(project: Project, module: Module, node: ast.AST) -> list[str]:
    """Return what may change where a function that asked for a loop awaits instead.

    A thread has none, so that a handler around it may run another one.
    """
    is_handled = any(
        isinstance(module.parent(statement), ast.Try) and _asks(statement)
        for run in runs_of(project, module, node)
        for statement in _statements_of_loop(project, module, run)
    )
    return ["the handler of a missing event loop runs only for other errors"] if is_handled else []


def asks_for_loop(module: Module, call: ast.Call) -> bool:
    """Whether a call runs a loop only where its function has found that none is running.

    ``if loop.is_running(): ... else: ...``, or ``except RuntimeError:`` where it asks for the loop.
    """
    for node, above in module.steps_up(call):
        match node, above:
            case _, ast.If(test=ast.Call(func=ast.Attribute(attr="is_running")), orelse=orelse):
                if node in orelse:
                    return True
            case ast.ExceptHandler(type=ast.Name(id="RuntimeError")), ast.Try(body=[first, *_]):
                if _asks(first):
                    return True
    return False


def _asks(statement: ast.stmt) -> bool:
    """Whether a statement asks for the event loop of its thread."""
    calls = (part for part in ast.walk(statement) if isinstance(part, ast.Call))
    return not ASKING.isdisjoint(last_name(part.func) for part in calls)


def _is_loop(project: Project, module: Module, loop: ast.Name) -> bool:
    """Whether a local variable is an event loop, which nothing but waiting is done with."""
    binding = module.scopes.only_binding(loop, "assignment")
    made = None if binding is None or binding.scope.kind != "function" else binding.value
    if not isinstance(made, ast.Call) or made.args:
        return False
    if project.qualified_name(module, made.func) not in _LOOPS:
        return False
    return all(
        _waits(module, read) or _keeping(project, module, read) is not None
        for read in module.scopes.reads_of(loop)
    )


def _waits(module: Module, loop: ast.Name) -> bool:
    above = module.parent(loop)
    return (
        isinstance(above, ast.Attribute)
        and above.attr == _WAITING
        and isinstance(module.parent(above), ast.Call)
    )


def _keeping(project: Project, module: Module, loop: ast.Name) -> ast.stmt | None:
    """Return the statement that sets or closes a loop, or lets it run inside of another."""
    statement = module.statement_of(loop)
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="close"), args=[])):
            is_kept = owner is loop
        case ast.Expr(value=ast.Call(func=func, args=[owner])):
            is_set = project.qualified_name(module, func) == "asyncio.set_event_loop"
            is_kept = is_set and owner is loop
        case ast.If(test=ast.Call(func=ast.Attribute(value=owner, attr="is_running")), orelse=[]):
            is_kept = owner is loop and all(map(_nests, statement.body))
        case _:
            is_kept = False
    return statement if is_kept else None


def _nests(statement: ast.stmt) -> bool:
    """Whether a statement only lets loops run inside of others."""
    match statement:
        case ast.Import(names=[ast.alias(name="nest_asyncio")]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="nest_asyncio")))):
            return True
    return False


def _statements_of_loop(project: Project, module: Module, run: ast.Call) -> Iterator[ast.stmt]:
    """Yield what makes, sets and closes the loop of a call that ``runs_loop``."""
    loop = run.func.value if isinstance(run.func, ast.Attribute) else run.func
    made = module.scopes.only_binding(loop, "assignment")
    if made is not None and last_name(run.func) == _WAITING and isinstance(loop, ast.Name):
        kept = (_keeping(project, module, read) for read in module.scopes.reads_of(loop))
        statements = (module.statement_of(made.node), *kept)
        yield from (statement for statement in statements if statement is not None)


def write_runs(
    project: Project, site: Site[ast.AST], insertions: Insertions, runs: Sequence[ast.Call]
) -> Iterator[Edit]:
    """Write the coroutines of ``runs``, which are awaited, and yield the edits of their loops."""
    module = site.module
    for run in runs:
        _write_run(module, insertions, run)
    gone = {item: None for run in runs for item in _statements_of_loop(project, module, run)}
    for statement in gone:
        is_whole = gone.keys() >= {*module.block_of(statement)}
        yield site.replace(statement, "pass") if is_whole else site.remove_statement(statement)
    if runs:
        yield site.release_import("asyncio")


def _write_run(module: Module, insertions: Insertions, call: ast.Call) -> None:
    """Write ``asyncio.run(f())`` as ``f()``, which is awaited instead."""
    outer, inner = module.span(call), module.span(call.args[0])
    is_plain = isinstance(call.args[0], ast.Attribute | ast.Call | ast.Name)
    insertions.replace(Span(outer.start, inner.start), "" if is_plain else "(")
    insertions.replace(Span(inner.end, outer.end), "" if is_plain else ")")
