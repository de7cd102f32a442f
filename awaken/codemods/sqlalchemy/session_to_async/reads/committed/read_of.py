"""Reads of an object after a place: in the same function, in others, or of its items.

A fixture that pytest sets up later may commit, which expires the objects of the one before. Of an
object that a factory made and flushed the session has only the relationships that the factory got.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step
from awaken.contract import Place
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import modules_with, nodes_with
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.expressions.expression_uses import is_returned, use_of
from awaken.project.source.lines.statement_lines import may_hold
from awaken.project.source.memo import cached_by, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import (
    Function,
    first_parameter,
    last_name,
    parameter_getting,
    parameters_of,
    variable_of,
)
from awaken.project.source.worklist import Worklist, multimap
from awaken.project.values.domain import InstanceOf, Values, classes_in, origins_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project


class OwnReads(ProjectFacts):
    """Answers for one program."""

    def behind(self, owners: Iterable[str], names: Iterable[str]) -> frozenset[str]:
        """Return ``names`` of objects of ``owners``, and the relationships that these read."""
        owners, names = tuple(owners), tuple(names)
        return frozenset(names).union(*(self._read(x, name) for x in owners for name in names))

    def answered(self, module: Module, node: ast.expr, owners: Iterable[str]) -> frozenset[str]:
        """Return what a response may read by properties of what an endpoint returns."""
        function = function_around(module, node)
        if function is None or not function.decorator_list:
            return frozenset()
        return self.by_fields(owners)

    def by_fields(self, owners: Iterable[str]) -> frozenset[str]:
        """Return what properties read that have the name of a field, as one of a response."""
        result = {
            (owner, part.name)
            for owner in owners
            for _, part in self._methods(owner)
            if part.decorator_list and self._is_field(part.name)
        }
        return frozenset().union(*(self._read(*pair) for pair in result))

    @cached_method
    def _is_field(self, name: str) -> bool:
        """Whether a class of the program has an annotated field of a name."""
        return any(
            last_name(node.target) == name
            for _, node in nodes_with(self._project, (name.encode(),), ast.AnnAssign)
        )

    @cached_method
    def _read(self, owner: str, name: str) -> frozenset[str]:
        """Return the relationships that a method or an association proxy of a class reads."""
        mapped = self._project.orm.mapped_class(owner)
        waiting, seen = [name], {name}
        for each in waiting:
            seen |= self._project.orm.reads.proxied_by(owner, each)
            for module, function in self._methods(owner):
                if function.name == each:
                    read = set(_of_self(module, function)) - seen
                    waiting += sorted(read)
                    seen |= read
        return frozenset(seen - {name}).intersection(() if mapped is None else mapped.relationships)

    def _methods(self, owner: str) -> Iterator[tuple[Module, Function]]:
        for ancestor in self._project.orm.mapping_ancestors(owner):
            module, node = self._project.class_definition(ancestor) or (None, None)
            for each in () if node is None else node.body:
                if module is not None and isinstance(each, Function):
                    yield module, each


class ReadOf:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._passed = PassedObjects(project)
        self._own = OwnReads(project)

    def names(
        self, module: Module, node: ast.expr, values: Values, *, is_many: bool
    ) -> frozenset[str]:
        """Return the attributes that are read of ``node``, or of its items, if it has many."""
        if is_returned(module, node):
            return self.names_answered(module, node, items_of(values) if is_many else values)
        above = module.call_taking(node) or module.parent(node)
        match above:
            case ast.For(target=ast.Name(id=name)) if is_many and above.iter is node:
                return self._own.behind(classes_in(items_of(values)), read_in(module, above, name))
            case ast.comprehension(target=ast.Name(id=name)) if is_many and above.iter is node:
                owners, made = classes_in(items_of(values)), module.parent(above)
                read = frozenset() if made is None else self._of_items(module, made, name)
                return self._own.behind(owners, read)
            case ast.Subscript() if is_many and above.value is node:
                return self.names(module, above, items_of(values), is_many=False)
            case ast.Attribute(attr=name) if not is_many:
                return self._own.behind(tuple(classes_in(values)), [name])
            case ast.Call() as call if call.func is not node:
                read = self._passed.attributes(module, call, node)
                return read.union(self._validated_at(module.place(call), module.place(node)))
        return frozenset()

    def names_answered(self, module: Module, node: ast.expr, objects: Values) -> frozenset[str]:
        """Return what responses read of ``objects`` that an endpoint returns with ``node``."""
        named = {name for name, way in self._answered_ways(objects) if len(way) == 1}
        return self._own.answered(module, node, classes_in(objects)) | named

    def _of_items(self, module: Module, scope: ast.AST, name: str) -> frozenset[str]:
        """Return what code reads of a variable, also by functions and schemas that get it."""
        places = (
            place
            for part in module.walk(scope)
            if isinstance(part, ast.Name) and part.id == name
            for call in (module.call_taking(part),)
            if call is not None
            for place in (module.place(call), module.place(part))
        )
        return self._passed.of_variable(module, scope, name).union(self._validated_at(*places))

    def _validated_at(self, *places: Place) -> Iterator[str]:
        """Yield what schemas read of the objects that they are given at places."""
        for place in places:
            for item in self._validated[place]:
                if all(len(trace.path) == 1 for trace in item.traces):
                    yield item.attribute

    def is_deleted(self, module: Module, node: ast.expr) -> bool:
        """Whether an object is deleted by the call that it is passed to."""
        match module.parent(node):
            case ast.Call(func=ast.Attribute(attr="delete")):
                return True
            case ast.Call() as call if call.func is not node:
                return DELETED in self._passed.attributes(module, call, node)
        return False

    def along(self, module: Module, node: ast.expr, values: Values) -> Iterator[Step]:
        """Yield the reads of the object ``node``, and of their results: `order.user.orders`.

        For a collection at the end, these are the reads of its items.
        """
        owners = tuple(classes_in(values))
        above = module.parent(node)
        if is_returned(module, node):
            ways = [*self._answered_ways(values)]
            yield from self._answered_along(module.text_of(node), owners, ways)
            for name in sorted(self._own.answered(module, node, owners)):
                yield Step(module.text_of(node), name, owners)
            return
        if not isinstance(above, ast.Attribute):
            for name in sorted(self.names(module, node, values, is_many=False)):
                yield Step(module.text_of(node), name, owners)
            yield from self._passed_along(module, node, owners)
            return
        if not isinstance(above.ctx, ast.Load):
            if any(self._project.orm.is_collection(owner, above.attr) for owner in owners):
                # It is loaded to be replaced.
                yield Step(module.text_of(node), above.attr, owners)
            return
        for name in sorted(self._own.behind(owners, [above.attr])):
            yield Step(module.text_of(node), name, owners)
        values = self._project.values.of(module, above).alternatives
        items = items_of(values)
        if items:
            for name in sorted(self.names(module, above, values, is_many=True)):
                yield Step(module.text_of(above), name, tuple(classes_in(items)), is_many=True)
        else:
            yield from self.along(module, above, values)

    def _passed_along(
        self, module: Module, node: ast.expr, owners: tuple[str, ...]
    ) -> Iterator[Step]:
        """Yield what functions read that ``node`` is passed to, of what its relationships give."""
        above = module.call_taking(node)
        if above is None:
            return
        places = module.place(above), module.place(node)
        reads = (read for place in places for read in self._validated[place])
        paths = {trace.path for read in reads for trace in read.traces}
        yield from self._two_deep(module.text_of(node), owners, paths)
        for name, below in sorted(self._passed.below(module, above, node)):
            for owner in owners:
                target = self._project.orm.models.target_of(owner, name)
                if target is not None:
                    is_many = bool(self._project.orm.is_collection(owner, name))
                    yield Step(f"{module.text_of(node)}.{name}", below, (target,), is_many)

    def _answered_along(
        self, text: str, owners: tuple[str, ...], ways: Sequence[tuple[str, tuple[str, ...]]]
    ) -> Iterator[Step]:
        """Yield what responses have of an object that is returned, two relationships deep."""
        paths = {way for _, way in ways}
        for name in sorted({name for name, way in ways if len(way) == 1}):
            # A function that loads any model is one place for all of them.
            if all(name in self._relationships(owner) for owner in owners):
                yield Step(text, name, owners)
            for owner in owners:
                target = self._project.orm.models.target_of(owner, name)
                for read in () if target is None else self._own.by_fields([target]):
                    paths.add((f"{owner}.{name}", f"{target}.{read}"))
        yield from self._two_deep(text, owners, paths)

    def _answered_ways(self, values: Values) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what responses read of objects that are ``values``, with the way to each."""
        origins = self._project.orm.reads.calls_behind(origins_of(values))
        loads = dict.fromkeys(origin.place for origin in origins)
        return (pair for load in loads for pair in self._answered[load])

    def _two_deep(
        self, text: str, owners: tuple[str, ...], paths: Iterable[tuple[str, ...]]
    ) -> Iterator[Step]:
        for path in sorted(path for path in paths if len(path) == 2):  # noqa: PLR2004
            (home, name), (owner, below) = (step.rsplit(".", 1) for step in path)
            having = [home in self._project.orm.mapping_ancestors(word) for word in owners]
            if not any(having):
                continue
            is_many = any(self._project.orm.is_collection(word, name) for word in owners)
            part = "" if all(having) else f"{text}.{name}"
            yield Step(f"{text}.{name}", below, (owner,), is_many, part)

    def _relationships(self, owner: str) -> Collection[str]:
        mapped = self._project.orm.mapped_class(owner)
        return () if mapped is None else mapped.relationships

    @cached_property
    def _validated(self) -> defaultdict[Place, list[Read]]:
        """The reads by schemas of what they are given, by the place of that."""
        return multimap(
            (given, read) for given, read in self._project.orm.reads.of_schemas() if given
        )

    @cached_property
    def _answered(self) -> defaultdict[Place, list[tuple[str, tuple[str, ...]]]]:
        """The attributes of loaded objects that responses read, with the way to each."""
        reads = (read for read in self._project.orm.reads.all() if read.how == "response")
        return multimap(
            (trace.load.place, (read.attribute, trace.path))
            for read in reads
            for trace in read.traces
        )


def kept_steps(loading: Loading, steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the reads of relationships that all the objects there have, and keep."""
    return (
        step for step in steps if all(loading.is_kept(owner, step.name) for owner in step.owners)
    )


def leads_back(project: Project, before: Step, step: Step) -> bool:
    """Whether a read is of the relationship that leads back to the objects of the one before."""
    inverses = (project.orm.reads.inverse_of(owner, before.name) for owner in before.owners)
    return any(each is not None and each.attribute == step.name for each in inverses)


def items_of(values: Values) -> Values:
    """Return the items of what may be lists."""
    lists = [value for value in values if isinstance(value, InstanceOf) and value.parameters]
    return tuple(item for instance in lists for item in instance.parameters[-1])


def _of_self(module: Module, function: Function) -> Iterator[str]:
    """Yield the attributes that a method reads of its object."""
    own = first_parameter(function)
    for node in module.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == own:
                yield attribute


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
