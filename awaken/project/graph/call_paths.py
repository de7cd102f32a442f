"""Call paths from coroutines over plain functions to calls, climbed from the calls by names.

A call counts only where it is certain that it reaches the function, so that no path is wrong; some
are not found. Asking the call graph of the whole program would find more, for a hundred times the
price: these paths are wanted for a few functions, and every call of the program would be resolved.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.project.graph.callers import Callers
from awaken.project.graph.dispatch import Called, function_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import last_name, without_arguments
from awaken.project.source.worklist import MOST_FILES, MOST_FUNCTIONS, Queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from awaken.project.source.trees import Function

_DEEPEST = 2  # calls; on longer paths most readers found a condition that is never met
_PLAIN_DECORATORS = name_list("plain_decorators")
_ASKS_FOR_A_LOOP = (b"get_running_loop", b"is_running", b"current_task", b"get_event_loop")


class CallPath(NamedTuple):
    """The calls from a coroutine down to the last one; ``name`` is what that calls."""

    name: str
    places: tuple[Place, ...]


End = tuple[Module, ast.Call, str]
"""A call that paths lead to, with the name of what it calls."""


class _Sought(NamedTuple):
    """A plain function that leads to an end, by what tells its calls; it holds no tree.

    ``word`` is what a call of it is written with: its name, or of ``__init__`` its class.
    ``owner`` is its class and ``is_nested`` says that it is seen in its own file only.
    """

    path: str
    start: int
    word: str
    module: str
    qualified: str
    owner: str
    is_nested: bool
    call_path: CallPath

    @property
    def makes(self) -> bool:
        """Whether it runs when its class is called."""
        return bool(self.owner) and self.qualified == f"{self.owner}.__init__"


class CallPaths:
    """The paths of one program, the shortest first; each end is climbed from once.

    They go over calls that are made in any case where the function is called: not through
    generators and lambdas, decorators that may have a function run elsewhere, and functions that
    ask whether a loop is running. Tests are left out.
    """

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._words = evaluator.callers.words
        self._seen: set[tuple[str, int]] = set()

    def paths_to(self, ends: Iterable[End]) -> Iterator[tuple[Module, ast.Call, CallPath]]:
        """Yield the calls in coroutines that lead to one of ``ends``, each call once."""
        level = [call_path for end in ends if (call_path := self._beginning(end)) is not None]
        places: set[Place] = set()
        for depth in range(_DEEPEST):
            level_above: list[_Sought] = []
            for path, all_sought in sorted(self._by_file(level).items()):
                # Above the last call only a coroutine is of use.
                if depth == _DEEPEST - 1 and b"async def" not in self._words.text(path):
                    continue
                module = self._evaluator.load(path)
                for call, sought in () if module is None else self._calls(module, all_sought):
                    if module is None or module.place(call) in places:
                        continue
                    if module.enclosing_coroutine(call) is not None:
                        places.add(module.place(call))
                        yield module, call, sought.call_path
                    else:
                        above = self._calling_function(module, call, _longer(module, call, sought))
                        level_above += [] if above is None else [above]
            level = level_above

    def _beginning(self, end: End) -> _Sought | None:
        module, call, name = end
        return self._calling_function(
            module, call, CallPath(name, (module.place(call, f"calls `{name}`"),))
        )

    def _calling_function(
        self, module: Module, call: ast.Call, call_path: CallPath
    ) -> _Sought | None:
        """Return the function around ``call`` if whoever calls it makes this call, and for sure.

        None in a generator or a lambda, and where a decorator may run it elsewhere. None also where
        the function asks for a running loop, and for a function that was returned before.
        """
        function = module.enclosing_function(call)
        if not isinstance(function, ast.FunctionDef) or module.is_generator(function):
            return None
        span = module.span(function)
        key = (module.path, span.start)
        decorators = {last_name(without_arguments(node)) for node in function.decorator_list}
        text = module.source.text[span.start : span.end]
        if key in self._seen or not decorators <= _PLAIN_DECORATORS:
            return None
        if any(word in text for word in _ASKS_FOR_A_LOOP):
            return None
        self._seen.add(key)
        scope = module.scopes.scope_of(function)
        if len(scope.bindings_of(function.name)) != 1:
            return None
        owner = scope.node if isinstance(scope.node, ast.ClassDef) else None
        word = owner.name if owner is not None and function.name == "__init__" else function.name
        return _Sought(
            *key,
            word,
            module.name,
            module.full_name(function),
            module.full_name(owner),
            scope.enclosing_function() is not None,
            call_path,
        )

    # --------------------------------------------------------------------------------- the search
    def _by_file(self, level: Iterable[_Sought]) -> dict[str, list[_Sought]]:
        """Return which functions may be called in each file, so that each is parsed once."""
        paths: dict[str, list[_Sought]] = {}
        for sought in level:
            called = re.compile(rb"(?<!def )\b%b[\s\\)]*\(" % sought.word.encode())
            for path in self._files(sought):
                if called.search(self._words.text(path)):
                    paths.setdefault(path, []).append(sought)
        return paths

    def _files(self, sought: _Sought) -> list[str]:
        """Return the files that may name a function and where it comes from."""
        if sought.is_nested:
            return [sought.path]
        words = self._words
        if sought.owner:
            homes = [sought.owner.rpartition(".")[2]]
        else:
            homes = [text for text in sought.module.split(".")[-2:] if text]
        naming = {path for home in homes for path in words.files_with(home)} | {sought.path}
        paths = [
            path
            for path in words.files_with(sought.word)
            if path in naming and not is_around_tests(path)
        ]
        return paths if len(paths) <= MOST_FILES else [sought.path]

    def _calls(
        self, module: Module, all_sought: Iterable[_Sought]
    ) -> list[tuple[ast.Call, _Sought]]:
        """Return the calls of a file that certainly reach a function, in the order of the file."""
        paths: list[tuple[ast.Call, _Sought]] = []
        # Callers of parameters would be searched through the whole program.
        with self._evaluator.without_callers():
            for sought in all_sought:
                for node in module.mentions(sought.word):
                    call = module.call_of(node)
                    if call is not None and self._reaches(module, call, sought):
                        paths.append((call, sought))
        return sorted(paths, key=lambda pair: module.span(pair[0]))

    def _reaches(self, module: Module, call: ast.Call, sought: _Sought) -> bool:
        qualified = self._evaluator.names.qualified_name(module, call.func)
        if sought.makes:
            facts = self._evaluator.classes.facts(sought.owner)
            return qualified == sought.owner and facts is not None and facts.unique
        if not sought.is_nested and qualified == sought.qualified:
            return True
        if qualified is not None and not sought.owner:
            return False
        called = function_called(self._evaluator, module, call)
        return (
            isinstance(called, Called)
            and called.module.path == sought.path
            and called.module.span(called.function).start == sought.start
        )


def _longer(module: Module, call: ast.Call, sought: _Sought) -> CallPath:
    note = f"calls `{sought.qualified.rpartition('.')[2]}`"
    return CallPath(sought.call_path.name, (module.place(call, note), *sought.call_path.places))


class Leading(NamedTuple):
    """A function and all that lead to it, by file and place, and the calls by which they do."""

    functions: tuple[FunctionPlace, ...]
    calls: tuple[Place, ...]


def leading_to(
    evaluator: ProgramEvaluator, graph: Callable[[], CallGraph], module: Module, function: Function
) -> Leading:
    """Return what leads to a function of ``module``; ``graph`` is made where that is too much."""
    calls: set[Place] = set()
    start: tuple[Module, Function | None] = module, function
    waiting = Queue([start], lambda pair: FunctionPlace.of(*pair))
    for home, around in waiting:
        if around is None:
            continue
        callers = evaluator.callers_of(home, around)
        is_many = any(item.kind == "many" for item in callers.obstacles)
        if is_many or len(waiting.seen) > MOST_FUNCTIONS:
            return _by_graph(graph(), FunctionPlace.of(*start))
        calls.update(site.place for site in callers.sites)
        calls.update(_calls_by_decorators(evaluator, home, around))
        waiting += _calling_functions(evaluator, callers)
    functions = sorted(FunctionPlace.of(*pair) for pair in waiting.seen.values())
    return Leading(tuple(functions), tuple(sorted(calls)))


def _calls_by_decorators(
    evaluator: ProgramEvaluator, module: Module, function: Function
) -> Iterator[Place]:
    """Yield the calls of a function in what its decorators make of it."""
    for decorator in function.decorator_list:
        name = evaluator.names.qualified_name(module, without_arguments(decorator))
        home, body = evaluator.forwarding.definition(name or "") or (module, None)
        for call in () if body is None else home.nodes_below(body, ast.Call):
            if home.scopes.parameter_of(call.func) is not None:
                yield home.place(call)


def _calling_functions(
    evaluator: ProgramEvaluator, callers: Callers
) -> Iterator[tuple[Module, Function | None]]:
    for site in callers.sites:
        for home, call in evaluator.calls_at(site.place)[:1]:
            yield home, function_around(home, call)


def _by_graph(graph: CallGraph, start: FunctionPlace) -> Leading:
    functions = graph.reaching([start])
    known = set(functions)
    calls = (
        call.place
        for function in functions
        for call in graph.callees(function)
        if not known.isdisjoint(call.functions)
    )
    return Leading(tuple(functions), tuple(sorted(calls)))
