"""While what code something is replaced: in which tests, and what else runs then.

A ``with`` block, a decorator, a fixture of pytest that puts everything back, and a patch that is
started and stopped end; what no such thing puts back stays for all that runs later.

The functions that threads run which go on when the code that begins them has returned.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.effects.callees import Callees
from awaken.project.effects.places.while_running import Place as FunctionPlace
from awaken.project.effects.places.while_running import WhileRunning
from awaken.project.frameworks.testing.replaced.users import (
    TEARDOWN,
    Tests,
    Users,
    is_test,
)
from awaken.project.graph.dispatch import Called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import FunctionPlace as GraphPlace
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.expressions.lists import added_parts, list_parts
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.replacing import Put, puts_in
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, Loop, is_super, keyword_of, last_name, root_of
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import FunctionOf, Unknown
from awaken.project.values.pytest_fixtures import fixture_for, fixture_name, scope_of

_KNOWN = boundaries()
_AWAITED = {name: (int(name.endswith("executor")), "func") for name in _KNOWN.in_threads}
_JOBS = {f"{row.name}.{job}": (0, "func") for row in _KNOWN.schedulers for job in row.jobs}
_HANDED = {
    row.function: (row.position, row.argument) for row in _KNOWN.handed if row.kind == "thread"
}
_ARGUMENTS = {**_HANDED, **_JOBS, **_AWAITED}
"""Where a function of a library takes what a thread runs: the position, and the name."""
_STARTING = {name for name in _HANDED if name.count(".") == 1}
"""The classes and functions of modules that begin threads; others are methods."""
_LAST_NAMES = {name.rpartition(".")[2] for name in _ARGUMENTS}
_OVERRIDDEN = [row for row in _KNOWN.overridden if row.kind == "thread"]
_ALWAYS_RUN = (ast.Expr, ast.For, ast.With)
"""The statements that hold what runs in any case, unless something fails."""
_UNDONE = {"mocker", "monkeypatch"}
"""Fixtures of pytest and pytest-mock that put everything back when the test ends."""
_ENTERING = {"enterContext", "enter_async_context", "enter_context"}
_CLEANING = {"addClassCleanup", "addCleanup", "addfinalizer", "callback"}
_STOPPING = {"stop", "undo"}
_WIDER_SCOPES = {"class", "module", "package", "session"}
_EVERYTHING = "stopall"
# A decorator named `callback` cleans nothing up.
_AT_THE_END = [
    word.encode() for word in sorted({*TEARDOWN, *_CLEANING, ".callback"} - {"callback"})
]
"""What the file of a method holds that runs when a test ends; a `finally` ends its own method."""


class Threads:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator, running: WhileRunning) -> None:
        self._evaluator = evaluator
        self._running = running
        self._callees = Callees(evaluator)

    def functions_beside(self, tests: Tests | None) -> frozenset[FunctionPlace] | None:
        """Return what may run in threads while these tests run (None: any); None if any may.

        A thread that a test begins runs in no other. A thread is over that its function waits
        for, and one that begins under ``if __name__ == "__main__"`` is in no test.
        """
        result: set[FunctionPlace] = set()
        for test, functions in self._functions:
            if test is None or tests is None or tests.has(*test):
                if functions is None:
                    return None
                result |= functions
        return frozenset(result)

    def begun_with(self, functions: Collection[GraphPlace]) -> Iterator[Place]:
        """Yield where a thread is begun with one of these functions, or awaited."""
        yield from (place for place, target in self._all_targets if target in functions)

    @cached_property
    def _all_targets(self) -> list[tuple[Place, GraphPlace]]:
        """The functions that threads call, with the places that begin the threads."""
        result = [(x.module.place(x.function), x) for _, each in self._methods() for x in each]
        for module, call in self._calls_beginning():
            targets = self._targets(module, call, waits=True)
            for target in (target for target in targets if target is not None):
                called = self._called_by(module, target) or ()
                result += [(module.place(call), item) for item in called]
        return [(place, GraphPlace.of(item.module, item.function)) for place, item in result]

    @cached_property
    def _functions(self) -> list[tuple[FunctionPlace | None, frozenset[FunctionPlace] | None]]:
        """The test that begins a thread, if one does, with what may run in it; None if all may."""
        return [
            (test, None if called is None else self._running.functions_from(called))
            for test, called in (*self._methods(), *self._begun())
        ]

    def _methods(self) -> Iterator[tuple[None, list[Called]]]:
        """Yield the methods of the program's own classes that threads run."""
        classes = self._evaluator.classes
        for row in _OVERRIDDEN:
            for home, body in filter(None, map(classes.node, classes.heirs_of(row.bases))):
                methods = (part for part in body.body if isinstance(part, Function))
                yield None, [Called(home, x, 1) for x in methods if x.name in row.methods]

    def _begun(self) -> Iterator[tuple[FunctionPlace | None, list[Called] | None]]:
        """Yield what each thread runs that goes on, and the test that begins it."""
        for module, call in self._calls_beginning():
            for target in self._targets(module, call):
                if not module.is_under_main(call) and not _is_over(module, call):
                    called = None if target is None else self._called_by(module, target)
                    yield _test_around(module, call), called

    def _calls_beginning(self) -> Iterator[tuple[Module, ast.Call]]:
        """Yield the calls that may begin a thread, by their names."""
        heirs = self._evaluator.classes.heirs_of(base for row in _OVERRIDDEN for base in row.bases)
        names = {*_LAST_NAMES, *self._evaluator.classes.spellings_of({*_STARTING, *heirs})}
        words = [f".{name}(" if name == "map" else name for name in sorted(names)]
        modules = self._evaluator.modules_with([word.encode() for word in words])
        for module, call in nodes_in(modules, ast.Call):
            if isinstance(call.func, ast.Name) or last_name(call.func) in {*names, "__init__"}:
                yield module, call

    def _targets(
        self, module: Module, call: ast.Call, *, waits: bool = False
    ) -> list[ast.expr | None]:
        """Return what a call has a thread run; None for what cannot be seen.

        With ``waits`` a thread counts that is awaited.
        """
        names = self._names(module, call)
        if isinstance(names, Unknown):
            # An executor, or something else with such a method.
            values = self._evaluator.values(module, call.args[0]) if call.args else ()
            return [call.args[0]] if any(isinstance(x, FunctionOf) for x in values) else []
        is_awaited = isinstance(module.parent(call), ast.Await)
        for name in names:
            if name in _ARGUMENTS and (waits or not (is_awaited and name in _AWAITED)):
                position, keyword = _ARGUMENTS[name]
                named = keyword_of(call, keyword)
                if named is not None:
                    return [named]
                if any(isinstance(part, ast.Starred) for part in call.args[: position + 1]):
                    return [None]
                if position < len(call.args):
                    return [call.args[position]]
                # ``Thread(**options)``
                return [None for part in call.keywords if part.arg is None]
        return []

    def _names(self, module: Module, call: ast.Call) -> tuple[str, ...] | Unknown:
        """Return the names of the functions and classes of libraries that a call may run."""
        classes, func = self._evaluator.classes, call.func
        own = module.enclosing_class(call)
        if isinstance(func, ast.Attribute) and func.attr == "__init__":
            if is_super(func.value):
                return () if own is None else classes.library_ancestors(module.full_name(own))
            func = func.value
        name = self._evaluator.names.qualified_name(module, func)
        above = () if name is None else classes.library_ancestors(name)
        return above or self._callees.library_names(module, func)

    def _called_by(self, module: Module, target: ast.expr) -> list[Called] | None:
        """Return the functions that a call of ``target`` runs; None if any may be."""
        match target:
            case ast.Call(func=func, args=[function, *_]) if (
                self._evaluator.names.qualified_name(module, func) == "functools.partial"
            ):
                return self._called_by(module, function)
            case ast.Constant(value=None):
                return []
        values = self._evaluator.values(module, target)
        plain = [
            Called(value.module, value.node, 0)
            for value in values
            if isinstance(value, FunctionOf)
            and value.bound is None
            and isinstance(value.node, Function)
        ]
        if len(plain) == len(values):
            return plain
        return self._running.called(module, ast.copy_location(ast.Call(target, [], []), target))


