"""One gather: what it runs, where it stands, and the task group that takes its place."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.asyncio.gather_to_taskgroup import reasons
from awaken.codemods.asyncio.gather_to_taskgroup.arguments import (
    Gathered,
    Given,
    gathered_by,
)
from awaken.codemods.asyncio.gather_to_taskgroup.names import Names
from awaken.codemods.asyncio.gather_to_taskgroup.payload import GroupCode, Results, Started
from awaken.codemods.asyncio.gather_to_taskgroup.placing import (
    Position,
    position_of,
    which_await,
)
from awaken.codemods.asyncio.gather_to_taskgroup.proofs import (
    around_it,
    is_never_cancelled,
    is_quiet,
    nobody_can_tell,
    read_before,
)
from awaken.kit.imports import name_beside
from awaken.kit.names_here import is_dotted
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.sites import Refused, Rewrite, Site

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

WRITE_GROUP = "write-group"
USE_RESULTS = "use-results"
WRAP_LOOP = "wrap-loop"
_OTHERS = "if one fails, the others are cancelled, and awaited before it is raised"
_ALONE = "if it fails, the exception is raised as before"
_GROUPED = "exceptions come in an `ExceptionGroup`"
_CANCELLED = "a task that something else cancels is passed over"
_LIMITED = "an exception raised while they are cancelled hides that the time is over"
_CONTEXT = "its `__context__` is the exception group"
_IN_ORDER = "all begin in the order of the arguments"
_TUPLE = "the results are a tuple, as the annotation says, and no list"
_GROUP = "BaseExceptionGroup"
_TRIO = ("trio", "trio_asyncio")


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """How exceptions leave the task group.

    ``unwrap``: the first one is raised by itself, as gather does. ``plain``: all of them are raised
    in an exception group. ``auto``: as gather does, but where nobody can tell.
    """

    exceptions: Literal["auto", "plain", "unwrap"] = "auto"


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a site: as it stands alone, and where the group is of the class in a file.

    The latter is None where no exception is unwrapped.
    """

    alone: Rewrite
    shared: Rewrite | None = None


def judged(site: Site[ast.Call], project: Project, names: Names, options: Options) -> Judged:
    """Return the task group that takes the place of a gather. Raises Refused."""
    module, call = site.module, site.node
    awaited = _awaited(project, module, call)
    _check_keywords(module, call)
    limit = _time_limit(module, call, awaited)
    position = position_of(project, module, awaited)
    if not call.args:
        raise Refused(reasons.NO_ARGUMENTS)
    gathered = gathered_by(project, module, call, position)
    given = gathered.given
    coroutines = [each for one in given for each in one.coroutines]
    shared = project.orm.shared_session(module, call, coroutines)
    if shared is not None:
        raise Refused(reasons.SHARED_SESSION, shared.shown, because=shared.places)
    is_kept = bool(coroutines) and all(
        is_never_cancelled(project, module, one) for one in coroutines
    )
    # What can wait when it is cancelled is not safe anyway, and the other question costs more.
    raises = not is_kept or not all(is_quiet(project, module, one) for one in given)
    unwraps = raises and _unwraps(project, module, call, options)
    opens, imports = name_beside(project, site, call.func, "asyncio.TaskGroup")
    built = gathered.built
    outer = awaited.value.func if isinstance(awaited.value, ast.Call) else call.func
    within = ""
    if limit is not None:
        timeout, more = name_beside(project, site, outer, "asyncio.timeout")
        within = f"{timeout}({module.text_of(limit)})"
        imports = [*imports, *more, site.release_import("asyncio", "wait_for")]
    if unwraps and module.scopes.is_bound(_GROUP, call):
        raise Refused(NAME_TAKEN, _GROUP)
    group = GroupCode(
        results=None,
        opens=f"{opens}()",
        group=names.group(unwraps=unwraps),
        started=(),
        within=within,
        error=names.error() if unwraps else "",
        unpacks=gathered.unpacks,
    )
    code, shown = _started(group, position, gathered, names)
    results = Results(
        which_await(module, position), module.text_of(outer), shown, inside=limit is not None
    )
    if built is None:
        edits = [site.rewrite(position.statement, WRITE_GROUP, replace(code, results=results))]
    else:
        edits = [
            site.rewrite(built, WRITE_GROUP if isinstance(built, ast.Assign) else WRAP_LOOP, code),
            site.rewrite(position.statement, USE_RESULTS, results),
        ]
    caveats = list(_when_raising(given, unwraps=unwraps)) if raises else []
    if position.is_ignored and not is_kept:
        caveats.append(_CANCELLED)
    if limit is not None:
        caveats.append(_LIMITED)
    caveats += _in_order(module, position, given)
    caveats += around_it(project, module, call, coroutines)
    message = f"`{module.excerpt(call.func)}()` becomes a task group"
    unused = site.release_import("asyncio", "gather")
    places = () if built is None else (module.place(built),)
    alone = Rewrite(message, [*edits, *imports, unused], caveats, places)
    if not unwraps:
        return Judged(alone)
    return Judged(dataclasses.replace(alone, caveats=[*caveats, _CONTEXT]), alone)


