"""Mocks of Query as a test writes them: configured, asserted on, or passed to the program.

A mock counts in three cases: it is told what a query returns (``session.query.return_value...``),
its ``query`` replaces a real one, or a test asserts that it was called. Any other mock answers a
select() as it answers a query.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct

from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.names.resolution import Names
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.replacing import dotted_text
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, argument_of, last_name, parameters_of
from awaken.project.values.domain import FunctionOf, InstanceOf, Session, Value, classes_in
from awaken.project.values.pytest_fixtures import fixture_for

_CLASSES = library_names().mocks


class Mocked(Struct, frozen=True):
    """A ``call`` that makes a mock, and the variables that hold it, each with its function."""

    module: Module
    call: ast.Call
    variables: tuple[tuple[Module, ast.AST, str], ...] = ()


class PassedMock(Struct, frozen=True):
    """A mock that is passed for a session, if ``cls`` is empty, or for an object of that class."""

    mocked: Mocked
    cls: str = ""


class Mocks(ProgramFacts):
    """Finds mocks, and tells what they are passed for."""

    def is_made(self, module: Module, node: ast.AST | None) -> bool:
        """Whether ``node`` makes a mock that gives no coroutine when it is called."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as fixture, attr="MagicMock" | "Mock" as name)
            ) if any(
                f"{owner}.{name}" in _CLASSES
                for owner in classes_in(self._evaluator.values(module, fixture))
            ):
                return True
            case ast.Call():
                return self._evaluator.names.qualified_name(module, node.func) in _CLASSES
        return False

    def made_at(self, module: Module, node: ast.expr) -> Mocked | None:
        """Return the call that makes the mock which ``node`` is; None if it is something else.

        By a variable, by a fixture or a helper of the tests, and by an object that keeps it.
        """
        made = self._call_making(module, node)
        return made if made is not None and self.is_made(made.module, made.call) else None

    @recursive()
    def _call_making(self, module: Module, node: ast.AST | None) -> Mocked | None:
        """Return the call that makes the object which ``node`` is, and the variables of it."""
        match node:
            case ast.Call():
                helper = self._helper(module, node)
                if helper is None:
                    return Mocked(module, node)
                returned = helper.module.returned_by(helper.node)
                return self._call_making(helper.module, returned[0])
            case ast.Attribute():
                return self._kept(module, node)
            case ast.Name():
                binding = module.scopes.only_binding(node)
                made = None if binding is None else self._bound(module, binding)
                if binding is None or made is None:
                    return None
                variables = (*made.variables, (module, binding.scope.node, node.id))
                return Mocked(made.module, made.call, variables)
        return None

    def _bound(self, module: Module, binding: Binding) -> Mocked | None:
        around = binding.scope.node
        if isinstance(binding.node, ast.arg) and isinstance(around, Function):
            return self._of_fixture(module, around, binding.name)
        is_whole = binding.kind == "assignment"
        return self._call_making(module, binding.value) if is_whole else None

    def _helper(self, module: Module, call: ast.Call) -> FunctionOf | None:
        """Return the function of the tests that a call runs, if it returns an object at one end."""
        if not is_around_tests(module.path) or self.is_made(module, call):
            return None
        for value in self._evaluator.values(module, call.func):
            match value:
                case FunctionOf(module=home, node=ast.FunctionDef(decorator_list=[]) as function):
                    is_of_tests = is_around_tests(home.path) and not home.is_generator(function)
                    if is_of_tests and len(home.returned_by(function)) == 1:
                        return value
        return None

    def _kept(self, module: Module, node: ast.Attribute) -> Mocked | None:
        """Return the call that makes what an object was given and keeps: ``Service(mock).db``."""
        owner = self._call_making(module, node.value)
        if owner is None or self.is_made(owner.module, owner.call):
            return None
        names, classes = self._evaluator.names, self._evaluator.classes
        qualified = names.qualified_name(owner.module, owner.call.func) or ""
        bodies = ((home, home.walk(body)) for _, home, body in classes.bodies(qualified))
        stores = [
            (home, mention)
            for home, nodes in ((module, module.nodes(ast.Attribute)), *bodies)
            for mention in nodes
            if isinstance(mention, ast.Attribute) and mention.attr == node.attr
            if isinstance(mention.ctx, ast.Store)
        ]
        # Of several values, any may be there when the test runs.
        if len(stores) != 1:
            return None
        home, store = stores[0]
        function, statement = home.enclosing_def(store), home.statement_of(store)
        is_in_init = function is not None and function.name == "__init__"
        # Set in another method, or under a condition, it may not be there yet.
        if function is None or not is_in_init or statement not in function.body:
            return None
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        parameter = None if value is None else home.scopes.parameter_of(value)
        if parameter is None or not isinstance(parameter.node, ast.arg):
            return None
        argument = argument_of(owner.call, function, parameter.node, 1)
        return self._call_making(owner.module, argument)

    def all_made_at(self, module: Module, node: ast.expr) -> tuple[Mocked, ...]:
        """Return the mocks that ``node`` is, those that calls pass to a helper among them.

        It is empty if ``node`` may be something else, too.
        """
        mocked = self.made_at(module, node)
        bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
        if mocked is not None or len(bindings) != 1:
            return () if mocked is None else (mocked,)
        passed = self._evaluator.passed_values(module, bindings[0])
        arguments = () if passed is None or passed.doubts else passed.given
        result = [self.made_at(argument.module, argument.node) for argument in arguments]
        return () if None in result else tuple(filter(None, result))

    def _of_fixture(self, module: Module, function: Function, name: str) -> Mocked | None:
        """Return the call that makes what a fixture gives a test."""
        fixture = fixture_for(self._evaluator, module, function, name)
        if fixture is None or not isinstance(fixture.node, Function):
            return None
        home, node = fixture.module, fixture.node
        results = home.outputs_of(node)
        return self._call_making(home, results[0]) if len(results) == 1 else None

    def for_sessions(self, call: ast.Call, home: Module, function: Function) -> Iterator[ast.expr]:
        """Yield what a call passes to the parameters that are declared as sessions."""
        for argument, value in self._declared_pairs(call, home, function):
            if isinstance(value, Session) and value.kind == "session":
                yield argument

    def of_class(
        self, call: ast.Call, home: Module, function: Function, cls: str
    ) -> Iterator[ast.expr]:
        """Yield what a call passes to the parameters that are declared as a class."""
        for argument, value in self._declared_pairs(call, home, function):
            if isinstance(value, InstanceOf) and value.qualified == cls:
                yield argument

    def _declared_pairs(
        self, call: ast.Call, home: Module, function: Function, bound: int | None = None
    ) -> Iterator[tuple[ast.expr, Value]]:
        """Yield what a call passes to parameters, with each value that is declared.

        Without an annotation, it is each value that a visible call passes.
        ``bound`` parameters are given by what the function is called on: one, if it is a method.
        """
        if bound is None:
            bound = int(takes_receiver(home, function))
        for parameter, _ in parameters_of(function.args):
            argument = argument_of(call, function, parameter, bound)
            if argument is None:
                continue
            values = (
                self._evaluator.parameters.received_values(home, function, parameter)
                if parameter.annotation is None
                else self._evaluator.declared_values(home, parameter.annotation)
            )
            for value in values:
                yield argument, value

    def passed_mocks(
        self, module: Module, call: ast.Call, home: Module, function: Function, bound: int
    ) -> Iterator[PassedMock]:
        """Yield the mocks that a call passes to the parameters of a function."""
        for argument, value in self._declared_pairs(call, home, function, bound):
            mocked = self.made_at(module, argument)
            match value:
                case Session() if mocked is not None:
                    yield PassedMock(mocked)
                case InstanceOf(qualified=qualified) if mocked is not None:
                    yield PassedMock(mocked, qualified)


