"""Reads of functions on the objects that they get and pass on.

A fixture that pytest sets up later may commit, which expires the objects of the one before. Of an
object that a factory made and flushed the session has only the relationships that the factory got.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.lines.statement_lines import may_hold
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, parameter_getting, parameters_of, variable_of
from awaken.project.source.worklist import Worklist

if TYPE_CHECKING:
    from awaken.project import Project

DELETED = "delete()"
"""What stands among the attributes of an object that a session is told to delete."""
_Parameter = tuple[FunctionPlace, str]


class PassedObjects:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._graph = project.calls.graph()

    def attributes(self, module: Module, call: ast.Call, given: ast.expr) -> frozenset[str]:
        """Return the attributes that functions read of ``given``, an argument of ``call``."""
        return frozenset(name for name, *_ in self._read(module, call, given))

    def below(self, module: Module, call: ast.Call, given: ast.expr) -> frozenset[tuple[str, str]]:
        """Return those of which they read an attribute in turn, each with that."""
        paths = (candidate for candidate in self._read(module, call, given) if len(candidate) > 1)
        return frozenset((path[0], path[1]) for path in paths)

    @cached_by(lambda module, scope, name: (module.place(scope), name))
    def of_variable(self, module: Module, scope: ast.AST, name: str) -> frozenset[str]:
        """Return the attributes that code, and functions that it calls, read of a variable."""
        read, passed = self._uses_in(module, scope, name)
        return frozenset(path[0] for path in self._followed(read, passed))

    def _read(self, module: Module, call: ast.Call, given: ast.expr) -> frozenset[tuple[str, ...]]:
        return self._followed(
            self._named_at[module.place(call)], self._parameters(module, call, given)
        )

    def _followed(
        self, read: Iterable[tuple[str, ...]], passed: Iterable[_Parameter]
    ) -> frozenset[tuple[str, ...]]:
        """Return what is read of an object, also by the functions that parameters hand it to."""
        result, waiting = set(read), Worklist(passed)
        for parameter in waiting:
            further, others = self._read_of(parameter)
            result |= further
            waiting += others
        return frozenset(result)

    @cached_method
    def _read_of(
        self, asked: _Parameter
    ) -> tuple[frozenset[tuple[str, ...]], tuple[_Parameter, ...]]:
        """Return what a function reads of a parameter itself, and the parameters it hands it to."""
        function, name = asked
        home = self._project.calls.definition_of(function)
        if home is None:
            return frozenset(), ()
        read, passed = self._uses_in(*home, name, of_parameter=True)
        return frozenset(read), tuple(passed)

    def _uses_in(
        self, module: Module, scope: ast.AST, name: str, *, of_parameter: bool = False
    ) -> tuple[set[tuple[str, ...]], dict[_Parameter, None]]:
        """Return what code reads of a variable or its items, and the parameters that get them."""
        read, passed = set[tuple[str, ...]](), dict[_Parameter, None]()
        # A loop may give its items the name of what it goes through.
        waiting = Worklist([(scope, name)])
        for around, variable in waiting:
            is_first = of_parameter and (around, variable) == (scope, name)
            for part in module.mentions(variable.rpartition(".")[2]):
                if (
                    not isinstance(part, ast.Attribute if "." in variable else ast.Name)
                    or not may_hold(around, part)
                    or ("." in variable and module.text_of(part) != variable)
                    or around not in (part, *module.ancestors(part))
                    or (is_first and not is_parameter(module, scope, part))
                ):
                    continue
                above = module.call_taking(part) or module.parent(part)
                match above:
                    case ast.Attribute(attr=attribute, ctx=ast.Load()):
                        read.add((attribute,))
                        read |= {(attribute, below) for below in _attributes_below(module, above)}
                    case ast.Call() as call if call.func is not part:
                        passed |= dict.fromkeys(self._parameters(module, call, part))
                        read |= self._named_at[module.place(call)]
                        if isinstance(call.func, ast.Attribute) and call.func.attr == "delete":
                            read.add((DELETED,))
                    case ast.For(iter=items) | ast.comprehension(iter=items) if items is part:
                        waiting += _items_in(module, above)
        return read, passed

    @cached_property
    def _named_at(self) -> defaultdict[Place, set[tuple[str, ...]]]:
        """The relationships that `getattr` may read, by the place of the call."""
        result: defaultdict[Place, set[tuple[str, ...]]] = defaultdict(set)
        for read in self._project.orm.reads.all():
            if read.how in {"dynamic", "getattr"}:
                result[read.place].add((read.attribute,))
        return result

    def _parameters(self, module: Module, call: ast.Call, given: ast.expr) -> list[_Parameter]:
        """Return the parameters, of the functions that a call runs, that get ``given``."""
        around = module.enclosing_function(call)
        if not isinstance(around, Function):
            return []
        calls = self._graph.calls_at(self._graph.place_of(module, around), module.span(call))
        return self._getting(calls[-1], call, given) if calls else []

    def _getting(self, found: Call, call: ast.Call, given: ast.expr) -> list[_Parameter]:
        parameters: list[_Parameter] = []
        for function in found.functions:
            home = self._project.calls.definition_of(function)
            if home is None:
                continue
            parameter = parameter_getting(call, home[1], given, int(takes_receiver(*home)))
            parameters += [] if parameter is None else [(function, parameter.arg)]
        return parameters


def _items_in(module: Module, loop: ast.For | ast.comprehension) -> Iterator[tuple[ast.AST, str]]:
    """Yield the variable that gets the items of a loop, and the code in which it has them."""
    scope = module.parent(loop) if isinstance(loop, ast.comprehension) else loop
    if scope is not None and isinstance(loop.target, ast.Name):
        yield scope, loop.target.id


def _attributes_below(module: Module, node: ast.Attribute) -> Iterator[str]:
    """Yield the attributes that are read of what an attribute gives, or of its items."""
    way, above = use_of(module, node)
    if way == "attribute":
        yield above.attr
    elif way == "iterated" and isinstance(above.target, ast.Name):
        loop = module.parent(above) if isinstance(above, ast.comprehension) else above
        yield from read_in(module, loop, above.target.id)


def read_in(module: Module, node: ast.AST | None, name: str) -> Iterator[str]:
    """Yield the attributes that code reads of a variable."""
    for part in () if node is None else module.walk(node):
        match part:
            case ast.Attribute(value=ast.Name(id=held), attr=attribute, ctx=ast.Load()) if (
                held == name
            ):
                yield attribute


def is_parameter(module: Module, function: ast.AST, name: ast.expr) -> bool:
    """Whether a name is a parameter of a function, which nothing else gives a value."""
    bindings = module.scopes.bindings_of(name)
    return len(bindings) == 1 and bindings[0].scope.node is function


_Key = tuple[str, int]
_PERSISTENCE = (b"sqlalchemy_session_persistence", b"force_flush")
"""What a factory says that flushes, or commits. What is in no database yet loads nothing."""


class RequestedObjects:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._requests = project.coroutine_tests.requests
        self._names = set[str]()
        # By the fixture that commits, the fixtures that give it the sessions.
        self._committed: dict[_Key, set[_Key]] = {}
        for commit in project.orm.commits.all():
            is_test = is_test_file(commit.place.path)
            for module, call in project.calls_at(commit.place)[:1] if is_test else ():
                self._add(module, call)

    def read(self) -> Iterator[tuple[Place, Place]]:
        """Yield the reads of parameters with such objects, each with the parameter."""
        words = tuple(word.encode() for word in sorted(self._names))
        for module in modules_with(self._project, words) if words else ():
            for node in module.functions:
                names = {argument.arg: argument for argument in self._committed_again(module, node)}
                for name in module.walk(node) if names else ():
                    if (
                        isinstance(name, ast.Name)
                        and name.id in names
                        and is_parameter(module, node, name)
                    ):
                        yield module.place(name), module.place(names[name.id])

    def _add(self, module: Module, call: ast.Call) -> None:
        function = function_around(module, call)
        if not isinstance(function, Function) or not isinstance(call.func, ast.Attribute):
            return
        name, owner = self._requests.name_of(module, function), call.func.value
        if name is None or not isinstance(owner, ast.Name):
            return
        session = self._requests.fixture(module, function, owner.id)
        if session is not None and is_parameter(module, function, owner):
            self._names.add(name)
            self._committed.setdefault(module.key_of(function), set()).add(_key_of(session))

    def _committed_again(self, module: Module, function: Function) -> Iterator[ast.arg]:
        """Yield the parameters whose fixtures are set up before one that commits."""
        order = list(self._set_up(module, function, set()))
        for parameter, default in parameters_of(function.args):
            fixture = None if default else self._requests.fixture(module, function, parameter.arg)
            if fixture is None or _key_of(fixture) not in order:
                continue
            own = {_key_of(fixture), *map(_key_of, self._requests.fixtures_of(*fixture))}
            later = order[order.index(_key_of(fixture)) + 1 :]
            if any(not own.isdisjoint(self._committed.get(pair, ())) for pair in later):
                yield parameter

    def _set_up(self, module: Module, function: Function, seen: set[_Key]) -> Iterator[_Key]:
        """Yield the fixtures that a function gets, in the order in which pytest sets them up."""
        for parameter, default in parameters_of(function.args):
            fixture = None if default else self._requests.fixture(module, function, parameter.arg)
            if fixture is not None and _key_of(fixture) not in seen:
                seen.add(_key_of(fixture))
                yield from self._set_up(*fixture, seen)
                yield _key_of(fixture)


def _key_of(definition: tuple[Module, Function]) -> _Key:
    module, function = definition
    return module.key_of(function)


def read_of_made(project: Project) -> Iterator[tuple[Place, Place]]:
    """Yield the variables with such an object, where it is read, each with the factory's call."""
    if not project.files_with(_PERSISTENCE):
        return
    for module in modules_with(project, project.object_factories.words):
        for call in project.object_factories.calls(module):
            for name in _reads_of_result(module, call):
                yield module.place(name), module.place(call)


def _reads_of_result(module: Module, call: ast.Call) -> Iterator[ast.Name]:
    """Yield the reads, after a call, of the variable that holds its result."""
    target = variable_of(module.parent(call))
    if target is None or not isinstance(module.enclosing_function(call), Function):
        return
    end = module.span(call).end
    reads = [name for name in module.scopes.reads_of(target) if module.span(name).start > end]
    known_names = {keyword.arg for keyword in call.keywords}
    above = [module.parent(name) for name in reads]
    attributes = [part for part in above if isinstance(part, ast.Attribute)]
    known_names |= {part.attr for part in attributes if isinstance(part.ctx, ast.Store)}
    known = {part.value for part in attributes if part.attr in known_names}
    yield from (name for name in reads if name not in known)
