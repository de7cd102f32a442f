"""The functions that threads run which go on when the code that begins them has returned."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.effects.callees import Callees
from awaken.project.effects.places.while_running import Place, WhileRunning
from awaken.project.frameworks.testing.replaced.users import Tests, is_test
from awaken.project.graph.dispatch import Called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.lists import added_parts, list_parts
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.replacing import puts_in
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, is_super, keyword_of, last_name
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import FunctionOf, Unknown

_KNOWN = boundaries()
_AWAITED = {name: (int(name.endswith("executor")), "func") for name in _KNOWN.in_threads}
_JOBS = {f"{row.name}.{job}": (0, "func") for row in _KNOWN.schedulers for job in row.jobs}
_HANDED = {
    row.function: (row.position, row.argument) for row in _KNOWN.handed if row.kind == "thread"
}
_ARGUMENTS = {**_HANDED, **_JOBS, **_AWAITED}
"""Where a function of a library takes what a thread runs: the position, and the name."""
_LAST_NAMES = {name.rpartition(".")[2] for name in _ARGUMENTS}
_OVERRIDDEN = [row for row in _KNOWN.overridden if row.kind == "thread"]
_ALWAYS_RUN = (ast.Expr, ast.For, ast.With)
"""The statements that hold what runs in any case, unless something fails."""


class Threads:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator, running: WhileRunning) -> None:
        self._evaluator = evaluator
        self._running = running
        self._callees = Callees(evaluator)

    def functions_beside(self, tests: Tests | None) -> frozenset[Place] | None:
        """Return what may run in threads while these tests run (None: any); None if any may.

        A thread that a test begins runs in no other. A thread is over that its function waits
        for, and one that begins under ``if __name__ == "__main__"`` is in no test.
        """
        result: set[Place] = set()
        for test, functions in self._functions:
            if test is None or tests is None or tests.has(*test):
                if functions is None:
                    return None
                result |= functions
        return frozenset(result)

    @cached_property
    def _functions(self) -> list[tuple[Place | None, frozenset[Place] | None]]:
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

    def _begun(self) -> Iterator[tuple[Place | None, list[Called] | None]]:
        """Yield what each thread runs that goes on, and the test that begins it."""
        heirs = self._evaluator.classes.heirs_of(base for row in _OVERRIDDEN for base in row.bases)
        names = {*_LAST_NAMES, *(name.rpartition(".")[2] for name in heirs)}
        words = [f".{name}(" if name == "map" else name for name in sorted(names)]
        modules = self._evaluator.modules_with([word.encode() for word in words])
        for module, call in nodes_in(modules, ast.Call):
            if isinstance(call.func, ast.Name) or last_name(call.func) in {*names, "__init__"}:
                for target in self._targets(module, call):
                    if not module.is_under_main(call) and not _is_over(module, call):
                        called = None if target is None else self._called_by(module, target)
                        yield _test_around(module, call), called

    def _targets(self, module: Module, call: ast.Call) -> list[ast.expr | None]:
        """Return what a call has a thread run; None for what cannot be seen."""
        names = self._names(module, call)
        if isinstance(names, Unknown):
            # An executor, or something else with such a method.
            values = self._evaluator.values(module, call.args[0]) if call.args else ()
            return [call.args[0]] if any(isinstance(x, FunctionOf) for x in values) else []
        is_awaited = isinstance(module.parent(call), ast.Await)
        for name in names:
            if name in _ARGUMENTS and not (is_awaited and name in _AWAITED):
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


def _test_around(module: Module, node: ast.AST) -> Place | None:
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
