"""Entry points that run a coroutine: their body moves into a coroutine function next to them.

Functions that an object of a library keeps as attributes, and that the program calls there.

``parser.set_defaults(func=load)``, and later ``args.func(args)``.

Functions may use the database and then run a server, which has an event loop of its own. Their
database calls run in a loop before that, as in a script.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.own_loops import OwnLoops
from awaken.codemods.sqlalchemy.session_to_async.boundaries.tasks import (
    refused_tasks,
    whole_signature,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import (
    EntryPoint,
    Reach,
    begins_process,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import uses_of_variables
from awaken.codemods.sqlalchemy.session_to_async.payload import BRIDGE, ENCLOSE, Bridged
from awaken.codemods.sqlalchemy.session_to_async.scripts.disposal import Closed, Disposal
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import (
    Loops,
    Region,
    is_one_call,
    runs_no_loop,
    waiting_in,
)
from awaken.contract import Edit, Place
from awaken.kit.search import argument, modules_with, nodes_with
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.knowledge.library_names import library_names
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import has_decorator, last_name
from awaken.project.values.domain import InstanceOf, Unknown

if TYPE_CHECKING:
    from awaken.project import Project

Enclose = Callable[[Site[ast.AST], FunctionPlace, Sequence[ast.stmt]], list[Edit]]
"""Gives the edits that make statements of a function those of a coroutine function."""
_LEAVING = ast.Return | ast.Yield | ast.YieldFrom | ast.Global
_PARSING = "argparse.ArgumentParser.parse_"
"""How the methods begin that give an object all attributes."""
_BESIDE = {"consumer", "process"}
"""Where a process of the program may have begun this one."""
_OF_CLASSES = ("classmethod", "staticmethod")


class Serving:
    """Writes such functions of one program."""

    def __init__(self, part: SynchronousPart, disposal: Disposal) -> None:
        self._part = part
        self._disposal = disposal
        self._loops = Loops(part)

    def rewritten(self, site: Site[ast.AST], node: ast.FunctionDef, enclose: Enclose) -> Rewrite:
        """Return the rewrite of a function that serves. Raises Refused."""
        module, function = site.module, self._part.place_of(site.module, node)
        if not self._disposal.is_possible(module):
            raise Refused(reasons.NO_ENGINE, function.qualname)
        waiting = waiting_in(self._part, module, node)
        indices = [
            index
            for index, statement in enumerate(node.body)
            for part in waiting.nodes()
            if module.span(statement).contains(module.span(part))
        ]
        message = f"`{function.qualname}` runs the asynchronous code before it serves"
        if not indices:
            raise Refused(reasons.HANDED_ON, function.qualname)
        region = Region(module, node, min(indices), max(indices))
        self._loops.check(module, function, region.statements)
        statement = region.statements[0]
        is_alone = isinstance(statement, ast.Expr) and statement.value in waiting.calls
        if is_alone and is_one_call(self._part, region, waiting):
            return Rewrite(message, *self._disposal.run_in_place(site, waiting.calls[0]))
        region = self._closed_region(region, node, function)
        edits = enclose(site, function, region.statements)
        name = module.scopes.fresh_name(f"before_{node.name.strip('_')}", "before_serving")
        run, more, caveats = self._disposal.run(site, f"{name}()")
        data = region.as_function(name, run, kept=(), blank_lines=2)
        return Rewrite(message, [*edits, *more, site.rewrite(node, ENCLOSE, data)], caveats)

    def _closed_region(
        self, region: Region, node: ast.FunctionDef, function: FunctionPlace
    ) -> Region:
        """Return a region with as much around it as it shares names with. Raises Refused."""
        module, project = region.module, self._part.project
        readers = readers_of_names(module, module.scopes.scope_made_by(node))
        leaving = (part for part in module.walk(node) if isinstance(part, _LEAVING))
        if not any(readers) and all(module.enclosing_function(part) != node for part in leaving):
            last = [region.last]
            for statement in node.body[region.last + 1 :]:
                if not runs_no_loop(project, module, statement, self._loops):
                    break
                last.append(last[-1] + 1)
            start = 0 if ast.get_docstring(node) is None else 1
            for end, first in product(last, range(region.first, start - 1, -1)):
                wider = Region(module, node, first, end)
                is_apart = not wider.shares_a_line and node.body[0].lineno != node.lineno
                if is_apart and not _shares_names(wider, node):
                    self._loops.check(module, function, wider.statements)
                    return wider
        entries = self._part.entry_points.found[function]
        place = next(entry.at for entry in entries if entry.kind == "server")
        shown = f"`{module.excerpt(module.calls_at(place.span)[0])}`"
        raise Refused(reasons.LOOP_INSIDE, shown, because=(place,))


def _shares_names(region: Region, node: ast.FunctionDef) -> bool:
    """Whether statements and the rest of their function have a variable in common."""
    inside = {*range(region.first, region.last + 1)}
    return any(uses & inside and uses - inside for uses in uses_of_variables(region.module, node))


def calls_of_kept(project: Project, entry: EntryPoint) -> list[Place] | Place:
    """Return the calls of what the attributes of an entry point hold.

    A place if other code may call it: there awaken stops to follow it.
    """
    for module, call in nodes_with(project, (b"vars", b"parse_"), ast.Call):
        if _is_hiding(project, module, call, entry.keeper):
            return module.place(call)
    reads: list[Place] = []
    for module, node in nodes_with(project, [entry.name.encode()], ast.AST):
        owner, name = module.scopes.attribute_read(node)
        if owner and name == entry.name and _may_be(project, module, owner, entry.keeper):
            reads.append(module.place(node))
    if not reads:
        return entry.at
    calls = project.calls.calls_of_value(Obstacle("value", "", reads[0], tuple(reads[1:])))
    known = [call for call in calls if call is not None]
    return known if len(known) == len(calls) else reads[0]


def _is_hiding(project: Project, module: Module, call: ast.Call, keeper: str) -> bool:
    """Whether a call gives all attributes at once, or keeps them in an object of the program."""
    if module.scopes.builtin_called(call) == "vars":
        return not call.args or _may_be(project, module, call.args[0], keeper)
    if not getattr(call.func, "attr", "").startswith("parse_"):
        return False
    names = project.effects.library_functions(module, call)
    is_filling = any(name.startswith(_PARSING) for name in names)
    return is_filling and argument(call, 1, "namespace") is not None


def _may_be(project: Project, module: Module, node: ast.expr, keeper: str) -> bool:
    """Whether an expression may be an instance of the library's class ``keeper``."""
    values = project.values.of(module, node)
    return not values.is_known or any(
        isinstance(value, Unknown) or (isinstance(value, InstanceOf) and value.qualified == keeper)
        for value in values.alternatives
    )


