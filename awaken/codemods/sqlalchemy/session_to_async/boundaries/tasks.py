"""Tasks of workers, and jobs of schedulers: functions that others run elsewhere, or later."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import Reach
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import KNOWN
from awaken.contract import Place, Requirement
from awaken.kit.changes import Member, member
from awaken.kit.imports import replace_name
from awaken.kit.search import modules_with, nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous.boundaries import Scheduler, boundaries
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import (
    Function,
    keyword_of,
    last_name,
    parameters_of,
    receivers,
    root_of,
    without_arguments,
)
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
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
    return is_test_file(module.path) and not part.ends_as_coroutine(around)


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
                made = islice(receivers(node), 1, None)
                if any(_is_task(part, module, x) for x in made if isinstance(x, ast.expr)):
                    yield module.place(node)


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
    options = sorted({option.encode() for option in KNOWN.queues.values()})
    for module, call in nodes_with(project, options, ast.Call):
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


class Schedulers:
    """Rewrites the schedulers whose jobs become coroutine functions."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._part = part
        self._project: Project = part.project
        self._rule = rule
        self._reach = Reach(part.project, part.entry_points)
        self._needed: dict[str, Place] = {}

    def runs(self, place: Place) -> bool:
        """Whether the coroutine function at ``place`` is passed to a scheduler as a job."""
        return self._is_any and any(
            self._runs(module, node)
            for module, node in self._project.expressions_at(place)
            if isinstance(node, ast.Name | ast.Attribute)
        )

    def _runs(self, module: Module, node: ast.expr) -> bool:
        call = module.call_taking(node)
        known = None if call is None else self._called_pair(module, call)
        if known is None or call is None:
            return False
        scheduler, method = known
        is_job = method in scheduler.jobs and node in (
            *call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "func")
        )  # fmt: skip
        if is_job:
            self._needed.setdefault(scheduler.name, module.place(call))
        return is_job

    def decorates(self, module: Module, decorator: ast.expr) -> bool:
        """Whether ``decorator`` makes a job of the coroutine function that it decorates."""
        plain = without_arguments(decorator)
        known = self._method(module, plain) if isinstance(plain, ast.Attribute) else None
        if known is None or known[1] not in known[0].decorators:
            return False
        self._needed.setdefault(known[0].name, module.place(decorator))
        return True

    def members(self) -> Iterator[Member]:
        """Yield the rewrites of the names of schedulers that have to run jobs in the loop."""
        for name, scheduler in self._names.items():
            if name in self._needed:
                why = self._refusal_of(scheduler)
                # One that runs coroutine functions already stays.
                is_written = why is not None or name != scheduler.twin
                for module, node in uses_of(self._project, {name}) if is_written else ():
                    site: Site[ast.expr] = Site(self._rule, module, node)
                    shown = f"`{module.text_of(node)}`"
                    yield member(site, shown, self._scheduler_rewrite, scheduler, why)

    # ------------------------------------------------------------------------------------- parts
    @cached_property
    def _is_any(self) -> bool:
        """Whether the program names the library of any scheduler: most name none."""
        words = {scheduler.name.partition(".")[0].encode() for scheduler in boundaries().schedulers}
        return bool(self._project.files_with(sorted(words)))

    def _scheduler_rewrite(
        self, site: Site[ast.expr], scheduler: Scheduler, why: Refused | None
    ) -> Rewrite:
        if why is not None:
            raise why
        module, node = site.module, site.node
        written, edits = replace_name(self._project, site, node, scheduler.twin)
        library, targets = scheduler.name.partition(".")[0], self._project.targets
        if targets is not None and targets.admits(library, f"<{scheduler.since}"):
            # Each test client starts it in a loop of its own.
            required = f"{library}>={scheduler.since}"
            edits.append(Requirement(root="", requirement=required, may_replace=True, site=site.id))
        caveat = "jobs that await run in the event loop of the application, not in threads"
        return Rewrite(f"`{module.text_of(node)}` becomes `{written}`", edits, [caveat])

    @cached_property
    def _names(self) -> dict[str, Scheduler]:
        twins = [replace(known, name=known.twin) for known in boundaries().schedulers]
        return {known.name: known for known in (*boundaries().schedulers, *twins)}

    def _called_pair(self, module: Module, call: ast.Call) -> tuple[Scheduler, str] | None:
        return self._method(module, call.func) if isinstance(call.func, ast.Attribute) else None

    def _method(self, module: Module, func: ast.Attribute) -> tuple[Scheduler, str] | None:
        """Return the scheduler of which ``func`` names a method, with the name of that."""
        for owner in self._project.instance_of(module, func.value):
            if owner in self._names:
                return self._names[owner], func.attr
        return None

    def _refusal_of(self, scheduler: Scheduler) -> Refused | None:
        """Return why a scheduler cannot be replaced by its twin, for the whole program."""
        methods = {*scheduler.jobs, *scheduler.starts, *scheduler.configuring}
        spellings = self._project.spellings_of([scheduler.name])
        words = [*spellings, *(f".{name}" for name in sorted(methods))]
        name = scheduler.name.rpartition(".")[2]
        for module, node in nodes_with(self._project, [word.encode() for word in words], ast.AST):
            why = self._text_against(module, node, scheduler)
            if why:
                place = (module.place(node),)
                shown = f"`{name}` run in threads: {why}"
                return Refused(reasons.OTHER_SCHEDULER, shown, because=place)
        return None

    def _text_against(self, module: Module, node: ast.AST, scheduler: Scheduler) -> str:
        match node:
            case ast.ClassDef() if any(
                self._project.qualified_name(module, base) == scheduler.name for base in node.bases
            ):
                return "a class inherits from it"
            case ast.Call() if self._project.qualified_name(module, node.func) == scheduler.name:
                is_chosen = any(part.arg in {None, *scheduler.options} for part in node.keywords)
                return (
                    "the program chooses the executor of its jobs" if node.args or is_chosen else ""
                )
            case ast.Call(func=ast.Attribute()):
                known = self._called_pair(module, node)
                if known is None or known[0] is not scheduler:
                    return ""
                if known[1] in scheduler.configuring:
                    return "the program chooses the executor of its jobs"
                if any(keyword.arg in scheduler.options for keyword in node.keywords):
                    return "the program chooses the executor of a job"
                around = self._part.function_around(module, node)
                is_start = known[1] in scheduler.starts and scheduler.name != scheduler.twin
                if is_start and (
                    around.start < 0 or self._reach.outside_of_loop(around) is not None
                ):
                    return "it is started where no event loop may be running"
                return ""
        return ""
