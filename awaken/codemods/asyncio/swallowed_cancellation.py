"""Re-raise `CancelledError` in handlers that swallow it.

## What

awaken looks at handlers around an `await` in a coroutine:

| you write | awaken writes |
| --- | --- |
| `except asyncio.CancelledError:` that raises nothing | `raise` at the end of the handler |
| `return`, `break`, `continue` or `pass` at its end | `raise` instead |
| `except:` or `except BaseException:` that only logs or leaves | `except Exception:` |
| `except (asyncio.CancelledError, OSError):` that only logs or leaves | `except OSError:` |

## Why

A cancellation is an exception that passes through the coroutines of a task. If a handler catches it
and does not raise it again, nobody can stop the task. `asyncio.timeout()` and `asyncio.TaskGroup`
around it stop working, without any message.

## Before: a handler that swallows the cancellation (unsafe)

```python
import asyncio


async def poll(read):
    while True:
        try:
            print(await read())
        except asyncio.CancelledError:
            print("asked to stop")
        except OSError as error:
            print(error)
```

## After: a handler that swallows the cancellation (unsafe)

```python
import asyncio


async def poll(read):
    while True:
        try:
            print(await read())
        except asyncio.CancelledError:
            print("asked to stop")
            raise
        except OSError as error:
            print(error)
```

## Before: a handler of all exceptions (unsafe)

```python
async def close(connection):
    try:
        await connection.close()
    except:
        pass
```

## After: a handler of all exceptions (unsafe)

```python
async def close(connection):
    try:
        await connection.close()
    except Exception:
        pass
```

## Safety

No rewrite is safe:

| case | what may change |
| --- | --- |
| the task is cancelled | the code after the handler no longer runs |
| other code awaits the coroutine | it is cancelled as well |
| `except Exception:` | `KeyboardInterrupt` and `SystemExit` also pass through |

The message says which cases apply.

## What it does not report

| not reported | why |
| --- | --- |
| handlers that raise or leave on some branch only | the code decides when to stop |
| handlers that keep the exception, return it or pass it on | other code may raise it |
| handlers that call `cancelling()` or `uncancel()`, or end the program | the code handles the cancellation |
| handlers with a `raise` after them | the function still raises |
| handlers inside another handler of cancellations | awaken looks at the outer one |
| handlers after a call of `cancel()` in the same function | they catch the end of the task that was cancelled |
| handlers around the `await` of a task or future by its name, or of `asyncio.shield()` | other code may have cancelled it |
| handlers outside loops, at the end of a coroutine that `create_task()`, `gather()` or `asyncio.run()` runs | the task ends there |
| tests | they may be about the cancellation |

Ruff has no such rule. E722 and BLE001 report `except:` and `except BaseException` in all functions;
neither reports `except asyncio.CancelledError`.

## What it refuses

| left alone | why |
| --- | --- |
| handlers of several exceptions that do more than log or leave | they do so for the others as well |
| handlers that return a value, or leave in the middle | the caller may use the value |
| handlers with code after them, before the function ends | `raise` would skip it |
| `contextlib.suppress()` | it has no handler |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": "Task Cancellation"
* Python 3.14, `asyncio`, "Exceptions": `CancelledError` "must be re-raised"
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Edit, Level, Phase, Reason, Span, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.payloads import WRITE_STATEMENTS, Statements
from awaken.kit.rule import SiteRule
from awaken.kit.search import refers_to, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.effects import suspensions
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.source.expressions.alternatives import whole_conditional
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import FunctionOrLambda, Loop, is_none, last_name
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

CLEAN_UP = Reason(
    "clean-up",
    "`{}` swallows the cancellation of its task, and also cleans up after other exceptions",
    "Add `except asyncio.CancelledError:` before it, with the cleanup and `raise`.",
)
CODE_BEHIND = Reason(
    "code-behind",
    "`{}` swallows the cancellation of its task, so that the code after it runs",
    "Move that code to a `finally`, and raise in the handler.",
)
LEAVES = Reason(
    "leaves",
    "`{}` swallows the cancellation of its task, and returns a value or leaves early",
    "Use `raise` instead.",
)
SHARED_LINE = Reason(
    "shared-line",
    "`{}` swallows the cancellation of its task, with its body on the same line",
    "Put its body on separate lines, and raise there.",
)
SUPPRESSED = Reason(
    "suppressed",
    "`{}` swallows the cancellation of its task",
    "Catch it, clean up, and raise it again.",
)

_CANCELLED = {"asyncio.CancelledError", "asyncio.exceptions.CancelledError"}
_BASE = "builtins.BaseException"
_EVERYTHING = {_BASE, "builtins.Exception"}
_LEAVING = (ast.Break, ast.Continue, ast.Pass, ast.Return)
_SAYING = name_list("logging_methods") | {"print", "print_exc"}
_READING = _SAYING | {"isinstance", "repr", "str", "type"}
_OF_OTHERS = {"gather", "wait", "wait_for", "wrap_future"}
_ENDING = {"exit", "_exit"}
_DELIBERATE = {"cancelling", "uncancel", "set_exception", "throw"}


class SwallowedCancellation(SiteRule):
    """Adds ``raise`` to handlers of ``CancelledError``, and narrows those of everything."""

    name = "swallowed-cancellation"
    family = "asyncio"
    # Rules of earlier phases write the awaits that this one looks for.
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"CancelledError", b"BaseException", b"except:")
    status = Status.PREVIEW
    reasons = (CLEAN_UP, CODE_BEHIND, LEAVES, SHARED_LINE, SUPPRESSED)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per handler or ``suppress()``, and its change."""
        return (
            decide(Site(self.name, module, node), _rewrite, project)
            for module in site_modules(project, self.triggers, is_around_tests)
            if b"async def" in module.source.text
            for node in _sites(project, module)
        )


