"""One gather: what it runs, where it is, and the task group that replaces it.

The steps that a cancelled coroutine skips: events, entries, futures, locks.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from msgspec import Meta, Struct
from msgspec.structs import replace

from awaken.codemods.asyncio.gather_to_taskgroup import reasons
from awaken.codemods.asyncio.gather_to_taskgroup.gather_arguments import (
    Gathered,
    Given,
    gathered_by,
)
from awaken.codemods.asyncio.gather_to_taskgroup.payload import GroupCode, Results, Started
from awaken.codemods.asyncio.gather_to_taskgroup.placing import Position, position_of, which_await
from awaken.codemods.asyncio.gather_to_taskgroup.task_names import Names
from awaken.kit.caveats.listing_calls import lists_names
from awaken.kit.imports import name_from_same_module
from awaken.kit.names_here import is_dotted
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, word_list
from awaken.project.effects import suspensions
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.source.memo import cached_in_file
from awaken.project.source.trees import arguments_of, is_constant, last_name, root_of
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.contract import Edit, Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CANCELLATIONS = {"BaseException", "CancelledError"}
_BEGUN_BY = {"release": "acquire", "set": "", "task_done": "get"}
"""Methods without arguments that others wait for, and what is awaited of the same object before."""
_RESOLVING = {"set_exception", "set_result"}
_REMOVING = {"discard", "pop", "remove"}
_ADDING = {*library_names().adding_methods, "setdefault"}
WRITE_GROUP = "write-group"
USE_RESULTS = "use-results"
WRAP_STATEMENT = "wrap-statement"
_CHANGES = (
    "if a task fails, the group cancels the others and awaits them before {}",
    "a task that other code cancels raises only when its result is read",
    "a mock of `gather()` gets no call",
    "a mock that returns a future instead of a coroutine fails",
)
_FIRST = "the error is raised"
_GROUPED = "all errors are raised in an `ExceptionGroup`"
CONTEXT = "its `__context__` is the exception group"
_LIMITED = "an exception during their cancellation hides the timeout"
_IN_ORDER = "all tasks start in the order of the arguments"
_REPLACED = "the group also awaits a task that another one with the same key replaces in `{}`"
_TUPLE = "the results are a tuple, as annotated, not a list"
_GROUP = "BaseExceptionGroup"
_TRIO = ("trio", "trio_asyncio")
_LIFETIMES = word_list("lifetimes")


class LeftUndone(NamedTuple):
    """A step after an ``await`` that does not run where its coroutine is cancelled there."""

    shown: str
    function: str
    place: Place


def left_undone(
    project: Project, module: Module, coroutines: Sequence[ast.expr]
) -> LeftUndone | None:
    """Return the first step that one of ``coroutines``, or a coroutine they await, leaves undone.

    That is a step that others wait for: an event is set, a lock is released, a future is resolved,
    or an entry is removed that the same function adds. None of them in ``finally``, in a manager,
    or in a handler of cancellations counts.
    """
    waiting = deque((module, coroutine) for coroutine in coroutines)
    seen: set[ast.AST] = set()
    while waiting:
        home, node = waiting.popleft()
        called = project.calls.function_called(home, node) if isinstance(node, ast.Call) else None
        if called is None or isinstance(called, Unknown) or called.function in seen:
            continue
        function = called.function
        seen.add(function)
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for step in _skipped_steps(function):
            shown = called.module.excerpt(step)
            place = called.module.place(step, "move it to a `finally`")
            return LeftUndone(shown, function.name, place)
        for part in suspensions(function).awaits:
            if isinstance(part, ast.Await):
                # Also the arguments of `wait_for()` and the like.
                passed = part.value.args if isinstance(part.value, ast.Call) else []
                waiting += [(called.module, each) for each in (part.value, *passed)]
    return None


def _skipped_steps(function: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Yield the steps of a coroutine function that a cancellation passes over."""
    is_kept = _is_kept(function)
    nodes = sorted(own_nodes(function.body), key=_moment)
    added = {word for node in nodes if (word := _added_text(node))}
    own = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    awaited: set[tuple[str, str]] = set()
    for node in nodes:
        step = _step(node)
        if step and not is_kept(step):
            target, how = step
            is_removed = how != "remove" or target in added - own
            if is_removed and awaited - {(target, _BEGUN_BY.get(how, ""))}:
                yield node
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=name))):
                awaited.add((ast.unparse(owner), name))
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                awaited.add(("", ""))


