"""The functions that something calls outside of the event loop of the application.

A process is another than the application's, or has its loop alone.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import application_names
from awaken.codemods.sqlalchemy.session_to_async.find.inside import takes_session
from awaken.contract import Place
from awaken.kit.search import argument, command_names, modules_with, nodes_with
from awaken.knowledge.asynchronous.boundaries import Where, boundaries, handed_by_function
from awaken.project.graph.callers.call_sites import Obstacle
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module, same_node
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.project import Project

_LOCAL = ".<locals>"


def begins_process(module: Module, node: ast.AST) -> bool:
    """Whether ``node``, outside of functions, runs when a process begins, and not at imports.

    Nobody imports ``__main__.py``: ``python -m package`` runs it.
    """
    return module.is_under_main(node) or module.path.rpartition("/")[2] == "__main__.py"


Plain = Literal["factory", "own-loop"]
"""A server calls it to make its application; or the owner says that it may be called anywhere."""


class EntryPoint(Struct, frozen=True):
    """How a function is called from outside of the loop.

    The reason is reported ``at`` a place of the function ``around``, or of the code outside of
    functions for the decorator of a command. ``waits`` are the methods in which its thread waits
    while it is called. It is called as the attribute ``name`` of an instance of a ``keeper``.
    """

    kind: Where | Plain
    at: Place
    around: FunctionPlace
    waits: tuple[str, ...] = ()
    keeper: str = ""
    name: str = ""


class EntryPoints:
    """Finds the functions of a program that run outside of its event loop.

    A ``bridged`` one that is passed a session runs ``inside`` of it, in the loop.
    """

    def __init__(
        self,
        project: Project,
        seeds: Collection[FunctionPlace] = (),
        bridged: Collection[str] = (),
    ) -> None:
        self._project = project
        self._seeds = frozenset(seeds)
        self.wrapped: dict[FunctionPlace, list[FunctionPlace]] = {}
        self._calls: dict[FunctionPlace, tuple[Place, ...]] = {}
        self.found: dict[FunctionPlace, list[EntryPoint]] = {}
        known = boundaries()
        names = {item.function for item in known.handed} | set(known.commands.decorators)
        names |= {base for override in known.overridden for base in override.bases}
        names |= {*known.tasks.decorators, *known.tasks.threaded}
        words = {name.rpartition(".")[2].encode() for name in names}
        words |= {f"def {name}".encode() for item in known.overridden for name in item.methods}
        for module in modules_with(project, sorted(words)):
            for function, entry in self._in_file(module):
                self.found.setdefault(function, []).append(entry)
        for function, entry in self._scripts():
            self.found.setdefault(function, []).append(entry)
        for function, entry in (*self._serving(), *self._factories()):
            self.found.setdefault(function, []).append(entry)
        self.inside: list[FunctionPlace] = []
        for function in named_functions(project, bridged):
            definition = project.calls.definition_of(function)
            if definition is not None and takes_session(project, *definition):
                self.inside.append(function)
            else:
                # Where it is called does not matter then.
                self.found[function] = [EntryPoint("own-loop", function.place, function)]

    def _scripts(self) -> Iterator[tuple[FunctionPlace, EntryPoint]]:
        """Yield the functions that the build settings make commands of."""
        for name in command_names(self._project):
            module, node = self._project.function_definition(name) or (None, None)
            if module is not None and isinstance(node, ast.FunctionDef):
                function = self._place_of(module, node)
                if function not in self.found:
                    around = self._function_around(module, node)
                    yield function, EntryPoint("command", module.place(node), around)

    def _serving(self) -> Iterator[tuple[FunctionPlace, EntryPoint]]:
        """Yield the functions of files that run a server: no event loop runs before it starts."""
        seen: set[FunctionPlace] = set()
        for module, call in calls_of(self._project, boundaries().servers):
            node = function_around(module, call)
            if not isinstance(node, ast.FunctionDef) or module.parent(node) is not module.tree:
                continue
            function = self._place_of(module, node)
            if function not in seen and not module.is_generator(node):
                seen.add(function)
                yield function, EntryPoint("server", module.place(call), function)

    def _factories(self) -> Iterator[tuple[FunctionPlace, EntryPoint]]:
        """Yield the functions that give an application, and that only tests call.

        A server calls them by their names, in its event loop, and does not await them.
        """
        words = [*map(str.encode, self._project.spellings_of(application_names()))]
        for module in modules_with(self._project, words, is_around_tests):
            for node in module.tree.body:
                if isinstance(node, ast.FunctionDef) and self._makes_application(module, node):
                    function = self._place_of(module, node)
                    calls = self._project.calls.graph().callers(function)
                    is_uncalled = all(is_around_tests(call.place.path) for call in calls)
                    if is_uncalled and function not in self.found:
                        yield function, EntryPoint("factory", module.place(node), function)

    def _makes_application(self, module: Module, node: ast.FunctionDef) -> bool:
        """Whether a function without decorators returns an application with an event loop."""
        outputs = () if node.decorator_list else module.returned_by(node)
        values = (self._project.values.of(module, output).instance_of for output in outputs)
        return any(not application_names().isdisjoint(names) for names in values)

    def is_factory(self, function: FunctionPlace) -> bool:
        """Whether a server calls a function to make its application."""
        return any(entry_point.kind == "factory" for entry_point in self.found.get(function, ()))

    def serves(self, function: FunctionPlace) -> bool:
        """Whether a function of a file runs a server, which has an event loop of its own."""
        return any(entry_point.kind == "server" for entry_point in self.found.get(function, ()))

    def _in_file(self, module: Module) -> Iterator[tuple[FunctionPlace, EntryPoint]]:
        for node in module.nodes_of(ast.FunctionDef, ast.Call, ast.ClassDef):
            match node:
                case ast.FunctionDef() if any(
                    self.is_command(module, decorator) for decorator in node.decorator_list
                ):
                    around = self._function_around(module, node)
                    entry = EntryPoint("command", module.place(node), around)
                    yield self._wrapper(module, node) or self._place_of(module, node), entry
                case ast.FunctionDef() if (kind := self._kind_of_task(module, node)) is not None:
                    around = self._function_around(module, node)
                    yield self._place_of(module, node), EntryPoint(kind, module.place(node), around)
                case ast.Call():
                    yield from self._entry_points_of_call(module, node)
                case ast.ClassDef() if node.bases:
                    yield from self._overriding(module, node)

    def _place_of(self, module: Module, node: Function | None) -> FunctionPlace:
        return self._project.calls.graph().place_of(module, node)

    def _function_around(self, module: Module, node: ast.AST) -> FunctionPlace:
        function = function_around(module, node)
        if function is node:
            function = function_around(module, module.parent(node) or module.tree)
        return self._place_of(module, function)

    # ---------------------------------------------------------------------------------- commands
    def is_command(self, module: Module, decorator: ast.expr) -> bool:
        """Whether a decorator makes what it decorates the beginning of a process."""
        known = boundaries().commands
        return bool(
            self._names(module, without_arguments(decorator)).intersection(known.decorators)
        )

    def _names(self, module: Module, plain: ast.expr) -> set[str]:
        """Return what a decorator may be, by qualified names."""
        names = {*chain(*self._project.calls.library_names(module, plain))}
        if isinstance(plain, ast.Attribute) and not names:
            names = {f"{owner}.{plain.attr}" for owner in self._groups(module, plain.value)}
        return names

    def _groups(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the class of the group that a decorated function is."""
        made = boundaries().commands.groups
        qualified = self._project.qualified_name(module, node)
        home, function = self._project.function_definition(qualified) or (None, None)
        if home is None or function is None:
            return ()
        names = {
            name
            for decorator in function.decorator_list
            if last_name(without_arguments(decorator)) in {key.rpartition(".")[2] for key in made}
            for name in self._names(home, without_arguments(decorator))
        }
        return tuple(sorted({made[name] for name in names if name in made}))

    # ---------------------------------------------------------------------------------- methods
    def _overriding(
        self, module: Module, node: ast.ClassDef
    ) -> Iterator[tuple[FunctionPlace, EntryPoint]]:
        """Yield the methods of a class that its base calls in a thread or a process."""
        above = {*self._project.library_ancestors(module.full_name(node))}
        for row in boundaries().overridden:
            last = {
                statement.name: statement
                for statement in node.body
                if isinstance(statement, ast.FunctionDef) and statement.name in row.methods
            }
            # An application of Celery has a class for its tasks as an attribute.
            bases = above.union(*(self._names(module, base) for base in node.bases)) if last else ()
            if not set(row.bases).isdisjoint(bases):
                around = self._function_around(module, node)
                for part in last.values():
                    yield (
                        self._place_of(module, part),
                        EntryPoint(row.kind, module.place(part), around),
                    )

    # ------------------------------------------------------------------------------------- tasks
    def is_task(self, function: FunctionPlace) -> bool:
        """Whether a worker calls ``function``: a call of it by its name calls it here."""
        return any(candidate.kind in {"task", "hook"} for candidate in self.found.get(function, ()))

    def is_hook(self, function: FunctionPlace) -> bool:
        """Whether a worker calls a method around the tasks of its class."""
        return any(entry_point.kind == "hook" for entry_point in self.found.get(function, ()))

    def _kind_of_task(self, module: Module, node: ast.FunctionDef) -> Where | None:
        known = boundaries().tasks
        names: set[str] = set()
        for decorator in node.decorator_list:
            names |= self._names(module, without_arguments(decorator))
        if names.intersection(known.threaded):
            return "thread"
        return "task" if names.intersection(known.decorators) else None

    def has_own_loop(self, function: FunctionPlace) -> bool:
        """Whether each call of ``function`` waits in a thread of its own."""
        return any(entry_point.kind == "own-loop" for entry_point in self.found.get(function, ()))

    # ---------------------------------------------------------------------------------- wrappers
    def functions_wrapped_with(self, function: FunctionPlace) -> list[FunctionPlace]:
        """Return what one wrapper calls that runs commands, ``function`` among it: all alike."""
        return [
            other
            for functions in self.wrapped.values()
            if function in functions
            for other in functions
        ]

    def calls_of(self, wrapper: FunctionPlace) -> tuple[Place, ...]:
        """Return the calls in a wrapper of commands that call these."""
        return self._calls.get(wrapper, ())

    def _wrapper(self, module: Module, node: ast.FunctionDef) -> FunctionPlace | None:
        """Return the wrapper of the program around a command, if that waits itself.

        It runs the loop, then, and the command in it. None as well where it is used for others.
        """
        for decorator in node.decorator_list:
            qualified = self._project.qualified_name(module, without_arguments(decorator))
            wrapping = self._project.calls.wrapping_by(module, decorator)
            if qualified is None or wrapping is None or wrapping.wrapper is None:
                continue
            wrapper = self._place_of(wrapping.module, wrapping.wrapper)
            decorated = self._project.calls.decorated_by(qualified) or []
            functions = [self._place_of(*pair) for pair in decorated]
            are_commands = all(
                any(self.is_command(home, part) for part in function.decorator_list)
                for home, function in decorated
            )
            if decorated and are_commands and self._waits(wrapper, functions):
                self.wrapped[wrapper] = functions
                self._calls[wrapper] = tuple(map(wrapping.module.place, wrapping.calls))
                return wrapper
        return None

    def _waits(self, wrapper: FunctionPlace, functions: list[FunctionPlace]) -> bool:
        """Whether a wrapper uses the database itself, apart from calling ``functions``."""
        graph = self._project.calls.graph()
        waiting = {*graph.reaching(self._seeds)}
        return wrapper in self._seeds or any(
            waiting.intersection(call.functions) and not set(call.functions) <= {*functions}
            for call in graph.callees(wrapper)
        )

    # ------------------------------------------------------------------------------------ handed
    def _entry_points_of_call(
        self, module: Module, call: ast.Call
    ) -> Iterator[tuple[FunctionPlace, EntryPoint]]:
        rows = handed_by_function()
        if last_name(call.func) not in _last_names():
            return
        qualified = self._project.qualified_name(module, call.func)
        names = {*self._project.effects.library_functions(module, call), qualified}
        row = next((rows[name] for name in sorted(filter(None, names)) if name in rows), None)
        if row is None:
            return
        is_any = not row.argument
        passed = [(item.arg, item.value) for item in call.keywords if is_any and item.arg]
        handed = None if is_any else argument(call, row.position, row.argument)
        passed += [] if handed is None else [("", handed)]
        around = self._function_around(module, call)
        for name, node in passed:
            for pair in functions_in(self._project.values.of(module, node).alternatives):
                at = module.place(node)
                entry = EntryPoint(row.kind, at, around, row.waits, row.keeper, name)
                yield self._place_of(*pair), entry