# ----------------------------------------------------------------------------------- the sites
def _sites(project: Project, module: Module) -> Iterator[ast.ExceptHandler | ast.Call]:
    for node in module.walk():
        if isinstance(node, ast.Try):
            handler = _catching(project, module, node)
            if handler is None or not _waits(module, node, node.body):
                continue
            if not (
                _is_deliberate(handler)
                or _ends_others(module, node, node.body)
                or _is_decided(project, module, node, handler)
            ):
                yield handler
        elif isinstance(node, ast.With) and _waits(module, node, node.body):
            for item in node.items:
                call = item.context_expr
                if not isinstance(call, ast.Call) or not _suppresses(project, module, call):
                    continue
                if not _ends_others(module, node, node.body):
                    yield call


def _waits(module: Module, node: ast.stmt, body: Sequence[ast.stmt]) -> bool:
    """Whether a coroutine runs ``node``, and its ``body`` awaits something."""
    return module.enclosing_coroutine(node) is not None and bool(_awaits(body))


def _awaits(body: Sequence[ast.stmt]) -> list[ast.AST]:
    return [node for statement in body for node in suspensions(statement).awaits]


def _catching(project: Project, module: Module, node: ast.Try) -> ast.ExceptHandler | None:
    """Return the handler of ``node`` that gets the cancellation, if one does."""
    for handler in node.handlers:
        if handler.type is None or _cancellations(project, module, handler):
            return handler
    return None


def _cancellations(project: Project, module: Module, handler: ast.ExceptHandler) -> list[ast.expr]:
    """Return the classes that ``handler`` names and that a cancellation is an instance of."""
    if handler.type is None:
        return []
    names, caught = {*_CANCELLED, _BASE}, _caught_names(handler.type)
    return [node for node in caught if refers_to(project, module, node, names)]


def _caught_names(caught: ast.expr) -> list[ast.expr]:
    return caught.elts if isinstance(caught, ast.Tuple) else [caught]


def _suppresses(project: Project, module: Module, call: ast.Call) -> bool:
    return refers_to(project, module, call.func, {"contextlib.suppress"}) and any(
        project.qualified_name(module, node) in {*_CANCELLED, _BASE} for node in call.args
    )


