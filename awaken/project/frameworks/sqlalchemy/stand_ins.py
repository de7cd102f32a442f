"""Objects with a ``query`` of their own that are passed where a session is annotated."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place, Span
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.passing import OpenParameter, Passing
from awaken.project.names.classes import ClassFacts
from awaken.project.names.functions.injections import OVERRIDES, overrides_in
from awaken.project.source.expressions.made_classes import OPEN
from awaken.project.source.memo import cached_property, recursive
from awaken.project.source.modules import Load, Module, nodes_in
from awaken.project.source.replacing import puts_in, words_of
from awaken.project.source.trees import (
    Function,
    item_at,
    last_name,
    position,
    positional_parameters,
)
from awaken.project.values.annotations import Annotations
from awaken.project.values.answers.circles import Kept, both_kept
from awaken.project.values.attributes.members import Members
from awaken.project.values.attributes.own_attributes import set_later
from awaken.project.values.calls.parameter_values import Parameters, passed_on_by
from awaken.project.values.domain import (
    NOWHERE,
    ClassOf,
    Environment,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    Producer,
    Session,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.pytest_fixtures import parametrized_values
from awaken.project.values.questions import Given, Lasting, Passed

_QUERY = "query"
_MAKE = "_make"
_TEXTS = (b"def query(", b"query =", b"query:", b"__getattr__", b"__getattribute__")
_MAKING = (b"query'", b"'query", b'query"', b'"query', b"query=")
"""How a field is written of a class that a call makes."""
_ANY = {"__getattr__", "__getattribute__"}
_CALLED = name_list("called_by_queries")
"""What is called in place of a query; all else of a session does not change."""
_NAMESPACE = "types.SimpleNamespace"


class StandIn(Struct, frozen=True):
    """An object that the program gives for a session, and where it is passed in.

    ``why`` is a clause that says so.
    """

    why: str
    place: Place


class StandIns:
    """Finds them; a program without a class that could be one is only searched for a few words."""

    def __init__(self, evaluator: ProgramEvaluator, models: Models) -> None:
        self._believing = evaluator
        self._models = models

    def stand_in_for(
        self, module: Module, receiver: ast.expr, without: Collection[str] = ()
    ) -> StandIn | None:
        """Return a visible object that ``receiver``, annotated as a session, may be.

        Those of the classes ``without`` do not count.
        """
        if not self._may_be_any or self._is_session_by_name(receiver):
            return None
        name = self._name_of(module, receiver, without)
        if name is None:
            return None
        what = f"an instance of `{name.rpartition('.')[2]}`"
        pair = self._passed_in(module, receiver, name)
        if pair is None:
            why = f"`{module.excerpt(receiver)}` may be {what}"
            return StandIn(why, module.place(receiver))
        home, node = pair
        shown = home.call_taking(node) or node
        why = f"`{home.excerpt(shown)}` gives {what} for the session"
        return StandIn(why, home.place(shown))

    @cached_property
    def doubting(self) -> DoubtingEvaluator:
        """The evaluator that takes no annotation's word for a session."""
        return DoubtingEvaluator(self._believing, self._believing.load)

    @cached_property
    def _may_be_any(self) -> bool:
        for module in self._believing.modules_with([b"SimpleNamespace"]):
            if any(map(_makes_one, module.walk())):
                return True
        classes = self._believing.classes
        paths = self._believing.files_with(_TEXTS)
        if any(self._is_own(name) for path in paths for name in classes.written_in(path)):
            return True
        return bool(self._given_one) or any(
            self._is_own(name)
            for path in self._believing.files_with(_MAKING)
            for name, written in classes.written_in(path).items()
            if written.made and not written.members.isdisjoint((_QUERY, OPEN))
        )

    @cached_property
    def _given_one(self) -> frozenset[str]:
        """The classes and modules to which, or to objects of which, code gives a ``query``."""
        evaluator = self._believing
        puts = (
            (module, put.owner)
            for module in evaluator.modules_with(words_of(_QUERY))
            for put in puts_in(module).get(_QUERY, ())
            if put.owner is not None and not put.is_of_self
        )
        values = (value for module, owner in puts for value in evaluator.values(module, owner))
        return frozenset(name for name in map(_owner_name, values) if name)

    def _is_session_by_name(self, node: ast.expr) -> bool:
        """Whether ``node`` is an attribute that the program gives nothing but sessions."""
        if not isinstance(node, ast.Attribute):
            return False
        return self.doubting.attributes_by_name.are_only_sessions(node.attr)

    def _name_of(self, module: Module, node: ast.expr, without: Collection[str]) -> str | None:
        """Return the class of an object with a ``query`` of its own that ``node`` may be."""
        values = self.doubting.values(module, node)
        names = (self._own(value) for value in values)
        return next((name for name in names if name is not None and name not in without), None)

    def _own(self, value: Value) -> str | None:
        name = _owner_name(value)
        if not name or self._is_mapped(name):
            return None
        is_own = name == _NAMESPACE or name in self._given_one or self._is_own(name)
        return name if is_own else None

    def _is_own(self, qualified: str) -> bool:
        """Whether instances of a class answer ``query`` by something of its own."""
        line = self._believing.classes.line(qualified)
        if not line or self._is_mapped(qualified):
            return False
        names = {member for each in line for member in each.attributes}
        if _QUERY in names or not _ANY & names:
            return _QUERY in names
        return bool(_CALLED & names) or not all(map(self._only_forwards, line))

    def _is_mapped(self, qualified: str) -> bool:
        return self._models.status(qualified) in {"mapped", "base"}

    def _only_forwards(self, facts: ClassFacts) -> bool:
        """Whether a class asks another object for whatever it has not, and does nothing else."""
        if not _ANY & facts.attributes:
            return True
        module, node = self._believing.classes.node(facts.qualified) or (None, None)
        if module is None or node is None or "__getattribute__" in facts.members:
            return False
        named = (part for part in node.body if getattr(part, "name", "") == "__getattr__")
        match [statement.body for statement in named if isinstance(statement, Function)]:
            case [[*above, ast.Return(value=ast.Call(func=ast.Name(id="getattr"), args=asked))]]:
                says = (statement.value for statement in above if isinstance(statement, ast.Expr))
                is_plain = all(isinstance(part, ast.Attribute | ast.Name) for part in asked)
                is_short = all(isinstance(statement, ast.Expr) for statement in above)
                return is_plain and is_short and all(isinstance(x, ast.Constant) for x in says)
        return False

    # ------------------------------------------------------------------------- where it is given
    @recursive()
    def _passed_in(
        self, module: Module, node: ast.expr, name: str
    ) -> tuple[Module, ast.expr] | None:
        """Return the expression from which such an object comes to ``node``."""
        for home, given in self._sources(module, node):
            if name in map(self._own, self.doubting.values(home, given)):
                further = self._passed_in(home, given, name)
                return further or (home, given)
        return None

    def _sources(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        """Yield the expressions that a parameter, a variable or an attribute is given."""
        evaluator = self.doubting
        match node:
            case ast.Name():
                for binding in module.scopes.bindings_of(node):
                    parameter, function = binding.node, binding.scope.node
                    if isinstance(parameter, ast.arg) and isinstance(function, Function):
                        passed = evaluator.passed_to(module, function, parameter)
                        yield from ((each.module, each.node) for each in passed.given)
                    elif binding.kind == "assignment" and binding.value is not None:
                        yield module, binding.value
            case ast.Attribute(value=owner, attr=attribute):
                classes = evaluator.classes
                values = evaluator.values(module, owner)
                for name in [value.qualified for value in values if isinstance(value, InstanceOf)]:
                    for _, home, body in classes.bodies(name):
                        given = evaluator.members.given_to(home, body, attribute)
                        yield from ((home, part) for part, _ in given if part is not None)


def _makes_one(node: ast.AST) -> bool:
    """Whether ``node`` makes a namespace with a ``query``, or with names that it unpacks."""
    if not isinstance(node, ast.Call):
        return False
    names = {keyword.arg for keyword in node.keywords}
    return _QUERY in names or (None in names and _NAMESPACE.endswith(last_name(node.func) or "?"))


def _owner_name(value: Value) -> str:
    """Return the class of an object, the class or the module that it is; empty for all else."""
    match value:
        case InstanceOf(qualified=name) | ClassOf(qualified=name) | ModuleOf(path=name):
            return name
    return ""


# ----------------------------------------------------------------------------------------- doubting
_PROMISED: Value = Unknown("an annotation says that it is a session", NOWHERE)
_OPEN: Value = Unknown("the value that is passed is unknown", NOWHERE)


class DoubtingEvaluator(ProgramEvaluator):
    """Answers what the program gives, whatever is annotated as a session.

    It shares what the ``believing`` one knows, the callers of functions among it, but no answer.
    """

    def __init__(self, believing: ProgramEvaluator, load: Load) -> None:
        words, known = believing.callers.words, believing.knowledge
        shared = words, believing.files_with, believing.value_calls
        super().__init__(believing.names, believing.classes, load, known, *shared)
        self.callers = believing.callers
        self.mapping = believing.mapping
        self.annotations = _WithoutSessions(self)
        self.parameters = _Injected(self)
        self.members = _WithFields(self)
        self._passing = _Unpacking(self.callers_of, load, self.parameters.is_open, self)

    def passed_to(self, module: Module, function: Function, parameter: ast.arg) -> Passed:
        """Return what callers pass to ``parameter``, its default even if no call leaves it out."""
        result = super().passed_to(module, function, parameter)
        return replace(result, calls=max(result.calls, len(result.given)))

    def _values(self, module: Module, node: ast.expr, known: Environment) -> Values:
        # Values with many unknown causes would soon be too many alternatives.
        result = super()._values(module, node, known)
        return union(tuple(_OPEN if isinstance(value, Unknown) else value for value in result))

    def _answers_kept_for(self, module: Module, lasting: Lasting) -> Kept | None:
        if lasting != "tree":
            return super()._answers_kept_for(module, lasting)
        return module.memoize("answers of doubting", both_kept)[self._follows]


class _WithoutSessions(Annotations):
    """Annotations, of which those that name a session say nothing."""

    def says_nothing(self, module: Module, node: ast.expr) -> bool:
        """Whether an annotation leaves open what an object is; so does one of a session."""
        if super().says_nothing(module, node):
            return True
        values = self.values_with_variables(module, node)
        return _PROMISED in values and set(values) <= {_PROMISED, NoneValue()}

    def _values(self, module: Module, node: ast.expr) -> Values:
        values = super()._values(module, node)
        return union(tuple(map(self._without_promise, values)))

    def _without_promise(self, value: Value) -> Value:
        """Return a value without its session; a container holds what the program puts in."""
        if self._gives_session(value):
            return _PROMISED
        if isinstance(value, InstanceOf) and _PROMISED in union(*value.parameters):
            return replace(value, grows=True)
        return value

    def _gives_session(self, value: Value) -> bool:
        """Whether it is a session, or gives one when it is called, entered or iterated."""
        if isinstance(value, Producer):
            return any(item == _PROMISED or self._gives_session(item) for item in value.inner)
        return isinstance(self._evaluator.as_session(value), Session)


class _Injected(Parameters):
    """Parameters, with what ``app.dependency_overrides[get_db] = ...`` injects instead."""

    def __init__(self, evaluator: DoubtingEvaluator) -> None:
        super().__init__(evaluator)
        self._modules_with = evaluator.modules_with

    def _same(self, _module: Module, _node: ast.AST, declared: Values, injected: Values) -> Values:
        return injected or declared

    def _injected_values(self, module: Module, default: ast.expr) -> Values:
        result = super()._injected_values(module, default)
        if not result or not isinstance(default, ast.Call) or not default.args:
            return result
        evaluator = self._evaluator
        name = evaluator.names.qualified_name(module, default.args[0])
        for path, place in self._overriding.get(name or "", ()):
            for home in evaluator.modules_at([path]):
                values = (value for key, value in overrides_in(home) if position(key) == place)
                parts = (part for value in values for part in evaluator.values(home, value))
                result = union(result, *map(self._given_by, parts))
        return result

    def _given_by(self, value: Value) -> Values:
        match value:
            case FunctionOf():
                return passed_on_by(self._evaluator.results_of(value))
            case Producer(how="callable" | "factory"):
                return passed_on_by(value.inner)
        return ()

    @cached_property
    def _overriding(self) -> Mapping[str, list[tuple[str, tuple[int, int]]]]:
        """Where dependencies are overridden, by their names; the trees are not kept."""
        result = defaultdict[str, list[tuple[str, tuple[int, int]]]](list)
        for home in self._modules_with([OVERRIDES.encode()]):
            for key, _ in overrides_in(home):
                name = self._evaluator.names.qualified_name(home, key)
                if name is not None:
                    result[name].append((home.path, position(key)))
        return result


class _WithFields(Members):
    """Attributes, of which those that a class declares are what its instances are made with."""

    def attribute(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what ``name`` of a class or of its instance may be."""
        result = super().attribute(owner, name, module, node)
        if not isinstance(owner, InstanceOf) or not any(isinstance(one, Unknown) for one in result):
            return result
        return union(result, *self._made_with(owner.qualified, name))

    def _made_with(self, qualified: str, name: str) -> Iterator[Values]:
        """Yield what is given to a field, by keyword or in the order of all fields, or later."""
        evaluator = self._evaluator
        fields = [*evaluator.classes.fields(qualified)]
        if name not in fields:
            return
        paths = evaluator.files_naming(qualified.rpartition(".")[2]) or ()
        for module, call in nodes_in(evaluator.modules_at(paths), ast.Call):
            called = evaluator.names.qualified_name(module, call.func)
            if called in {qualified, f"{qualified}.{_MAKE}"}:
                arguments = [keyword.value for keyword in call.keywords if keyword.arg == name]
                items = call.args if called == qualified else _written_items(call)
                arguments += items[(at := fields.index(name)) : at + 1]
                yield from (evaluator.values(module, argument) for argument in arguments)
        for module in evaluator.modules_at(evaluator.files_naming(name) or ()):
            for owner, given in set_later(module, name):
                if given is not None and self._may_be(module, owner, qualified):
                    yield evaluator.values(given.module, given.node)

    def _may_be(self, module: Module, owner: ast.expr | None, qualified: str) -> bool:
        """Whether an object may be of a class, or of one that inherits from it."""
        values = () if owner is None else self._evaluator.values(module, owner)
        kinds = {value.qualified for value in values if isinstance(value, InstanceOf)}
        lines = {x.qualified for kind in kinds for x in self._evaluator.classes.line(kind)}
        return not kinds or qualified in lines


def _written_items(call: ast.Call) -> list[ast.expr]:
    match call.args:
        case [ast.List(elts=items) | ast.Tuple(elts=items)]:
            return items
    return []


class _Unpacking(Passing):
    """Arguments of callers, with unpacked ones, and the other arguments next to a function.

    As in ``find(**settings)``, ``partial(find, session)`` and ``pool.submit(find, session)``. Nor
    is there a call of a test, which ``parametrize`` gives its arguments.
    """

    def _unpacked_arguments(
        self, module: Module, call: ast.Call, asked: OpenParameter
    ) -> Iterator[Given]:
        yield from (Given(module, node) for node in _unpacked_nodes(call, asked))

    def _at_callers(self, asked: OpenParameter, passed: Passed) -> list[OpenParameter]:
        opened = super()._at_callers(asked, passed)
        values = parametrized_values(asked.function, asked.parameter.arg)
        passed.given += [Given(asked.module, node) for node in values if node is not None]
        for obstacle in self._callers_of(asked.module, asked.function).obstacles:
            for module, node in self._passed_at(obstacle):
                others = _other_arguments(module, module.span(node))
                beside = [Given(module, other) for other in others]
                passed.calls += bool(beside)
                passed.given += beside
        return opened

    def _expected_types(self, _asked: OpenParameter, _obstacle: Obstacle) -> list[Given]:
        # Nor is the type believed that the receiver of a function declares.
        return []


def _unpacked_nodes(call: ast.Call, asked: OpenParameter) -> Iterator[ast.expr]:
    """Yield what a call may pass to a parameter by ``*items`` and ``**settings``."""
    positional = positional_parameters(asked.function)
    is_named = asked.parameter not in positional
    places = range(0 if is_named else positional.index(asked.parameter) + 1)
    for argument in call.args:
        match argument:
            case ast.Starred(value=ast.List(elts=items) | ast.Tuple(elts=items)):
                yield from items
            case ast.Starred(value=value):
                yield from (item_at(value, index) for index in places)
    for keyword in call.keywords:
        if keyword.arg is None:
            yield item_at(keyword.value, asked.parameter.arg)


def _other_arguments(module: Module, span: Span) -> Iterator[ast.expr]:
    """Yield the other arguments of a call that is passed the function named at ``span``."""
    named = next(module.expressions_at({span}), None)
    call = None if named is None else module.call_taking(named)
    keywords = [] if call is None else call.keywords
    for argument in () if call is None else (*call.args, *(part.value for part in keywords)):
        match argument:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Dict(values=items):
                yield from items
            case ast.Starred(value=value):
                yield value
            case _ if argument is not named:
                yield argument