@cache
def _last_names() -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in handed_by_function())


def calls_of(project: Project, names: Collection[str]) -> Iterator[tuple[Module, ast.Call]]:
    """Yield the calls of what has one of these qualified names, methods among them."""
    words = sorted({name.rpartition(".")[2] for name in names})
    for module, node in nodes_with(project, [f".{word}(".encode() for word in words], ast.Call):
        if is_call_of(project, module, node, names):
            yield module, node


def is_call_of(project: Project, module: Module, call: ast.Call, names: Collection[str]) -> bool:
    """Whether a call is of what has one of these qualified names."""
    called = {project.qualified_name(module, call.func)}
    if isinstance(call.func, ast.Attribute):
        owners = project.instance_of(module, call.func.value)
        called |= {f"{owner}.{call.func.attr}" for owner in owners}
    return not called.isdisjoint(names)


def name_of(project: Project, function: FunctionPlace) -> str:
    """Return how an option names a function."""
    home = project.layout.name_of(function.path)
    return f"{home}.{function.qualname}".replace(_LOCAL, "")


def named_functions(project: Project, wanted: Collection[str]) -> Iterator[FunctionPlace]:
    """Yield the functions of a program that an option names."""
    names = {name.replace(_LOCAL, "") for name in wanted}
    words = {name.rpartition(".")[2] for name in names}
    for function in project.calls.graph().functions() if names else ():
        is_word = function.name in words
        if is_word and name_of(project, function) in names:
            yield function