def _is_deliberate(handler: ast.ExceptHandler) -> bool:
    """Whether the handler raises or leaves on some path only, or passes the exception on."""
    parents = {
        child: node
        for node in own_nodes(handler.body)
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, ast.expr_context)
    }
    for node in own_nodes(handler.body):
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.If) and any(isinstance(one, _LEAVING) for one in own_nodes([node]))
        ):
            return True
        if isinstance(node, ast.Call) and last_name(node.func) in _ENDING | _DELIBERATE:
            return True
        if isinstance(node, ast.Name) and node.id == handler.name:
            above = parents.get(node)
            if isinstance(above, ast.keyword):
                above = parents.get(above)
            if isinstance(above, ast.Attribute | ast.FormattedValue | ast.Compare | ast.BinOp):
                continue
            if not isinstance(above, ast.Call) or last_name(above.func) not in _READING:
                return True
    return False


def _ends_others(module: Module, node: ast.stmt, body: Sequence[ast.stmt]) -> bool:
    """Whether the exception may come from a task that somebody else is done with.

    The function cancels something before, or all that ``body`` awaits are tasks and futures.
    """
    function = module.enclosing_coroutine(node)
    end = module.span(body[-1]).end
    before = (
        part
        for part in own_nodes(function.body if function is not None else ())
        if isinstance(part, ast.Call) and module.span(part).start < end
    )
    if any("cancel" in last_name(call.func).lower() for call in before):
        return True
    return all(_is_of_others(part) for part in _awaits(body) if not _is_limit(part))


def _is_limit(awaits: ast.AST) -> bool:
    """Whether ``awaits`` only limits the time of its block."""
    return isinstance(awaits, ast.AsyncWith) and all(
        isinstance(item.context_expr, ast.Call)
        and last_name(item.context_expr.func) in {"timeout", "timeout_at"}
        for item in awaits.items
    )


def _is_of_others(awaits: ast.AST) -> bool:
    """Whether ``awaits`` waits for a task or a future that was made elsewhere."""
    if not isinstance(awaits, ast.Await):
        return False
    waiting: list[ast.expr] = [awaits.value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Starred):
            waiting.append(node.value)
        elif isinstance(node, ast.Call) and last_name(node.func) == "shield":
            continue  # `shield()` is about cancellations
        elif isinstance(node, ast.Call) and last_name(node.func) in _OF_OTHERS:
            waiting += node.args if last_name(node.func) == "gather" else node.args[:1]
        elif any(isinstance(part, ast.Call) for part in ast.walk(node)):
            return False
    return True


def _is_decided(
    project: Project, module: Module, node: ast.Try, handler: ast.ExceptHandler
) -> bool:
    """Whether somebody thought of what happens after ``handler``, or it is the end of a task."""
    if any(
        isinstance(statement, ast.Raise) for statement in _statements_after(module, node, handler)
    ):
        return True
    for above in module.ancestors_inside(node):
        if isinstance(above, ast.ExceptHandler) and (
            above.type is None or _cancellations(project, module, above)
        ):
            return True  # only the outer handler is reported
    function = module.enclosing_coroutine(node)
    if function is None or _goes_on(module, node, handler):
        return False
    return _is_end_of_task(project, module, function)


def _is_end_of_task(
    project: Project,
    module: Module,
    function: ast.AsyncFunctionDef,
    seen: frozenset[ast.AST] = frozenset(),
) -> bool:
    """Whether a task ends where ``function`` does, wherever it runs.

    Others run its coroutine or are passed the function, or a coroutine awaits it last whose task
    ends there as well. Unread code does not count: this only leaves a site out.
    """
    fates = project.effects.fates_of_result(module, function)
    mentions = [
        one for one in module.mentions(function.name) if _may_mean(project, module, one, function)
    ]
    awaited = [(module, call) for mention in mentions if (call := _awaited_call(module, mention))]
    for fate in fates:
        awaited += project.calls_at(fate.place)[:1] if fate.kind == "awaited" else []
    for home, call in awaited:
        last = _awaited_last(home, call, function)
        if last is None or last in seen:
            return False
        if not _is_end_of_task(project, home, last, seen | {function}):
            return False
    is_run = any(candidate.kind in {"awaited", "run"} for candidate in fates)
    return is_run or any(_is_passed(module, mention) for mention in mentions)


