"""Keep a reference to each task until it is done.

## What

awaken adds the task to a set of the file, and removes it when the task is done. That applies to:

* a statement `asyncio.create_task(...)` or `loop.create_task(...)` that ignores the task
* a statement `asyncio.ensure_future(c)`, if `c` is a coroutine
* a task in a variable that is never read, or only used for `add_done_callback()`

## Why

The event loop keeps only weak references to tasks. If nothing else refers to a task, Python may
collect it while it waits. It then ends in the middle, without an exception.

## Before

```python
import asyncio


async def refresh(cache):
    cache["fresh"] = True


async def handle(cache):
    asyncio.create_task(refresh(cache))
```

## After

```python
import asyncio

_background_tasks: set[asyncio.Task[object]] = set()


async def refresh(cache):
    cache["fresh"] = True


async def handle(cache):
    task = asyncio.create_task(refresh(cache))
    _background_tasks.add(task)
    task.add_done_callback(_background_tasks.discard)
```

## Safety

A *safe* rewrite runs the same code at the same time, but Python no longer collects a running task.
The set contains each task only while it runs. If the function continues meanwhile, awaken also
writes `del task`. Then a failure is reported, and the result is freed, as soon as the task is done.

| case | what may change (unsafe) |
| --- | --- |
| a test replaces `create_task` | the replacement may not return a task |

## What it does not report

| not reported | why |
| --- | --- |
| a task that is returned, stored, awaited or passed on | other code refers to it |
| tasks of a `TaskGroup` | the group refers to them |
| a task in a variable of a coroutine that later awaits something | the variable refers to it in the meantime |
| `asyncio.ensure_future(f)`, if `f` may be a future | other code may refer to it |

## What it refuses

| left alone | why |
| --- | --- |
| a task that is created inside a larger expression, such as a list | the statement has no task to keep |
| a task that is created outside functions | there may be no running loop |
| a line with other statements | the new lines have no place |
| code that lists all names, with `locals()`, `globals()` or `dir(module)` | it would see a new name |

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. All 19 places were read, and
are right. Eleven are unsafe, because tests of homeassistant replace `hass.loop.create_task`.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| chia-blockchain 2.7.5 | 1 | 0 | 0 |
| cognee 1.6.5 | 1 | 0 | 0 |
| crewai 1.15.30 | 1 | 0 | 0 |
| homeassistant 2024.3.3 | 0 | 11 | 0 |
| langflow-base 1.13.0 | 2 | 0 | 0 |
| mealie | 2 | 0 | 0 |
| ukrdc | 1 | 0 | 0 |
| 26 others | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": `create_task()`, "Save a reference to the result
  of this function"
* Ruff, `asyncio-dangling-task` (RUF006)
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import structs
from msgspec.structs import replace

from awaken.contract import Constraints, Edit, Phase, Plan, Reason, Status
from awaken.kit.caveats.listing_calls import NAMES_LISTED, lists_module, lists_names
from awaken.kit.caveats.replaced_names import caveats_of
from awaken.kit.changes import Decided, plan_of, refused_together, rewritten_together
from awaken.kit.rule import Rule
from awaken.kit.search import argument, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.coroutines import coroutines
from awaken.project.effects import suspensions
from awaken.project.source.lines.statement_lines import shares_line
from awaken.project.source.trees import Function, Loop, last_name, variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

INSIDE_EXPRESSION = Reason(
    "inside-expression",
    "`{}` is created inside an expression, and nothing keeps a reference to the task",
    "Add it to a set that lives as long as the program, and discard it when the task is done.",
)
OUTSIDE_FUNCTION = Reason(
    "outside-function",
    "nothing keeps a reference to the task, and there may be no running loop here",
    "Start the task in a coroutine, and keep a reference there.",
)
SHARED_LINE = Reason(
    "shared-line",
    "`{}` shares its line with other statements, and nothing keeps a reference to the task",
    "Put it on its own line.",
)

_SET = "_background_tasks"
_RUNNING = {"run_forever", "run_until_complete"}
_NAMES = frozenset(name.rpartition(".")[2] for name in coroutines().weak)
_ENSURE = "asyncio.ensure_future"
_GENERIC_CLASSES = (3, 9)  # the first Python in which `asyncio.Task[object]` can be evaluated


class DanglingTask(Rule):
    """Keeps tasks in a set until they are done."""

    name = "dangling-task"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    after = ("ensure-future",)
    triggers = (b"create_task", b"ensure_future", b"Task")
    status = Status.OPT_IN
    reasons = (INSIDE_EXPRESSION, NAMES_LISTED, OUTSIDE_FUNCTION, SHARED_LINE)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per task, and one change for each file."""
        return plan_of(
            decided
            for module in site_modules(project, self.triggers, calling=_NAMES)
            for decided in self._decided_sites(project, module, constraints)
        )

    def _decided_sites(
        self, project: Project, module: Module, constraints: Constraints
    ) -> Iterator[Decided]:
        kept: list[Site[ast.Call]] = []
        for node in module.nodes(ast.Call):
            if not _is_loose(project, module, node):
                continue
            site = Site(self.name, module, node)
            refused = _refusal(site)
            if refused is None:
                kept.append(site)
            else:
                yield Decided((site.refusal(refused),))
        refused = _is_listed(project, module) if kept else None
        if refused is not None:
            yield refused_together(kept, refused)
        else:
            yield from _changes(project, kept, constraints)


