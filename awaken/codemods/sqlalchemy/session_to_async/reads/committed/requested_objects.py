"""Objects that a fixture gives to a test, and those that a factory made and flushed.

A fixture that pytest sets up later may commit the former, which expires them. Of the latter the
session has only the relationships that the factory got.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.passed_objects import is_parameter
from awaken.kit.search import modules_with
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, parameters_of, variable_of

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

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