def _may_mean(
    project: Project, module: Module, named: ast.AST, function: ast.AsyncFunctionDef
) -> bool:
    """Whether a name like that of ``function`` may be it: a call of another one is not.

    What it awaits itself is not either: `await connection.serve()` in a method ``serve``.
    """
    call = module.call_of(named)
    if function in module.ancestors(named):
        return False
    if call is None:
        return True
    called = project.calls.function_called(module, call)
    if not isinstance(called, Unknown):
        return called.function is function
    return not project.effects.library_functions(module, call)


def _awaited_call(module: Module, named: ast.AST) -> ast.Call | None:
    """Return the call of a function that is awaited where it is ``named``."""
    call = module.call_of(named)
    is_awaited = call is not None and isinstance(module.parent(call), ast.Await)
    return call if is_awaited else None


def _is_passed(module: Module, named: ast.AST) -> bool:
    """Whether a call is passed a function, or the coroutine that a call of it makes."""
    given = module.call_of(named) or named
    if isinstance(given, ast.expr):
        given = whole_conditional(module, given)
    return module.call_taking(given) is not None


def _awaited_last(
    module: Module, call: ast.Call, function: ast.AsyncFunctionDef
) -> ast.AsyncFunctionDef | None:
    """Return the coroutine function that ends by awaiting ``call`` of ``function``."""
    around, awaited = module.enclosing_coroutine(call), module.parent(call)
    below = module.parent(awaited)
    is_whole = isinstance(awaited, ast.Await) and isinstance(below, ast.Expr | ast.Return)
    if last_name(call.func) != function.name or not is_whole:
        return None
    while isinstance(below, ast.stmt) and below is not around:
        above = module.parent(below)
        if not isinstance(above, ast.AsyncFunctionDef | ast.If | ast.With):
            return None
        if module.block_of(below)[-1] is not below:
            return None
        below = above
    return around


# --------------------------------------------------------------------------------- the rewrite
def _rewrite(site: Site[ast.ExceptHandler | ast.Call], project: Project) -> Rewrite:
    module, node = site.module, site.node
    if isinstance(node, ast.Call):
        raise Refused(SUPPRESSED, module.excerpt(node))
    above = module.parent(node)
    if not isinstance(above, ast.Try):
        raise TypeError("a handler is in a try")
    shown = _shown_text(module, node)
    message = f"`{shown}` swallows the cancellation of its task"
    named = [] if node.type is None else _caught_names(node.type)
    cancelled = [part for part in named if refers_to(project, module, part, _CANCELLED)]
    behind = next(filter(_does_something, _statements_after(module, above, node)), None)
    if cancelled and behind is not None:
        raise Refused(CODE_BEHIND, shown, because=(module.place(behind, "would not run"),))
    is_only = bool(named) and len(cancelled) == len(named)
    if is_only or _follows_all_errors(project, module, above, node):
        return Rewrite(message, _raising(site, node, shown), [_change(module, above, node)])
    if any(map(_does_something, node.body)):
        raise Refused(CLEAN_UP, shown)
    if len(named) > 1:
        edits = _edits_without(project, site, node, named)
        return Rewrite(message, edits, [_change(module, above, node)])
    if module.scopes.is_bound("Exception", node):
        raise Refused(CLEAN_UP, shown)
    caveat = "`KeyboardInterrupt` and `SystemExit` now propagate as well"
    return Rewrite(message, [_narrowed_edit(site, node)], [_change(module, above, node), caveat])


def _shown_text(module: Module, handler: ast.ExceptHandler) -> str:
    return "except" if handler.type is None else f"except {module.excerpt(handler.type)}"


def _follows_all_errors(
    project: Project, module: Module, node: ast.Try, handler: ast.ExceptHandler
) -> bool:
    """Whether a handler in front of ``handler`` has every Exception."""
    return any(
        part.type is not None
        and any(
            project.qualified_name(module, each) in _EVERYTHING for each in _caught_names(part.type)
        )
        for part in node.handlers[: node.handlers.index(handler)]
    )