_RECORDS = {"assert_has_calls", "method_calls", "mock_calls"}
"""What a mock knows of the calls of all its attributes."""
_LEGACY = name_list("legacy")
_MOCKS = {"AsyncMock", "MagicMock", "Mock", "NonCallableMock", "SimpleNamespace"}


class Mark(Struct, frozen=True):
    """A place that makes a mock of Query.

    ``root`` is what has the ``query``: the double itself, or an expression that it is reached by.
    ``legacy`` says that methods of Query are named on it. ``fake`` is the class that is the double,
    where that is written by hand.
    """

    node: ast.expr
    root: ast.expr
    legacy: bool = False
    fake: str = ""


class Patch(Struct, frozen=True):
    """A name or an attribute that a test puts something else in place of.

    ``owner`` is the object whose attribute ``name`` it is, None where ``name`` is dotted from a
    module on. ``given`` are the arguments that say what is put there.
    """

    call: ast.Call
    owner: ast.expr | None
    name: str
    given: tuple[ast.expr, ...]

    @property
    def passes_argument(self) -> bool:
        """Whether the decorated function is given the mock: nothing was said to put there."""
        positional = 2 if self.owner is not None else 1
        named = any(keyword.arg == "new" for keyword in self.call.keywords)
        return not named and len(self.call.args) <= positional