def _test_around(module: Module, node: ast.AST) -> FunctionPlace | None:
    function = module.outermost_def(node)
    is_in_test = function is not None and is_test(module, function)
    return module.key_of(function) if function is not None and is_in_test else None


def _is_over(module: Module, call: ast.Call) -> bool:
    """Whether a thread is over when the function that begins it returns, which patches nothing.

    Nor does the function call what it is passed, which may patch something.
    """
    function = module.enclosing_def(call)
    if function is None or module.is_generator(function) or _may_patch(module, function):
        return False
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    for above in module.ancestors(call):
        # ``with ThreadPoolExecutor() as pool`` waits at its end.
        for item in above.items if isinstance(above, ast.With) else ():
            name = item.optional_vars
            if isinstance(name, ast.Name) and isinstance(owner, ast.Name) and name.id == owner.id:
                return True
    return any(_waits_for(module, node, call, function) for node in module.walk(function))


def _may_patch(module: Module, function: Function) -> bool:
    nodes = [*module.walk(module.outermost_def(function) or function)]
    puts = puts_in(module).values() if is_around_tests(module.path) else ()
    patching = {put.node for each in puts for put in each}
    return any(
        node in patching
        or (isinstance(node, ast.Call) and module.scopes.parameter_of(node.func) is not None)
        for node in nodes
    )