def _when_raising(given: Sequence[Given], *, unwraps: bool) -> Iterable[str]:
    """Yield what may change where something is raised."""
    if len(given) > 1 or not given[0].is_one:
        yield _OTHERS
    if not unwraps:
        yield _GROUPED
    elif len(given) == 1 and given[0].is_one:
        yield _ALONE


def _in_order(module: Module, position: Position, given: Sequence[Given]) -> Iterable[str]:
    """Yield what begins, or is read, in another order, and what becomes a tuple."""
    if any(later.is_task and not one.is_task for one, later in pairwise(given)):
        yield _IN_ORDER
    if position.is_annotated and all(one.is_one for one in given):
        yield _TUPLE
    for early in dict.fromkeys(read_before(module, position)):
        yield f"`{early}` is read after they ran"


def _unwraps(project: Project, module: Module, call: ast.Call, options: Options) -> bool:
    if options.exceptions != "auto":
        return options.exceptions == "unwrap"
    return not nobody_can_tell(project, module, call)


# ------------------------------------------------------------------------------- what is in the way
def _awaited(project: Project, module: Module, call: ast.Call) -> ast.Await:
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
    trio = next((one for one in _imported(module) if one in _TRIO), None)
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


def _imported(module: Module) -> Iterable[str]:
    """Yield the packages that the file imports."""
    for node in module.walk():
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _check_keywords(module: Module, call: ast.Call) -> None:
    for keyword in call.keywords:
        is_false = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg == "return_exceptions" and is_false:
            continue
        if keyword.arg == "return_exceptions":
            raise Refused(reasons.RETURN_EXCEPTIONS)
        raise Refused(reasons.LOOP_KEYWORD, module.excerpt(keyword))


# ------------------------------------------------------------------------------------- what is done
def _started(
    group: GroupCode, position: Position, gathered: Gathered, names: Names
) -> tuple[GroupCode, str]:
    """Return ``group`` with the way each argument is started, and the code of its results."""
    given = gathered.given
    if isinstance(gathered.built, ast.For) and isinstance(given[0].node, ast.Name):
        return _looped(group, position, given[0].node.id, names)
    if position.is_ignored:
        ignored = [_ignored(one, names) for one in given]
        started = tuple(one for one in ignored if one is not None)
        if len(started) == len(given):
            return replace(group, started=started), ""
    tasks = names.of_tasks(position, given)
    if tasks:
        started = tuple(
            Started("one", name, is_task=one.is_task)
            for name, one in zip(tasks, given, strict=True)
        )
        results = ", ".join(f"{name}.result()" for name in tasks)
        if len(tasks) == 1:
            results = f"{results}," if position.is_tuple else f"[{results}]"
        return replace(group, started=started), results
    built = gathered.built if isinstance(gathered.built, ast.Assign) else None
    held = names.list_of_tasks(built, position)
    kept = tuple(_kept(one, names) for one in given)
    return replace(group, started=kept, tasks=held), _results_of(held, position, names)


def _looped(group: GroupCode, position: Position, held: str, names: Names) -> tuple[GroupCode, str]:
    """Return ``group`` around the loop that adds tasks to the list ``held``."""
    started = (Started("one", is_task=True),)
    return replace(group, started=started, tasks=held), _results_of(held, position, names)


def _results_of(held: str, position: Position, names: Names) -> str:
    """Return the code of the results of the tasks in the list ``held``."""
    if position.is_ignored:
        return ""
    task = next((one for one in ("task", "t") if not names.is_used(one)), "task")
    every = f"{task}.result() for {task} in {held}"
    return f"({every})" if position.is_consumed else f"[{every}]"


def _kept(given: Given, names: Names) -> Started:
    """Return how an argument is started whose tasks are held by a list."""
    match given.kind:
        case "one":
            return Started("one", is_task=given.is_task)
        case "each":
            return Started("each", names.new("coro", "coroutine"), given.is_task)
        case _:
            return Started("items", is_task=given.is_task)


def _ignored(given: Given, names: Names) -> Started | None:
    """Return how an argument is started whose results nobody uses; None if a list must hold it."""
    node = given.node
    if given.is_one:
        return Started("one", is_task=given.is_task)
    if isinstance(node, ast.ListComp | ast.GeneratorExp) and names.take_loop(node):
        return Started("loop", is_task=given.is_task)
    # A loop over what makes tasks would come too late.
    return None if given.is_task else Started("each", names.new("coro", "coroutine"))
