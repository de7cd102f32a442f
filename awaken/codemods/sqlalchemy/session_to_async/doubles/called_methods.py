"""Calls of the methods of an object, with the names between: `repositories.prices.get`.

A mock of the object has its methods under the same names; the ``return_value`` of its mock is the
result of a call. An object is followed by variables, attributes of ``self``, arguments and returns,
over a few steps.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place, Span
from awaken.project.frameworks.testing import Mocked, Replacement, assigned_attributes
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.resolving import asked_attributes
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, last_name, parameter_getting
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

RESULT = "return_value"
"""What a mock gives."""
_MOST_RESULTS = 2
_CAST = 2


class Uses:
    """Follows objects through one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._seen: set[tuple[Place, str]] = set()

    def of_object(self, module: Module, node: ast.AST) -> dict[str, list[Call]]:
        """Return the calls that wait on the object ``node``, by the names in between."""
        return self._waiting(self._calls_behind(module, node, ""))

    def of_results(self, functions: Iterable[FunctionPlace]) -> dict[str, list[Call]]:
        """Return the calls that wait on objects that the program gets from functions."""
        return self._waiting(
            pair for function in functions for pair in self._behind_calls(function, RESULT)
        )

    def _waiting(self, chains: Iterable[tuple[Place, str]]) -> dict[str, list[Call]]:
        functions: dict[str, list[Call]] = {}
        self._seen.clear()
        for place, chain in chains:
            call = self._call_at(place)
            call = None if call is None else self._project.calls.graph().resolved_by_callers(call)
            if call is not None and any(item in self._part.steps for item in call.functions):
                calls = functions.setdefault(chain, [])
                if call not in calls:
                    calls.append(call)
        return dict(sorted(functions.items()))

    def _call_at(self, place: Place) -> Call | None:
        return self._calls_in(place.path).get(place.span)

    @cached_method
    def _calls_in(self, path: str) -> dict[Span, Call]:
        return {call.place.span: call for call in self._project.calls.graph().calls_in(path)}

    # ---------------------------------------------------------------------------------- following
    def _calls_behind(  # noqa: C901  one case a way
        self, module: Module, node: ast.AST, before: str
    ) -> Iterator[tuple[Place, str]]:
        """Yield the calls on the object ``node``, which a mock knows as ``before``."""
        names = [before] if before else []
        above = module.parent(node)
        while isinstance(above, ast.Attribute) and above.value is node:
            names.append(above.attr)
            node, above = above, module.parent(above)
        chain = ".".join(names)
        key = module.place(node), chain
        is_cut = len(self._seen) > MOST_STEPS or chain.count(RESULT) > _MOST_RESULTS
        if key in self._seen or is_cut:
            return
        self._seen.add(key)
        way, above = use_of(module, node)
        match way:
            case "called":
                if "." in chain:
                    yield module.place(above), chain
                yield from self._calls_behind(module, above, ".".join([*names, RESULT]))
            case "argument":
                yield from self._behind_arguments(module, above, node, chain)
            case "awaited" | "same":
                yield from self._calls_behind(module, above, chain)
            case "bound" if len(targets_of(above)) == 1:
                for read in _reads_of(module, targets_of(above)[0]):
                    yield from self._calls_behind(module, read, chain)
            case "returned" if isinstance(around := module.enclosing_function(node), Function):
                function = self._part.function_at(*module.key_of(around))
                if function is not None:
                    yield from self._behind_calls(function, chain)

    def _behind_calls(self, function: FunctionPlace, chain: str) -> Iterator[tuple[Place, str]]:
        for call in self._project.calls.graph().callers(function):
            is_of_tests = is_around_tests(call.place.path)
            for pair in () if is_of_tests else self._project.calls_at(call.place)[:1]:
                yield from self._calls_behind(*pair, chain)

    def _behind_arguments(
        self, module: Module, call: ast.Call, node: ast.AST, chain: str
    ) -> Iterator[tuple[Place, str]]:
        """Yield the calls on an object that is passed: to `getattr`, `cast` or the program."""
        if last_name(call.func) == "cast" and len(call.args) == _CAST and call.args[1] is node:
            yield from self._calls_behind(module, call, chain)
            return
        yield from _asked_behind(module, call, chain)
        known = self._call_at(module.place(call))
        for function in () if known is None else known.functions:
            home = self._part.node_of(function)
            if home is None or is_around_tests(function.path):
                continue
            bound = int(takes_receiver(*home))
            parameter = parameter_getting(call, home[1], node, bound)
            scope = home[0].scopes.scope_made_by(home[1])
            name = "" if parameter is None else parameter.arg
            is_only = len(scope.bindings_of(name)) == 1
            for read in scope.reads.get(name, ()) if is_only else ():
                yield from self._calls_behind(home[0], read, chain)