def _changes(
    project: Project, kept: Sequence[Site[ast.Call]], constraints: Constraints
) -> Iterator[Decided]:
    """Yield the changes of one file.

    Its tasks share the set, so they are one change. Those whose function a test replaces are
    another, which takes the set of the first. Sites that the user left out have a change of their
    own.
    """
    left_out = [candidate for candidate in kept if candidate.id in constraints.excluded]
    doubles = {
        item: project.replaced_names.replacements_of(item.module, item.node.func) for item in kept
    }
    alone = [item for item in kept if item not in left_out and not doubles[item]]
    replaced = [candidate for candidate in kept if candidate not in left_out and doubles[candidate]]
    first = rewritten_together(alone, _rewrite(project, alone)) if alone else Decided(())
    yield first
    if replaced:
        said = [caveats_of(item.module, item.node.func, doubles[item]) for item in replaced]
        rewrite = replace(
            _rewrite(project, replaced, makes_set=not alone),
            caveats=list(dict.fromkeys(clause for clauses, _ in said for clause in clauses)),
            related=tuple(dict.fromkeys(place for _, places in said for place in places)),
        )
        unsafe = rewritten_together(replaced, rewrite)
        needs = tuple(change.id for change in first.changes)
        changes = tuple(structs.replace(change, requires=needs) for change in unsafe.changes)
        yield replace(unsafe, changes=changes)
    for site in left_out:
        yield rewritten_together([site], _rewrite(project, [site]))