def fakes_of(module: Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the classes of a test file that have a ``query`` of their own, and where they do."""
    for node in module.walk():
        # A class of tests may have a helper called `query`.
        if isinstance(node, ast.ClassDef) and not node.name.startswith("Test"):
            for statement in node.body:
                match statement:
                    case ast.FunctionDef(name="query") if not statement.decorator_list:
                        yield module.full_name(node), statement
                    case ast.Assign(targets=[ast.Name(id="query")]):
                        yield module.full_name(node), statement


_MAY_MARK = {ast.Attribute, ast.Call, ast.Name}


def marks_of(module: Module, names: Names, fakes: AbstractSet[str]) -> Iterator[Mark]:
    """Yield what makes doubles in a test file, in the order of the source.

    ``fakes`` are the qualified names of the classes that have a ``query`` of their own.
    """
    words = {name.rpartition(".")[2] for name in fakes}
    for node in (node for node in module.walk() if type(node) in _MAY_MARK):
        match node:
            case ast.Attribute(attr="query"):
                mark = configured_mark(module, node)
                if mark is not None:
                    yield mark
            case ast.Attribute(attr=name) if name in _RECORDS and _asks_of_queries(module, node):
                yield Mark(node, node.value)
            case ast.Call():
                yield from _made_marks(module, node)
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                last = last_name(node)
                # Made for queries alone (of the library mock-alchemy).
                if last.endswith("AlchemyMagicMock"):
                    yield Mark(node, node, legacy=True)
                elif last in words:
                    fake = names.qualified_name(module, node) or ""
                    if fake in fakes:
                        yield Mark(node, node, fake=fake)


def _asks_of_queries(module: Module, node: ast.Attribute) -> bool:
    """Whether a list of calls is asked for ``query``, or for no call by its name."""
    if not _attributes(node.value).isdisjoint(twins().members["session"]):
        return False
    match node.attr, module.parent(node):
        case "assert_has_calls", ast.Call() as asked:
            pass
        case _, ast.Compare(ops=[ast.In() | ast.NotIn()], left=asked) if asked is not node:
            pass
        case "assert_has_calls", _:
            return False
        case _:
            return True
    return "query" in _attributes(asked)


def _attributes(node: ast.AST) -> set[str]:
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def configured_mark(module: Module, node: ast.Attribute) -> Mark | None:
    """Return the mark that ``node`` is, an attribute ``query`` of anything, if it is one."""
    behind, current = [], node
    above = module.parent(current)
    while isinstance(above, ast.Attribute | ast.Call | ast.Subscript):
        # As an argument it is passed on; nothing is called of it.
        if current is not getattr(above, "func", getattr(above, "value", None)):
            break
        if isinstance(above, ast.Attribute):
            behind.append(above.attr)
        current, above = above, module.parent(above)  # type: ignore[assignment]
    legacy = bool(_LEGACY.intersection(behind))
    if any(map(library_names().is_of_mock, behind)):
        return Mark(node, node.value, legacy)
    replaced = isinstance(node.ctx, ast.Store) and isinstance(above, ast.Assign)
    # ``self.query = x`` is an attribute of the test class, or of a class in it.
    if replaced and ast.unparse(node.value) not in {"self", "cls"}:
        return Mark(node, node.value)
    return None


def _made_marks(module: Module, call: ast.Call) -> Iterator[Mark]:
    """Yield the marks of a patch of ``query``, and of a mock that is made with one."""
    patch = patch_of(module, call)
    if patch is not None and patch.name.rpartition(".")[2] == "query":
        yield Mark(call, call, legacy=True)
    last = last_name(call.func)
    if last not in _MOCKS and last != "configure_mock":
        return
    for keyword in call.keywords:
        pairs = keyword.value.keys if isinstance(keyword.value, ast.Dict) else []
        texts = [str(key.value) for key in pairs if isinstance(key, ast.Constant)]
        named = keyword.arg == "query" and not isinstance(keyword.value, ast.Constant)
        if named or (keyword.arg is None and any("query." in text for text in texts)):
            whole = call.func.value if isinstance(call.func, ast.Attribute) else call
            yield Mark(call, whole if last == "configure_mock" else call, legacy=bool(texts))
            return


def patch_of(module: Module, call: ast.Call) -> Patch | None:
    """Return what ``call`` patches: ``patch``, ``patch.object``, ``monkeypatch.setattr``."""
    function, args = call.func, call.args
    last = last_name(function)
    owner = last_name(function.value) if isinstance(function, ast.Attribute) else ""
    # These say what a mock looks like, not what is put there.
    named = (keyword.value for keyword in call.keywords if keyword.arg not in {"wraps", "spec"})
    given = (*args[1:], *named)
    # pytest's ``setattr("module.name", value)``; every other one takes an object first.
    if args and (last == "patch" or (last == "setattr" and len(args) > 1)):
        dotted = dotted_text(module, args[0])
        if dotted is not None:
            return Patch(call, None, dotted, given)
    is_object = (last == "object" and owner == "patch") or last == "setattr"
    if is_object and len(args) > 1 and isinstance(args[1], ast.Constant):
        return Patch(call, args[0], str(args[1].value), given[1:])
    return None