_APART = {"command", "process", "server"}
_ALONE = _APART | {"consumer", "own-loop", "task"}
"""Entry points that run in a loop where nothing else does."""
_MANY = 500
"""Functions that are looked at on the way up."""


class Reach:
    """Follows callers up to where they begin; tests decide nothing."""

    def __init__(self, project: Project, entries: EntryPoints) -> None:
        self._project = project
        self._entries = entries

    def outside_of_processes(self, function: FunctionPlace) -> Place | None:
        """Return a place that shows that ``function`` may run elsewhere than in such a process.

        Such a process begins with a command, below ``__main__``, or for one function. No event loop
        runs there unless the program starts it. None if it runs there alone.
        """
        waiting = Worklist([function])
        for current in waiting:
            place, above = self._items_above(current)
            if place is not None or len(waiting.seen) > _MANY:
                return place or current.place
            waiting += sorted(set(above))
        return None

    def _items_above(self, function: FunctionPlace) -> tuple[Place | None, list[FunctionPlace]]:
        """Return who has ``function`` run, or the place where no process of its own does."""
        entries, callers = self._entries.found.get(function, ()), self._callers(function)
        if self._is_coroutine(function) or not (entries or callers) or self._is_hidden(function):
            return function.place, []
        beside = [entry.at for entry in entries if entry.kind not in {*_APART, "consumer"}]
        beside += [
            one.place for one in callers if one.caller.start < 0 and not self._is_under_main(one)
        ]
        above = [entry.around for entry in entries if entry.kind == "consumer"]
        above += [caller.caller for caller in callers if caller.caller.start >= 0]
        return next(iter(beside), None), above

    def shares_loop(self, function: FunctionPlace) -> bool:
        """Whether ``function`` may run where other tasks do, such as those of requests.

        Texts that name it are no calls. A plain function of a test has the loop of that test alone.
        """
        if is_test_file(function.path) and not self._is_coroutine(function):
            return False
        waiting = Worklist([function])
        for current in waiting:
            entries, callers = self._entries.found.get(current, ()), self._callers(current)
            is_alone = bool(entries) and all(entry.kind in _ALONE for entry in entries)
            is_root = bool(entries) or not callers or self._is_value(current)
            at_import = [caller for caller in callers if caller.caller.start < 0]
            if len(waiting.seen) > _MANY or (is_root and not is_alone):
                return True
            if self._is_coroutine(current) or not all(map(self._is_under_main, at_import)):
                return True
            waiting += sorted({caller.caller for caller in callers if caller.caller.start >= 0})
        return False

    def _is_coroutine(self, function: FunctionPlace) -> bool:
        node = self._project.calls.definition_of(function)
        return node is not None and isinstance(node[1], ast.AsyncFunctionDef)

    def _is_value(self, function: FunctionPlace) -> bool:
        node = self._project.calls.definition_of(function)
        return node is not None and any(
            obstacle.kind == "value" and not is_test_file(obstacle.place.path)
            for obstacle in self._project.calls.callers_of(*node).obstacles
        )

    def outside_of_loop(self, function: FunctionPlace) -> Place | None:
        """Return a place that shows that ``function`` may run where no loop does; else None.

        A function that nobody calls runs nowhere.
        """
        waiting = Worklist([function])
        for current in waiting:
            node = self._project.calls.definition_of(current)
            if current in self._entries.found or len(waiting.seen) > _MANY:
                return current.place
            if node is None:
                return current.place
            if isinstance(node[1], ast.AsyncFunctionDef) or self._starts(*node):
                continue
            if self._is_hidden(current):
                return current.place
            waiting += [call.caller for call in self._callers(current)]
        return None

    # ------------------------------------------------------------------------------------- parts
    def _callers(self, function: FunctionPlace) -> list[Call]:
        calls = self._project.calls.graph().callers(function)
        return [call for call in calls if not is_test_file(call.place.path)]

    def _is_hidden(self, function: FunctionPlace) -> bool:
        """Whether code other than the visible code of the program may call a function.

        Imports by others change in any case, so they decide nothing.
        """
        if function in self._entries.wrapped:
            return False
        node = self._project.calls.definition_of(function)
        told = self._entries.found.get(function, ())
        return node is not None and any(
            obstacle.kind != "outside"
            and not is_test_file(obstacle.place.path)
            and not (told and _is_told(*node, obstacle, told))
            for obstacle in self._project.calls.callers_of(*node).obstacles
        )

    def _starts(self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Whether an application calls a function in its loop, when it starts or ends."""
        return any(
            item.function is not None and same_node(module, node, item.module, item.function)
            for item in self._project.web.registrations.all
        )

    def _is_under_main(self, call: Call) -> bool:
        return any(begins_process(*pair) for pair in self._project.calls_at(call.place))


def _is_told(
    module: Module,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    obstacle: Obstacle,
    entries: Sequence[EntryPoint],
) -> bool:
    """Whether what may hide calls of an entry point is what makes it one, or gives it a name."""
    place = obstacle.place
    in_decorator = place.path == module.path and any(
        module.span(decorator).contains(place.span) for decorator in node.decorator_list
    )
    is_setting = not place.path.endswith(".py")
    return in_decorator or is_setting or place in [entry.at for entry in entries]