# ----------------------------------------------------------------------------------- the sites
def _is_loose(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether ``call`` makes a task that only the event loop knows."""
    named = last_name(call.func) in project.names_in(module.path, _NAMES)
    if not named or isinstance(module.parent(call), ast.Await):
        return False
    names = set(project.effects.library_functions(module, call))
    if not names or not names <= coroutines().weak:
        return False
    given = argument(call, 0, "coro_or_future")
    if _ENSURE in names and (
        given is None or project.effects.awaitable(module, given) != "coroutine"
    ):
        # A future is returned unchanged, and the code that created it may refer to it.
        return False
    # A task refers to its callbacks; they do not refer to the task.
    fates = {
        fate.kind
        for fate in project.effects.fates(module, call)
        if (fate.kind, fate.by) != ("asked", "add_done_callback")
    }
    if fates == {"dropped"}:
        return True
    return fates <= {"unread"} and not _waits_behind(module, call)


def _waits_behind(module: Module, call: ast.Call) -> bool:
    """Whether the function around goes on after a pause, and its variables with it."""
    function = module.enclosing_function(call)
    if function is None:
        return False
    result = suspensions(function)
    end = module.span(call).end
    looped = any(isinstance(node, Loop) for node in module.ancestors_inside(call))
    runs = (
        node for node in module.nodes_below(function, ast.Call) if last_name(node.func) in _RUNNING
    )
    pauses = (*result.awaits, *result.yields, *runs)
    return any(looped or module.span(pause).start >= end for pause in pauses)


def _refusal(site: Site[ast.Call]) -> Refused | None:
    module, call = site.module, site.node
    shown = module.excerpt(call)
    if not isinstance(module.scopes.scope_of(call).node, Function):
        in_function = module.enclosing_function(call) is not None
        return Refused(INSIDE_EXPRESSION, shown) if in_function else Refused(OUTSIDE_FUNCTION)
    statement = module.parent(call)
    if not isinstance(statement, ast.Expr) and variable_of(statement) is None:
        return Refused(INSIDE_EXPRESSION, shown)
    if isinstance(statement, ast.stmt) and shares_line(module, statement):
        return Refused(SHARED_LINE, shown)
    listed = lists_names(module, module.scopes.scope_of(call))
    if _known_set(module) is None:
        listed = listed or lists_names(module, module.scopes.module)
    if listed is not None:
        return Refused(NAMES_LISTED, module.excerpt(listed), because=(module.place(listed),))
    return None


def _is_listed(project: Project, module: Module) -> Refused | None:
    """Return the refusal of a set that a list of the names of the file would show."""
    listing = lists_module(project, module) if _known_set(module) is None else None
    if listing is None:
        return None
    home, node = listing
    return Refused(NAMES_LISTED, home.excerpt(node), because=(home.place(node),))


# --------------------------------------------------------------------------------- the rewrite
def _rewrite(
    project: Project, sites: Sequence[Site[ast.Call]], *, makes_set: bool = True
) -> Rewrite:
    """Return a change of one file; it makes the set unless another change does, or it is there."""
    first, module = sites[0], sites[0].module
    known = _known_set(module)
    kept_in = known or module.scopes.fresh_name(_SET)
    edits: list[Edit] = []
    if known is None and makes_set:
        edits.append(first.insert_after_imports(f"{kept_in}{_type(project, module)} = set()"))
    edits += [edit for site in sites for edit in _keeping(site, kept_in)]
    return Rewrite(f"`{kept_in}` keeps the task until it is done", edits)


def _keeping(site: Site[ast.Call], kept_in: str) -> Iterator[Edit]:
    module = site.module
    statement = module.statement_of(site.node)
    if statement is None:
        raise ValueError("a call is in a statement")
    variable = variable_of(statement)
    task = module.fresh_local(site.node, "task", "background_task")
    if variable is None:
        yield site.insert_before(site.node, f"{task} = ")
    elif variable.id == "_":
        yield site.replace(variable, task)
    else:
        task = variable.id
    lines = [f"{kept_in}.add({task})", f"{task}.add_done_callback({kept_in}.discard)"]
    if variable is None and _waits_behind(module, site.node):
        # The failure of a task is reported when nothing refers to the task any more.
        lines.append(f"del {task}")
    yield site.insert_statements(module.place(statement), "after", "\n".join(lines))


def _known_set(module: Module) -> str | None:
    """Return the set of tasks that the file has already, made by this rule or as it would."""
    bindings = module.scopes.module.bindings.get(_SET, [])
    value = bindings[0].value if len(bindings) == 1 else None
    is_set = isinstance(value, ast.Call) and module.scopes.builtin_called(value) == "set"
    return _SET if is_set else None


def _type(project: Project, module: Module) -> str:
    """Return the annotation of the set, if its names have their meaning below the imports."""
    if project.targets.lowest_python < _GENERIC_CLASSES:
        return ""
    bindings = module.scopes.module.bindings.get("asyncio", [])
    for statement in module.tree.body:
        match statement:
            case ast.Import() if len(bindings) == 1 and bindings[0].node in statement.names:
                return ": set[asyncio.Task[object]]"
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                break
    return ""