def _moment(node: ast.AST) -> tuple[int, int]:
    """Return where ``node`` has its effect: after its parts, except for the head of a block."""
    if isinstance(node, ast.expr) and node.end_lineno and node.end_col_offset:
        return node.end_lineno, node.end_col_offset
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _is_kept(function: ast.AsyncFunctionDef) -> Callable[[tuple[str, str]], bool]:
    """Return a function that says whether a step also runs in a cancelled coroutine.

    In a handler of cancellations it may be done by another name.
    """
    at_last: set[tuple[str, str]] = set()
    handled: set[str] = set()
    for node in own_nodes(function.body):
        if not isinstance(node, ast.Try):
            continue
        at_last |= {step for part in own_nodes(node.finalbody) if (step := _step(part))}
        for handler in node.handlers:
            caught = handler.type
            named = caught.elts if isinstance(caught, ast.Tuple) else [caught]
            if any(part is None or last_name(part) in _CANCELLATIONS for part in named):
                handled |= {step[1] for part in own_nodes(handler.body) if (step := _step(part))}
    return lambda step: step in at_last or step[1] in handled


def _step(node: ast.AST) -> tuple[str, str] | None:
    """Return what ``node`` ends, and how, if others may wait for that."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr=name)):
            has_arguments = bool(node.args or node.keywords)
            if name in _BEGUN_BY and not has_arguments:
                return ast.unparse(target), name
            if name in _RESOLVING:
                return ast.unparse(target), "resolve"
            if name in _REMOVING and has_arguments:
                return ast.unparse(target), "remove"
        case ast.Subscript(value=target, ctx=ast.Del()):
            return ast.unparse(target), "remove"
    return None


def _added_text(node: ast.AST) -> str:
    """Return to what ``node`` adds an entry; empty if it does not."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr=name)) if name in _ADDING:
            return ast.unparse(target)
        case ast.Subscript(value=target, ctx=ast.Store()):
            return ast.unparse(target)
    return ""


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """How exceptions leave the task group."""

    exceptions: Annotated[
        Literal["plain", "unwrap"],
        Meta(
            description='`"unwrap"` raises the first exception, as `gather()` does. '
            '`"plain"` raises an `ExceptionGroup` of all, which `except ValueError` does not catch.'
        ),
    ] = "unwrap"

    @property
    def unwraps(self) -> bool:
        """Whether the first exception is raised by itself."""
        return self.exceptions == "unwrap"


def task_group_rewrite(
    site: Site[ast.Call], project: Project, names: Names, options: Options
) -> Rewrite:
    """Return the task group that takes the place of a gather. Raises Refused."""
    module, call = site.module, site.node
    awaited = _await(project, module, call)
    _check_keywords(module, call)
    limit = _time_limit(module, call, awaited)
    position = position_of(project, module, awaited)
    if not call.args:
        raise Refused(reasons.NO_ARGUMENTS)
    gathered = gathered_by(project, module, call, position)
    coroutines = [each for argument in gathered.given for each in argument.coroutines]
    shared = project.orm.shared_sessions.shared_session(module, call, coroutines)
    if shared is not None:
        raise Refused(reasons.SHARED_SESSION, shared.shown, because=shared.places)
    group, imports = _group(site, project, names, options, limit)
    places, edits = _written_edits(site, group, position, gathered, names)
    caveats = [name.format(_FIRST if options.unwraps else _GROUPED) for name in _CHANGES]
    if limit is not None:
        caveats.append(_LIMITED)
    caveats += _in_order(module, position, gathered.given)
    caveats += [
        f"the group fails if `{module.excerpt(argument.node)}` contains a coroutine twice"
        for argument in gathered.given
        if not argument.coroutines
    ]
    if gathered.replaced:
        caveats.append(_REPLACED.format(gathered.replaced))
    caveats += _of_program(project, module, call, coroutines)
    is_alone = len(gathered.given) == 1 and gathered.given[0].is_one
    undone = None if is_alone else left_undone(project, module, coroutines)
    if undone is not None:
        skips = f"if it is cancelled, `{undone.function}` skips `{undone.shown}`"
        caveats.append(f"{skips}, which belongs in a `finally`")
        places.append(undone.place)
    message = f"`{module.excerpt(call.func)}()` becomes a task group"
    unused = site.release_import("asyncio", "gather")
    return Rewrite(message, [*edits, *imports, unused], caveats, tuple(places))