def _raising(
    site: Site[ast.ExceptHandler | ast.Call], handler: ast.ExceptHandler, shown: str
) -> list[Edit]:
    """Return the edit by which ``handler`` ends with ``raise``."""
    module, last = site.module, handler.body[-1]
    leaving = [node for node in own_nodes(handler.body) if isinstance(node, _LEAVING)]
    if any(node is not last and not isinstance(node, ast.Pass) for node in leaving):
        raise Refused(LEAVES, shown)
    if isinstance(last, ast.Return) and not (last.value is None or is_none(last.value)):
        raise Refused(LEAVES, shown)
    if isinstance(last, _LEAVING):
        return [site.rewrite(last, WRITE_STATEMENTS, Statements("raise"))]
    header = module.source.text[module.span(handler).start : module.span(handler.body[0]).start]
    if b"\n" not in header:
        raise Refused(SHARED_LINE, shown)
    return [site.insert_statements(module.place(last), "after", "raise")]


def _edits_without(
    project: Project,
    site: Site[ast.ExceptHandler | ast.Call],
    handler: ast.ExceptHandler,
    named: list[ast.expr],
) -> list[Edit]:
    """Return the edits that take cancellations out of the classes of ``handler``."""
    module = site.module
    gone = _cancellations(project, module, handler)
    stay = [module.text_of(node) for node in named if node not in gone]
    if handler.type is None or not stay or "#" in module.text_of(handler.type):
        raise Refused(CLEAN_UP, _shown_text(module, handler))
    text = stay[0] if len(stay) == 1 else f"({', '.join(stay)})"
    return [site.replace(handler.type, text), site.release_import("asyncio", "CancelledError")]


def _narrowed_edit(site: Site[ast.ExceptHandler | ast.Call], handler: ast.ExceptHandler) -> Edit:
    """Return the edit by which ``handler`` catches every Exception, and no more."""
    if handler.type is not None:
        return site.replace(handler.type, "Exception")
    end = site.module.span(handler).start + len("except")
    return site.write(Span(end, end), " Exception")


# ------------------------------------------------------------------------- what is left to run
def _change(module: Module, node: ast.Try, handler: ast.ExceptHandler) -> str:
    """Return the caveat for a task that is cancelled."""
    if _goes_on(module, node, handler):
        return "the loop now ends when its task is cancelled, and no longer continues"
    if any(map(_does_something, _statements_after(module, node, handler))):
        return "the code after it no longer runs when its task is cancelled"
    return "the code that awaits the coroutine is now cancelled as well, and no longer continues"


def _goes_on(module: Module, node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """Whether a loop continues after ``handler``."""
    last, loops = handler.body[-1], _loops(module, node)
    left = 1 if isinstance(last, ast.Break) else 0
    return not isinstance(last, ast.Return) and len(loops) > left


def _loops(module: Module, node: ast.stmt) -> list[ast.stmt]:
    """Return the loops around ``node`` in its function, the innermost first."""
    return [above for above in module.ancestors_inside(node) if isinstance(above, Loop)]


def _statements_after(
    module: Module, node: ast.Try, handler: ast.ExceptHandler
) -> Iterator[ast.stmt]:
    """Yield the statements that run between ``handler`` and the end of the function.

    Code in a loop around does not count: it runs again because the loop goes on.
    """
    if isinstance(handler.body[-1], ast.Return):
        return
    loops = _loops(module, node)
    below: ast.stmt = loops[-1] if loops else node
    while not isinstance(below, FunctionOrLambda):
        block = module.block_of(below)
        for statement in block[block.index(below) + 1 :]:
            yield statement
            if isinstance(statement, ast.Return | ast.Raise):
                return
        above = module.parent(below)
        while isinstance(above, ast.ExceptHandler | ast.match_case):
            above = module.parent(above)
        if not isinstance(above, ast.stmt):
            return
        below = above


def _does_something(statement: ast.stmt) -> bool:
    """Whether a statement does more than to leave, or to say something."""
    match statement:
        case ast.Pass() | ast.Break() | ast.Continue():
            return False
        case ast.Return(value=value):
            return value is not None and any(
                isinstance(node, ast.Call | ast.Await | ast.Yield) for node in ast.walk(value)
            )
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Expr(value=ast.Call(func=func)):
            return last_name(func) not in _SAYING
        case ast.If(body=body, orelse=otherwise):
            return any(map(_does_something, [*body, *otherwise]))
    return True