class Bridges:
    """Decides about the functions that something calls outside of the event loop."""

    def __init__(self, part: SynchronousPart, disposal: Disposal, own_loops: OwnLoops) -> None:
        self._part = part
        self._disposal = disposal
        self._own_loops = own_loops
        self._reach = Reach(part.project, part.entry_points)
        self.serving = Serving(part, disposal)

    def refusals(self) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the entry points that wait, and cannot run a coroutine, each with why."""
        yield from refused_tasks(self._part)
        for function, entries in self._part.entry_points.found.items():
            if self._part.waits(function):
                why = self._refusal_of(function, entries)
                if why is not None:
                    yield function, why

    def _refusal_of(self, function: FunctionPlace, entries: list[EntryPoint]) -> Refused | None:
        part, name = self._part, function.qualname
        if part.entry_points.has_own_loop(function) or part.entry_points.is_factory(function):
            return self._refusal_in_thread(function)
        for entry in entries:
            if entry.kind == "thread" and not self._has_own_loop(entry):
                refused = Refused(reasons.IN_THREAD, name, because=(entry.at,))
                return self._own_loops.with_option(refused, function)
            if entry.kind == "exit":
                return Refused(reasons.AT_EXIT, name, because=(entry.at,))
        if part.entry_points.is_task(function):
            # A worker has many of them run, one after the other.
            is_alone = "." not in name or part.entry_points.is_hook(function)
            is_closed = is_alone and self._is_closed(function)
            return None if is_closed else Refused(reasons.NO_ENGINE, name)
        others = [
            item
            for item in part.project.calls.override_sets().override_set(function)
            if item in part.steps
        ]
        callers = part.project.calls.graph().callers(function)
        # Calls outside of functions are examined in their own file.
        inside = [
            caller.place
            for caller in callers
            if caller.caller.start >= 0 and part.ends_as_coroutine(caller.caller)
        ]
        if others or inside:
            because = tuple(inside[:1])
            return Refused(reasons.RUNS_LOOP, name, because=because)
        if all(entry_point.kind == "thread" for entry_point in entries):
            return None
        elsewhere = self._reach.outside_of_processes(function) or self._waiting_elsewhere(entries)
        if elsewhere is not None:
            return Refused(reasons.IN_THREAD, name, because=(elsewhere,))
        if any(item.kind == "consumer" for item in entries) and not self._is_closed(function):
            return Refused(reasons.NO_ENGINE, name)
        return None

    def _is_closed(self, function: FunctionPlace) -> bool:
        """Whether connections are closed before a loop that ``function`` runs ends."""
        module = self._part.project.module(function.path)
        task = function if self._part.entry_points.is_task(function) else None
        return module is not None and self._disposal.is_possible(module, task)

    def _refusal_in_thread(self, function: FunctionPlace) -> Refused | None:
        """Return why a thread of its own cannot wait for a function; None if it can."""
        if self._part.entry_points.is_factory(function):
            is_apart = not self._part.is_loop_bound or self._is_closed(function)
            return None if is_apart else Refused(reasons.NO_ENGINE, function.qualname)
        node = self._part.node_of(function)
        outcome = None if node is None else outcome_of(self._own_loops.engine_of, *node)
        return outcome if isinstance(outcome, Refused) else None

    def _has_own_loop(self, entry: EntryPoint) -> bool:
        """Whether a thread may run a loop of its own on connections that others use as well.

        A test may have it do so as `TestClient` does, where connections work in any loop.
        """
        return not self._part.is_loop_bound and is_test_file(entry.at.path)

    def _waiting_elsewhere(self, entries: list[EntryPoint]) -> Place | None:
        """Return where an entry point may be called in another thread than its process begins."""
        project: Project = self._part.project
        for entry in entries:
            calls = calls_of_kept(project, entry) if entry.keeper else []
            if isinstance(calls, Place):
                return calls
            for module, call in (pair for place in calls for pair in project.calls_at(place)):
                if self._is_in_loop(module, call):
                    return module.place(call)
        methods = sorted({wait for entry in entries for wait in entry.waits})
        for module in modules_with(project, [f".{name}".encode() for name in methods]):
            for name in methods:
                for node in module.mentions(name):
                    if not isinstance(node, ast.Attribute):
                        continue
                    above = module.call_of(node)
                    if above is None or self._is_in_loop(module, node):
                        return module.place(node)
        return None

    def _is_in_loop(self, module: Module, node: ast.AST) -> bool:
        """Whether an event loop may run around ``node``, that of the application or its own."""
        around, graph = self._part.function_around(module, node), self._part.project.calls.graph()
        is_in_lambda = isinstance(module.enclosing_function(node), ast.Lambda)
        if is_in_lambda or any(map(self._part.waits, {around, *graph.reaching([around])})):
            return True
        if around.start < 0:
            return not begins_process(module, node)
        return self._reach.outside_of_processes(around) is not None

    # ------------------------------------------------------------------------------------ writing
    def split_edits(
        self, site: Site[ast.AST], node: ast.FunctionDef, function: FunctionPlace
    ) -> tuple[list[Edit], list[str]]:
        """Return the edits that split an entry point, and what may change. Raises Refused."""
        module = site.module
        owner = module.enclosing_class(node)
        is_method = isinstance(module.parent(node), ast.ClassDef)
        name = self.name_of(module, node)
        kinds = [part for part in node.decorator_list if last_name(part) in _OF_CLASSES]
        has_own_loop = self._part.entry_points.has_own_loop(function)
        engine, edits = self._own_loops.parameter(site, node) if has_own_loop else ("", [])
        is_static = has_decorator(node, "staticmethod")
        passed = _Signature(module, node, engine, is_bound=is_method and not is_static)
        parameters, arguments = passed.parameters, passed.arguments
        if self._part.entry_points.is_task(function):
            parameters, arguments = whole_signature(module, node, passed.receiver)
        owner_name = f"{owner.name}." if owner is not None and is_method and is_static else ""
        called = f"{owner_name}{passed.receiver}{name}"
        if has_own_loop:
            run, caveats = self._own_loops.run(site, node, called, arguments)
        elif self._part.entry_points.is_task(function):
            run, more, caveats = self._disposal.run_task(site, f"{called}({arguments})", function)
            edits += more
        elif self._part.entry_points.is_factory(function):
            closed: Closed = "program" if self._part.is_loop_bound else ""
            opening, closing, more = self._disposal.around_thread(site, closed)
            run, caveats = f"{opening}{called}({arguments}){closing}", []
            edits += more
        else:
            run, more, caveats = self._disposal.run(site, f"{called}({arguments})")
            edits += more
        begin = ""
        if any(candidate.kind in _BESIDE for candidate in self._part.entry_points.found[function]):
            begin, more = self._disposal.begin(site)
            edits += more
        data = Bridged(
            name=name,
            run=run,
            begin=begin,
            parameters=parameters,
            returned="" if node.returns is None else module.text_of(node.returns),
            returns=bool(module.returned_by(node)),
            decorators=tuple(last_name(kind) for kind in kinds),
            blank_lines=2 if module.parent(node) is module.tree else 1,
            engine=self._own_loops.home_of(module, node) if has_own_loop else "",
        )
        return [site.rewrite(node, BRIDGE, data), *edits], caveats

    def task(self, function: FunctionPlace) -> tuple[Module, ast.FunctionDef, str]:
        """Return the place of a task, and the name of its coroutine function."""
        node = self._part.node_of(function)
        if node is None or not isinstance(node[1], ast.FunctionDef):
            raise Refused(reasons.HANDED_ON, function.qualname)
        return node[0], node[1], self.name_of(node[0], node[1])

    def name_of(self, module: Module, node: ast.FunctionDef) -> str:
        """Return the name of the coroutine function that an entry point runs."""
        bare, owner = node.name.strip("_"), module.parent(node)
        if not isinstance(owner, ast.ClassDef):
            return module.scopes.fresh_name(f"_{bare}", f"_run_{bare}")
        taken: set[str] = set()
        project = self._part.project
        own = module.full_name(owner)
        for name in (own, *project.all_subclasses(own)):
            facts = project.class_facts(name)
            taken |= set() if facts is None else facts.attributes
        # Private parts of library bases are not visible.
        is_alone = library_names().harmless_bases.issuperset(project.library_ancestors(own))
        first = f"_{bare}" if is_alone else f"_{bare}_in_loop"
        return module.scopes.fresh_name(first, f"_run_{bare}", taken=taken)


class _Signature:
    """The parameters of the coroutine function: those of the entry point that it uses.

    Before them, but after the receiver, it takes the ``leading`` ones.
    """

    def __init__(
        self, module: Module, node: ast.FunctionDef, leading: str, *, is_bound: bool
    ) -> None:
        self._module = module
        self._used = {
            part.id for below in node.body for part in ast.walk(below) if isinstance(part, ast.Name)
        }
        readers = readers_of_names(module, module.scopes.scope_made_by(node))
        self._uses_all = "super" in self._used or any(readers)
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        first = positional[:1] if is_bound else []
        self.receiver = f"{first[0].arg}." if first else ""
        plain = [argument for argument in positional[len(first) :] if self._is_used(argument)]
        named = [argument for argument in arguments.kwonlyargs if self._is_used(argument)]
        rest = arguments.vararg if arguments.vararg and self._is_used(arguments.vararg) else None
        others = arguments.kwarg if arguments.kwarg and self._is_used(arguments.kwarg) else None
        shown = [
            *(part.arg for part in first),
            *filter(None, [leading]),
            *map(self._parameter_text, plain),
        ]
        given = [argument.arg for argument in plain]
        if rest is not None:
            shown.append(f"*{self._parameter_text(rest)}")
            given.append(f"*{rest.arg}")
        elif named:
            shown.append("*")
        shown += map(self._parameter_text, named)
        given += [f"{argument.arg}={argument.arg}" for argument in named]
        if others is not None:
            shown.append(f"**{self._parameter_text(others)}")
            given.append(f"**{others.arg}")
        self.parameters = ", ".join(shown)
        self.arguments = ", ".join(given)

    def _is_used(self, parameter: ast.arg) -> bool:
        return parameter.arg in self._used or self._uses_all

    def _parameter_text(self, parameter: ast.arg) -> str:
        declared = parameter.annotation
        if declared is None:
            return parameter.arg
        match declared:
            # The declaration of a command-line parameter is not a type.
            case ast.Subscript(value=outer, slice=ast.Tuple(elts=[inner, *_])) if (
                last_name(outer) == "Annotated"
            ):
                declared = inner
        return f"{parameter.arg}: {self._module.text_of(declared)}"