def _asked_behind(module: Module, call: ast.Call, chain: str) -> Iterator[tuple[Place, str]]:
    """Yield the calls of a variable that holds what `getattr` found of an object."""
    statement = module.statement_of(call)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return
    for read in _reads_of(module, statement.targets[0]):
        called = module.parent(read)
        if not isinstance(called, ast.Call) or not isinstance(read, ast.Name):
            continue
        if called.func is not read:
            continue
        for asked_attribute in asked_attributes(module, read) or ():
            if asked_attribute.owner is call.args[0]:
                names = [chain] if chain else []
                yield module.place(called), ".".join([*names, asked_attribute.attribute.attr])


def _reads_of(module: Module, target: ast.expr) -> list[ast.expr]:
    """Return the reads of what one statement alone gives a value: of `name`, of `self.name`."""
    match target:
        case ast.Name(id=name):
            bindings = module.scopes.bindings_of(target)
            return list(bindings[0].scope.reads.get(name, ())) if len(bindings) == 1 else []
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            around = module.enclosing_class(target)
            attributes = [
                mention
                for mention in module.mentions(name)
                if isinstance(mention, ast.Attribute)
                and isinstance(mention.value, ast.Name)
                and mention.value.id == "self"
                and around is not None
                and module.enclosing_class(mention) is around
            ]
            stores = [attribute for attribute in attributes if isinstance(attribute.ctx, ast.Store)]
            return [node for node in attributes if node not in stores] if len(stores) == 1 else []
    return []


EFFECT = "side_effect"


def results_given(
    project: Project, module: Module, replacement: Replacement
) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a test has the mock of a patch give, or have: `get.return_value`, and by what."""
    call, around = replacement.node, module.enclosing_def(replacement.node)
    named = call.keywords if isinstance(call, ast.Call) else []
    told = [(keyword.arg, keyword.value) for keyword in named if keyword.arg in {RESULT, EFFECT}]
    if around is not None and replacement.bound:
        told += assigned_attributes(module, around, replacement.bound)
    yield from _with_results(project, module, told)


def results_given_by_requests(
    project: Project, module: Module, replacement: Replacement
) -> Iterator[tuple[Module, str, ast.expr]]:
    """Yield what tests say of the mock of a patch that a fixture hands on to them."""
    around, requests = module.enclosing_def(replacement.node), project.coroutine_tests.requests
    if around is None or not replacement.bound or requests.name_of(module, around) is None:
        return
    names = [item for item in module.outputs_of(around) if isinstance(item, ast.Name)]
    for _ in (name for name in names if name.id == replacement.bound):
        for request in requests.requests_for(module, around).direct:
            variable = "" if request.parameter is None else request.parameter.arg
            assignments = assigned_attributes(request.module, request.function, variable)
            for result, value in _with_results(project, request.module, assignments):
                yield request.module, result, value


def told_of(project: Project, mocked: Mocked) -> Iterator[tuple[Module, str, ast.expr]]:
    """Yield what tests say of a mock that they make: where it is made, and by its variables."""
    named = [(name, value) for name, value in named_in(mocked.call) if name is not None]
    for name, value in _with_results(project, mocked.module, named):
        yield mocked.module, name, value
    for module, around, variable in mocked.variables:
        for name, value in _with_results(
            project, module, assigned_attributes(module, around, variable)
        ):
            yield module, name, value


def named_in(call: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """Yield the keyword arguments of a call; None where a name is unknown."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg=None, value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    text = key.value if isinstance(key, ast.Constant) else None
                    yield text if isinstance(text, str) else None, value
            case _:
                yield keyword.arg, keyword.value


def results_of(project: Project, module: Module, value: ast.expr) -> Iterator[ast.expr]:
    """Yield what calling ``value`` gives: a lambda or a function of the file, a list of results."""
    match value:
        case ast.Lambda(body=body):
            yield body
        case ast.List(elts=given) | ast.Tuple(elts=given):
            yield from given
        case ast.Name():
            for alternative in project.values.of(module, value).alternatives:
                if isinstance(alternative, FunctionOf) and alternative.module.path == module.path:
                    yield from module.returned_by(alternative.node)


def _with_results(
    project: Project, module: Module, told: Iterable[tuple[str, ast.expr]]
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the configured values, and the results of each ``side_effect``."""
    for name, value in told:
        yield name, value
        before, _, last = name.rpartition(".")
        if last == EFFECT:
            result = f"{before}.{RESULT}".strip(".")
            # It contradicts every other result.
            yield result, value
            for node in results_of(project, module, value):
                yield result, node