def _group(
    site: Site[ast.Call], project: Project, names: Names, options: Options, limit: ast.expr | None
) -> tuple[GroupCode, list[Edit]]:
    """Return the task group, with nothing started in it, and its imports. Raises Refused."""
    module, call = site.module, site.node
    opens, imports = name_from_same_module(project, site, call.func, "asyncio.TaskGroup")
    within, imports = "", [*imports]
    outer = module.parent(call)
    if limit is not None and isinstance(outer, ast.Call):
        timeout, more = name_from_same_module(project, site, outer.func, "asyncio.timeout")
        within = f"{timeout}({module.text_of(limit)})"
        imports += [*more, site.release_import("asyncio", "wait_for")]
    if options.unwraps and module.scopes.is_bound(_GROUP, call):
        raise Refused(NAME_TAKEN, _GROUP)
    error = names.error() if options.unwraps else ""
    return GroupCode(None, f"{opens}()", names.group(), (), within, error), imports


def _written_edits(
    site: Site[ast.Call], group: GroupCode, position: Position, gathered: Gathered, names: Names
) -> tuple[list[Place], list[Edit]]:
    """Return the edits that write ``group``, and the other places that they change."""
    module, built, made = site.module, gathered.built, gathered.list_made
    outer = position.awaited.value
    func = outer.func if isinstance(outer, ast.Call) else site.node.func
    group = replace(group, unpacks=gathered.unpacks)
    code, shown = _started_pair(group, position, gathered, names)
    item = names.item() if code.tasks and position.is_looped_over else ""
    results = Results(
        which_await(module, position),
        module.text_of(func),
        code.tasks if item else shown,
        inside=outer is not site.node,
        item=item,
    )
    if built is None:
        written = replace(code, results=results)
        return [], [site.rewrite(position.statement, WRITE_GROUP, written)]
    edits: list[Edit] = [
        site.rewrite(built, WRAP_STATEMENT if gathered.stays else WRITE_GROUP, code),
        site.rewrite(position.statement, USE_RESULTS, results),
    ]
    if not code.drops or made is None:
        return [module.place(built)], edits
    return [module.place(built), module.place(made)], [*edits, site.remove_statement(made)]


def _in_order(module: Module, position: Position, given: Sequence[Given]) -> Iterable[str]:
    """Yield what begins, or is read, in another order, and expressions that become a tuple."""
    if any(later.is_task and not argument.is_task for argument, later in pairwise(given)):
        yield _IN_ORDER
    if position.is_annotated and all(argument.is_one for argument in given):
        yield _TUPLE
    for early in dict.fromkeys(_read_before(module, position)):
        yield f"`{early}` is read after they ran"


# ------------------------------------------------------------------------------- what is in the way
def _await(project: Project, module: Module, call: ast.Call) -> ast.Await:
    """Return the ``await`` of ``call``. Raises Refused where it is not awaited as it is."""
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    above = module.parent(call)
    if isinstance(above, ast.Call):
        taker = project.qualified_name(module, above.func)
        if taker == "asyncio.shield":
            raise Refused(reasons.SHIELD)
        if taker == "asyncio.wait_for" and above.args[:1] == [call]:
            above = module.parent(above)
    if not isinstance(above, ast.Await) or module.enclosing_coroutine(call) is None:
        raise Refused(reasons.NOT_AWAITED)
    trio = next((name for name in _imported_packages(module) if name in _TRIO), None)
    if trio is not None:
        raise Refused(reasons.ANYIO_TRIO, trio)
    return above


