"""Parameters without an annotation that may be sessions, of functions that are used as values.

A caller that uses another name passes arguments that no call of the function's own name shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_CALL
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of, unpacks
from awaken.project.values.domain import Unknown, functions_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.graph.forwards.passed.components import Component

_METHODS = frozenset(twins().methods())
_METHODCALLER = "operator.methodcaller"
_CURE = "Annotate the parameter of that function: `db: Session`."


class _Passing(Struct, frozen=True):
    """The calls that pass a session to a component; ``is_visible`` if all is that it is passed."""

    calls: frozenset[Place]
    is_visible: bool


class UnannotatedSessions:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        # By the function whose parameter it is, the calls that may pass it a session.
        self._passing: dict[Place, set[Place]] = {}

    def operations(self, module: Module, known: Iterable[Operation]) -> Iterator[Operation]:
        """Yield the calls in a file that may be on a session, except the ``known`` ones."""
        done = {operation.node: operation.how for operation in known}
        for node in module.nodes(ast.Call):
            if done.get(node, "unknown") != "unknown":
                continue
            if node not in done and self._calls_by_name(module, node):
                why = f"`{module.excerpt(node)}` calls a method by its name"
                yield Operation(node, "unknown", why=why, put=module.place(node))
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in _METHODS:
                continue
            owner = node.func.value
            place, calls = self._passed_at(module, owner)
            if place is None:
                continue
            shown = module.text_of(owner)
            why = f"`{shown}` has no annotation, and its function is passed as a value"
            if node not in done:
                yield Operation(node, "unknown", method=node.func.attr, why=why, put=place)
            function = module.place(module.enclosing_function(node) or module.tree)
            self._passing.setdefault(function, set()).update(calls)

    def members(self, rule: str) -> Iterator[Member]:
        """Yield the calls that may pass a session to one of these functions: they stay together."""
        for function, calls in sorted(self._passing.items()):
            for place in sorted(calls):
                for module, node in self._project.calls_at(place):
                    shown = f"`{module.excerpt(node)}`"
                    why = f"a function that is passed as a value, with the session of {shown}"
                    refused = Refused(UNKNOWN_CALL, why, _CURE, (function,))
                    yield Member(Site(rule, module, node), refused, shown, (function,))

    def _calls_by_name(self, module: Module, call: ast.Call) -> bool:
        """Whether `methodcaller` may call a session, for the function around has one."""
        match call:
            case ast.Call(args=[ast.Constant(str() as name), *_]) if name in _METHODS:
                around = module.enclosing_function(call)
                if self._project.qualified_name(module, call.func) != _METHODCALLER:
                    return False
                nodes = () if around is None else module.walk(around)
                resources = (
                    self._project.orm.resource_of(module, node)
                    for node in nodes
                    if isinstance(node, ast.Name)
                )
                return any(isinstance(resource, str) for resource in resources)
        return False

    def _passed_at(self, module: Module, owner: ast.expr) -> tuple[Place | None, set[Place]]:
        """Return where the function of a parameter is used, and the calls that may pass a session.

        None if none does.
        """
        parameter = _parameter(module, owner)
        if parameter is None:
            return None, set()
        name, function = parameter.name, parameter.scope.node
        if isinstance(function, ast.Lambda):
            places = [module.place(function)]
            components = [[self._project.calls.passed_functions().of_lambda(places[0])]]
        else:
            passed = self._project.calls.passed_to(module, parameter)
            places = [] if passed is None else [*passed.doubts.values()]
            components = [[*self._components_at(place)] for place in places]
        if not places or not isinstance(self._project.orm.resource_of(module, owner), Unknown):
            return None, set()
        together = [component for each in components for component in each]
        passing = [self._passing_in(component) for component in together]
        calls = {place for item in places for place in self._passed_along(item)}
        calls = calls.union(*(item.calls for item in passing))
        is_visible = all(components) and all(candidate.is_visible for candidate in passing)
        if not calls and (is_visible or not self._names_session(name)):
            return None, set()
        return places[0], calls if is_visible else {*calls, *self._passed_to_unknown}

    def _passed_along(self, place: Place) -> Iterator[Place]:
        """Yield the calls around a function that pass it on with a session, as `partial(f, db)`.

        An attribute that `setattr` sets is called by its name there.
        """
        for module, node in self._project.expressions_at(place):
            around = takewhile(_is_argument, module.ancestors(node))
            for call in (part for part in around if isinstance(part, ast.Call)):
                if self._passes_session(module, call):
                    yield module.place(call)
                match call:
                    case ast.Call(
                        func=ast.Name("setattr"), args=[_, ast.Constant(str() as name), _]
                    ):
                        yield from self._given_by_name(name)

    def _given_by_name(self, name: str) -> Iterator[Place]:
        """Yield the calls of any attribute with a name that pass a session."""
        for module in modules_with(self._project, (f".{name}".encode(),)):
            for node in module.mentions(name):
                call = module.parent(node)
                if not isinstance(node, ast.Attribute) or not isinstance(call, ast.Call):
                    continue
                if call.func is node and self._passes_session(module, call):
                    yield module.place(call)

    def _components_at(self, place: Place) -> Iterator[Component]:
        """Yield the arguments that are passed along with the functions at a place."""
        graph = self._project.calls.graph()
        for module, node in self._project.expressions_at(place):
            for home, function in self._functions(module, node):
                known = graph.function_at(*home.key_of(function))
                if known is not None:
                    yield from self._project.calls.passed_functions().components_of(known)

    def _functions(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, Function]]:
        above = module.parent(node)
        decorated = module.parent(above) if isinstance(above, ast.Call) else above
        if isinstance(decorated, Function) and {node, above} & {*decorated.decorator_list}:
            yield module, decorated
            return
        yield from functions_in(self._project.values.of(module, node).alternatives)

    @cached_by(id)
    def _passing_in(self, component: Component) -> _Passing:
        """Return the calls that pass a session to the functions of a component."""
        return _Passing(frozenset(self._calls_passing(component)), self._is_visible(component))

    def _calls_passing(self, component: Component) -> Iterator[Place]:
        for place in sorted({*component.calls, *component.threads, *component.absorbed}):
            for module, call in self._project.calls_at(place):
                if self._passes_session(module, call):
                    yield module.place(call)
        for place in component.leaks:
            for home, node in self._project.expressions_at(place):
                above = home.parent(node)
                if isinstance(above, ast.Call) and self._passes_session(home, above):
                    yield home.place(above)

    def _is_visible(self, component: Component) -> bool:
        """Whether all is visible that the functions of a component are passed."""
        calls = (call for place in component.calls for _, call in self._project.calls_at(place))
        return not component.leaks and not any(map(unpacks, calls))

    @cached_property
    def _passed_to_unknown(self) -> frozenset[Place]:
        """The calls that pass a session to what is not known."""
        return frozenset(
            module.place(node)
            for call in self._project.calls.graph().calls()
            if call.kind == "unknown"
            for module, node in self._project.calls_at(call.place)
            if self._passes_session(module, node)
        )

    def _passes_session(self, module: Module, call: ast.Call) -> bool:
        arguments = arguments_of(call)
        return any(
            isinstance(self._project.orm.resource_of(module, node), str)
            for argument in arguments
            for node in _variables(argument)
        )

    @cached_method
    def _names_session(self, name: str) -> bool:
        """Whether a variable of this name is a session anywhere in the program."""
        return any(
            isinstance(node, ast.Name)
            and isinstance(self._project.orm.resource_of(module, node), str)
            for module in modules_with(self._project, (name.encode(),))
            for node in module.mentions(name)
        )


def _parameter(module: Module, owner: ast.expr) -> Binding | None:
    """Return the parameter that ``owner`` is, or that `__init__` keeps as ``owner``."""
    match owner:
        case ast.Name():
            bindings = module.scopes.bindings_of(owner)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            around = module.enclosing_class(owner)
            kept = [
                node.value
                for node in (() if around is None else module.walk(around))
                if isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Name)
                and [module.text_of(target) for target in node.targets] == [f"self.{name}"]
            ]
            bindings = module.scopes.bindings_of(kept[0]) if len(kept) == 1 else []
        case _:
            return None
    is_parameter = len(bindings) == 1 and isinstance(bindings[0].node, ast.arg)
    return bindings[0] if is_parameter else None


def _variables(node: ast.expr) -> Iterator[ast.Name | ast.Attribute]:
    """Yield the variables and attributes that an argument is, or that it holds."""
    match node:
        case ast.Name() | ast.Attribute():
            yield node
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            yield from (node for part in parts for node in _variables(part))
        case ast.Dict(values=parts):
            yield from (node for part in parts for node in _variables(part))
        case ast.Starred(value=part):
            yield from _variables(part)


def _is_argument(node: ast.AST) -> bool:
    return isinstance(node, ast.Call | ast.keyword | ast.Starred | ast.List | ast.Tuple)