def _waits_for(module: Module, node: ast.AST, begun: ast.Call, function: Function) -> bool:
    """Whether ``node`` joins the thread that a call makes, without a limit, in any case."""
    match node:
        case ast.Call(func=ast.Attribute(value=thread, attr="join"), args=[], keywords=[]):
            around = [part for part in module.ancestors(node) if isinstance(part, ast.stmt)]
            statements = around[: around.index(function)]
            always = all(isinstance(part, _ALWAYS_RUN) for part in statements)
            return always and any(part is begun for part in _held_by(module, thread))
    return False


def _held_by(module: Module, node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a variable holds, and what a list holds that it is an item of, by their texts."""
    waiting = Worklist([node], id)
    for part in waiting:
        yield part
        bindings = module.scopes.bindings_of(part)
        values = [binding.value for binding in bindings if binding.value is not None]
        # The first of two threads may be lost when the second comes.
        if len([value for value in values if isinstance(value, ast.Call)]) <= 1:
            waiting += values
        if isinstance(part, ast.Name):
            reads = [other for other in module.nodes(ast.Name) if other.id == part.id]
            waiting += [each.node for read in reads for each in added_parts(module, read) or ()]
        else:
            waiting += [each.node for each in list_parts(module, part)]


class InForce(Struct, frozen=True):
    """The ``tests`` in which something is replaced, None for all; ``bodies`` run then.

    They are code of files; None where any other code may run. No test runs within another. With
    ``is_whole`` the fixtures of the tests run as well: only their ends, if it ``begins_in_test``.
    """

    tests: Tests | None = None
    bodies: tuple[tuple[str, Span], ...] | None = None
    is_whole: bool = False
    begins_in_test: bool = False

    def admits(self, module: Module, function: Function) -> bool:
        """Whether a function may run meanwhile, as far as the tests say: it may be another one."""
        if self.tests is None or not is_test(module, function):
            return True
        return self.tests.has(*module.key_of(function))


class InForces:
    """Answers for one project; keeps what runs in each body."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._users = Users(evaluator)
        self._running = WhileRunning(evaluator)
        self.threads = Threads(evaluator, self._running)

    def may_run(self, put: Place, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` of a file may run while the code at ``put`` replaces something."""
        force = self._in_force_of(put)
        function = module.outermost_def(node)
        if function is not None and not force.admits(module, function):
            return False
        if force.bodies is None:
            return True
        above = [part for part in (node, *module.ancestors(node)) if isinstance(part, Function)]
        places = {module.key_of(part) for part in above}
        at = module.span(node)
        # The costliest questions come last: fixtures of tests, and listeners to sessions.
        for body in (*force.bodies, *(self._bodies_around(force) if force.is_whole else ())):
            if (body[0] == module.path and body[1].contains(at)) or self._runs(body, places):
                return True
        others = (self._running.listening, self.threads.functions_beside(force.tests))
        return any(x is None or not x.isdisjoint(places) for x in others)

    def ends(self, put: Place) -> bool:
        """Whether what the code at ``put`` replaces is put back: some tests run without it."""
        force = self._in_force_of(put)
        return force.tests is not None or force.bodies is not None

    def _runs(self, body: tuple[str, Span], places: set[FunctionPlace]) -> bool:
        running = self._functions_while(*body)
        return running is None or not running.isdisjoint(places)

    @cached_method
    def _functions_while(self, path: str, span: Span) -> frozenset[FunctionPlace] | None:
        home = self._evaluator.load(path)
        parts = [] if home is None else [*islice(home.nodes_at({span}), 1)]
        return None if home is None else self._running.functions(home, parts)

    def _bodies_around(self, force: InForce) -> Iterator[tuple[str, Span]]:
        """Yield what runs with whole tests: fixtures, and other methods of their classes."""
        places = sorted(force.tests.places) if force.tests is not None else ()
        for module, function in self._evaluator.functions_at(places):
            for home, node in self._users.functions_around(module, function):
                is_over = force.begins_in_test and self._users.is_fixture(home, node)
                parts = _parts_after_tests(home, node) if is_over else [node]
                yield from ((home.path, home.span(part)) for part in parts)

    @cached_method
    def _in_force_of(self, put: Place) -> InForce:
        module = self._evaluator.load(put.path)
        puts = () if module is None else (p for each in puts_in(module).values() for p in each)
        result = next((p for p in puts if module and module.span(p.node) == put.span), None)
        return (
            InForce() if module is None or result is None else self._in_force_from(module, result)
        )

    # ----------------------------------------------------------------------------- how it ends
    def _in_force_from(self, module: Module, put: Put) -> InForce:
        function = module.outermost_def(put.node)
        holder = _holder(module, put.node)
        if isinstance(holder, ast.ClassDef):
            return self._of_tests(self._users.of_class(module, holder))
        if function is None:
            return InForce()
        if holder is not None:
            return self._of_block(module, function, holder)
        if self._is_undone(module, put.node) or self._is_stopped(module, function, put):
            return self._of_tests(self._users.tests_of(module, function), (module, function))
        return InForce()

    def _of_block(self, module: Module, function: Function, block: Sequence[ast.stmt]) -> InForce:
        # A caller that enters a generator runs while it waits at its ``yield``.
        nodes = (node for each in block for node in module.walk(each))
        if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes):
            return self._of_tests(self._users.tests_of(module, function), (module, function))
        in_tests = is_around_tests(module.path)
        tests = self._users.tests_of(module, function) if in_tests else None
        return InForce(tests, tuple((module.path, module.span(statement)) for statement in block))

    def _of_tests(
        self, tests: Tests | None, also: tuple[Module, Function] | None = None
    ) -> InForce:
        """Return it for whole tests; the function ``also`` runs with them."""
        if tests is None or tests.below:
            return InForce(tests)
        bodies: dict[tuple[str, Span], None] = {}
        if also is not None:
            bodies[also[0].path, also[0].span(also[1])] = None
        for module, function in self._evaluator.functions_at(sorted(tests.places)):
            bodies[module.path, module.span(function)] = None
        begins_in_test = also is not None and is_test(*also)
        return InForce(tests, tuple(bodies), is_whole=True, begins_in_test=begins_in_test)

    def _is_undone(self, module: Module, node: ast.AST) -> bool:
        """Whether a fixture of pytest, or the test case, puts back what ``node`` replaces."""
        above = module.parent(node)
        if isinstance(above, ast.Call) and last_name(above.func) in {"enterContext", "useFixture"}:
            return True
        root = root_of(node.func) if isinstance(node, ast.Call) else None
        for binding in module.scopes.bindings_of(root):
            # ``with monkeypatch.context() as patches``
            if isinstance(binding.value, ast.Call) and last_name(binding.value.func) == "context":
                return True
            function = binding.scope.node
            if isinstance(binding.node, ast.arg) and isinstance(function, Function):
                own = fixture_for(self._evaluator, module, function, binding.name)
                return binding.name in _UNDONE and own is None
        return False

    def _is_stopped(self, module: Module, function: Function, put: Put) -> bool:
        """Whether what starts in ``function`` is stopped, or put back, when the test ends."""
        match put.node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="cls" | "self"), attr=name)):
                return self._is_cleaned_by_method(module, put.node, name)
        handles = {module.text_of(handle) for handle in _handles(module, put.node)}
        ending = self._ending(module, function, put)
        return any(_ends(home, node, put, handles) for home, node in ending)

    def _is_cleaned_by_method(self, module: Module, call: ast.AST, name: str) -> bool:
        """Whether ``self.patch(...)`` ends with the test: by a library, or by what it says."""
        methods = [method for method in self._users.methods(module, call) if method[1].name == name]
        if not methods:
            return name == "patch"  # of testtools and of Twisted
        return all(
            any(isinstance(node, ast.Call) and last_name(node.func) in _CLEANING for node in each)
            for each in (home.walk(method) for home, method in methods)
        )

    def _ending(
        self, module: Module, function: Function, put: Put
    ) -> Iterator[tuple[Module, ast.AST]]:
        """Yield what runs when the test ends: of a function, and of methods of its class.

        Methods in files that can end nothing are left out.
        """
        yield from ((module, node) for node in _last_nodes(module, function))
        if fixture_name(module, function, self._evaluator.names) is not None:
            yield from ((module, node) for node in _after_yield(module, function))
        stopping = [word.encode() for word in (*sorted(_STOPPING), _EVERYTHING, put.last)]
        at_the_end, stopped = map(self._evaluator.files_with, (_AT_THE_END, stopping))
        within = {*at_the_end} & {*stopped}
        for home, method in self._users.methods_within(module, function, sorted(within)):
            if method.name in TEARDOWN:
                yield from ((home, node) for node in home.walk(method))
            else:
                yield from ((home, node) for node in _last_nodes(home, method))


def _holder(module: Module, node: ast.AST) -> ast.ClassDef | list[ast.stmt] | None:
    """Return the statements while which a patch holds, or the class that it decorates."""
    above = module.parent(node)
    # ``stack.enter_context(patch(...))`` holds as long as the stack.
    if isinstance(above, ast.Call) and last_name(above.func) in _ENTERING:
        owner = above.func.value if isinstance(above.func, ast.Attribute) else None
        bindings = module.scopes.bindings_of(owner)
        blocks = [ancestor for each in bindings for ancestor in module.ancestors(each.node)]
        entered = next((one for one in blocks if isinstance(one, ast.With | ast.AsyncWith)), None)
        is_around = entered is not None and entered in module.ancestors(node)
        return entered.body if entered is not None and is_around else None
    block = module.parent(above) if isinstance(above, ast.withitem) else None
    if isinstance(block, ast.With | ast.AsyncWith):
        return block.body
    if isinstance(above, Function | ast.ClassDef) and node in above.decorator_list:
        return above if isinstance(above, ast.ClassDef) else above.body
    return None


def _handles(module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that name what ``node``, a patch, can be stopped by."""
    if use_of(module, node).way in {"bound", "same"}:
        yield from targets_of(use_of(module, node).above)
    # ``patches = pytest.MonkeyPatch()``
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.value


def _ends(module: Module, node: ast.AST, put: Put, handles: set[str]) -> bool:
    """Whether ``node``, which runs in the end, stops a patch or puts something back."""
    match node:
        case ast.Attribute(attr=name, ctx=ast.Load()) if name == _EVERYTHING:
            return isinstance(put.node, ast.Call)
        case ast.Attribute(value=handle, attr=name, ctx=ast.Load()) if name in _STOPPING:
            return module.text_of(handle) in handles
    again = [candidate for candidate in puts_in(module).get(put.last, ()) if candidate.node is node]
    return any(
        candidate.owner is not None
        and put.owner is not None
        and ast.unparse(candidate.owner) == ast.unparse(put.owner)
        for candidate in again
    )


def _last_nodes(module: Module, function: Function) -> Iterator[ast.AST]:
    """Yield what a function does in any case in the end, and what it hands on for that."""
    for node in module.walk(function):
        if isinstance(node, ast.Try):
            yield from (part for each in node.finalbody for part in module.walk(each))
        elif isinstance(node, ast.Call) and last_name(node.func) in _CLEANING:
            yield from module.walk(node)


def _parts_after_tests(module: Module, fixture: Function) -> list[ast.AST]:
    """Return the parts of a fixture that run when a test ends, before its patches are undone.

    Fixtures of a wider scope end later.
    """
    if scope_of(fixture) in _WIDER_SCOPES:
        return []
    nodes = list(module.walk(fixture))
    if any(isinstance(node, ast.Call) and last_name(node.func) in _CLEANING for node in nodes):
        return [fixture]
    waits = [node for node in nodes if isinstance(node, ast.Yield | ast.YieldFrom)]
    above = [part for node in waits for part in module.ancestors(node)]
    # The rest of its statement runs after it, and a loop comes back.
    is_whole = all(isinstance(module.parent(node), ast.Assign | ast.Expr) for node in waits)
    if not is_whole or any(isinstance(part, Loop) for part in above):
        return [fixture]
    after = [*_after_yield(module, fixture)]
    # A statement runs with the one that holds it.
    return [x for x in after if isinstance(x, ast.stmt) and module.parent(x) not in after]


def _after_yield(module: Module, fixture: Function) -> Iterator[ast.AST]:
    waits = [part for part in module.walk(fixture) if isinstance(part, ast.Yield | ast.YieldFrom)]
    end = min((module.span(wait).end for wait in waits), default=None)
    for node in module.walk(fixture) if end is not None else ():
        if hasattr(node, "lineno") and end is not None and module.span(node).start >= end:
            yield node