def _time_limit(module: Module, call: ast.Call, awaited: ast.Await) -> ast.expr | None:
    """Return how long `wait_for()` around ``call`` waits; None if there is none. Raises Refused."""
    outer = awaited.value
    if outer is call or not isinstance(outer, ast.Call):
        return None
    match outer:
        case ast.Call(args=[_, limit], keywords=[]):
            pass
        case ast.Call(args=[_], keywords=[ast.keyword(arg="timeout", value=limit)]):
            pass
        case _:
            raise Refused(reasons.TIME_LIMIT, module.excerpt(outer))
    match limit:
        case ast.Constant(value=None):
            return limit
        case ast.Constant(value=int() | float() as seconds) if seconds > 0:
            return limit
        case ast.Name():
            return limit
        case _ if is_dotted(limit):
            return limit
        case _:
            raise Refused(reasons.TIME_LIMIT, module.excerpt(limit))


@cached_in_file
def _imported_packages(module: Module) -> Sequence[str]:
    """Return the packages that the file imports."""
    result: list[str] = []
    for node in module.walk():
        if isinstance(node, ast.Import):
            result += (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            result.append((node.module or "").partition(".")[0])
    return result


def _check_keywords(module: Module, call: ast.Call) -> None:
    for keyword in call.keywords:
        is_false = is_constant(keyword.value, value=False)
        if keyword.arg == "return_exceptions" and is_false:
            continue
        if keyword.arg == "return_exceptions":
            raise Refused(reasons.RETURN_EXCEPTIONS)
        raise Refused(reasons.LOOP_KEYWORD, module.excerpt(keyword))


# ------------------------------------------------------------------------------------- what is done
def _started_pair(
    group: GroupCode, position: Position, gathered: Gathered, names: Names
) -> tuple[GroupCode, str]:
    """Return ``group`` with the way each argument is started, and the code of its results."""
    given = gathered.given
    if gathered.stays:
        drops = position.is_ignored and gathered.list_made is not None
        held = ast.unparse(given[0].node)
        every = (Started("one", is_task=True),)
        return replace(group, started=every, tasks=held, drops=drops), _results_of(
            held, position, names
        )
    if position.is_ignored:
        ignored = [_ignored_task(argument, names) for argument in given]
        started = tuple(task for task in ignored if task is not None)
        if len(started) == len(given):
            return replace(group, started=started), ""
    tasks = names.of_tasks(position, given)
    if tasks:
        started = tuple(
            Started("one", name, is_task=argument.is_task)
            for name, argument in zip(tasks, given, strict=True)
        )
        results = ", ".join(f"{name}.result()" for name in tasks)
        if len(tasks) == 1:
            results = f"{results}," if position.is_tuple else f"[{results}]"
        return replace(group, started=started), results
    built = gathered.built if isinstance(gathered.built, ast.Assign) else None
    held = names.list_of_tasks(built, position)
    kept = tuple(_kept_task(argument, names) for argument in given)
    return replace(group, started=kept, tasks=held), _results_of(held, position, names)


def _results_of(held: str, position: Position, names: Names) -> str:
    """Return the code of the results of the tasks in the list ``held``."""
    if position.is_ignored:
        return ""
    task = next((candidate for candidate in ("task", "t") if not names.is_used(candidate)), "task")
    every = f"{task}.result() for {task} in {held}"
    return f"({every})" if position.is_consumed else f"[{every}]"


def _kept_task(given: Given, names: Names) -> Started:
    """Return how an argument is started whose tasks are held by a list."""
    match given.kind:
        case "one":
            return Started("one", is_task=given.is_task)
        case "each":
            return Started("each", names.coroutine(), given.is_task)
    return Started("items", is_task=given.is_task)


def _ignored_task(given: Given, names: Names) -> Started | None:
    """Return how an argument is started whose results nobody uses; None if a list must hold it."""
    node = given.node
    if given.is_one:
        return Started("one", is_task=given.is_task)
    if isinstance(node, ast.ListComp | ast.GeneratorExp) and names.take_loop(node):
        return Started("loop", is_task=given.is_task)
    # A loop over calls that create tasks would start too late; a loop over coroutines does not.
    is_bare = isinstance(node, ast.ListComp | ast.GeneratorExp) and _is_bare(node.elt)
    if given.is_task and not is_bare:
        return None
    return Started("each", names.coroutine(), given.is_task)


def _is_bare(node: ast.expr) -> bool:
    """Whether a call is passed one argument, by its position."""
    return isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords


def _of_program(
    project: Project, module: Module, gathered: ast.Call, coroutines: Sequence[ast.expr]
) -> Iterator[str]:
    """Yield the caveats of the rest of the program: its contexts, its tasks and its names."""
    # A task copies its context when it is created, before the next coroutine is created.
    if project.files_with((b"ContextVar",)) and any(
        _runs_early(project, module, node) for node in coroutines[1:] if isinstance(node, ast.Call)
    ):
        yield "a task does not see context variables that are set while the next one is made"
    if project.files_with((b"set_task_factory",)):
        yield "if a task factory does not return a task, the group waits forever"
    if project.files_with(_LIFETIMES):
        # The variables of the tasks keep them until the function ends.
        yield "results and errors are freed at another time"
    listed = lists_names(module, module.scopes.scope_of(gathered))
    if listed is not None:
        yield f"`{module.excerpt(listed)}` sees additional names"


def _runs_early(project: Project, module: Module, made: ast.Call) -> bool:
    """Whether code runs while a coroutine is made: for its arguments, or in a plain function."""
    arguments = arguments_of(made)
    if any(isinstance(part, ast.Call) for argument in arguments for part in module.walk(argument)):
        return True
    called = project.calls.function_called(module, made)
    return not isinstance(called, Unknown) and not isinstance(called.function, ast.AsyncFunctionDef)


# ---------------------------------------------------------------------------- what is read early
def _read_before(module: Module, position: Position) -> Iterator[str]:
    """Yield the names that the statement reads before it awaits, and that the tasks may change.

    With the block before the statement, it is read after them.
    """
    statement, start = position.statement, module.span(position.awaited).start
    if isinstance(statement, ast.AugAssign):
        target = statement.target
        if not isinstance(target, ast.Name) or _is_set_elsewhere(module, target):
            yield module.excerpt(target)
    # Targets come last, whatever their place.
    is_stored = isinstance(statement, ast.AnnAssign | ast.Assign | ast.AugAssign)
    evaluated = statement.value if is_stored else statement  # type: ignore[attr-defined]
    for node in module.walk(evaluated):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if module.span(node).start >= start or isinstance(module.parent(node), ast.Attribute):
            continue
        if isinstance(node, ast.Name) and _is_set_elsewhere(module, node):
            yield node.id
        if isinstance(node, ast.Attribute) and not _is_of_module(module, node):
            yield module.excerpt(node)


def _is_set_elsewhere(module: Module, name: ast.Name) -> bool:
    """Whether another function than the one that owns the variable ``name`` may set it."""
    scopes = module.scopes
    owner = scopes.owner(name.id, scopes.scope_of(name))
    if owner is None:
        return False
    return any(
        scopes.scope_of(binding.node) is not owner
        for binding in owner.bindings[name.id]
        if binding.kind not in {"function", "class", "import", "parameter"}
    )


def _is_of_module(module: Module, node: ast.Attribute) -> bool:
    base = root_of(node)
    if not isinstance(base, ast.Name):
        return False
    bindings = module.scopes.bindings_of(base)
    return bool(bindings) and all(binding.kind in {"import", "class"} for binding in bindings)
