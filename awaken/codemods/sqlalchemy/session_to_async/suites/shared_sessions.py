"""Sessions that tests share with requests: each request reads anew what is loaded with objects.

A test commits, and a synchronous session expires all that it loaded. So a request found no
collection as it was when the test loaded it. One that keeps objects gives, and deletes, by those.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.suites.clients import Clients
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.relationships.sides import WORDS
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.testing.requests import METHODS
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import Function
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project

_REQUESTS = tuple(f".{one}(".encode() for one in sorted(METHODS))
_OVERRIDES = "dependency_overrides"
_HELPER = "read_relationships_anew"
_CODE = '''\
def {helper}(session):
    """Load again what objects have of relationships, as behind a commit."""
    changed = session.dirty
    with session.no_autoflush:
        for one in list(session.identity_map.values()):
            state = {inspect}(one)
            loaded = [
                relationship.key
                for relationship in state.mapper.relationships
                if relationship.key in state.dict and "raise" not in str(relationship.lazy)
            ]
            if loaded and one not in changed:
                session.expire(one, loaded)
                for name in loaded:
                    getattr(one, name)
'''


class SharedSessions:
    """What becomes of the functions that give requests the session of a test."""

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        has_relationships = bool(project.files_with(WORDS))
        self._found = [*self._given()] if has_relationships else []

    def places(self) -> frozenset[Place]:
        """Return the statements that give a request its session."""
        return frozenset(self._found)

    def requests(self) -> tuple[Place, ...]:
        """Return the calls that send requests to what uses a session of the test."""
        if not self._found:
            return ()
        clients = Clients(self._project)
        modules = modules_with(self._project, _REQUESTS)
        return tuple(
            module.place(one.node)
            for module in modules
            for one in clients.operations(module)
            if one.how == "awaited" and one.method in METHODS
        )

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of them."""
        written = set[str]()
        for place in self._found:
            module = self._project.module(place.path)
            for node in () if module is None else module.walk():
                given = _given_name(node)
                if module is not None and given is not None and module.place(node) == place:
                    yield self._member(Site(self._rule, module, node), given.id, written)

    def _member(self, site: Site[ast.AST], text: str, written: set[str]) -> Member:
        module = site.module
        helper = module.scopes.fresh_name(_HELPER, f"{_HELPER}_again")
        code = f"await {text}.run_sync({helper})\n"
        edits: list[Edit] = [site.insert_statements(module.place(site.node), "before", code)]
        if module.path not in written:
            written.add(module.path)
            inspect, imports = name_beside(self._project, site, None, "sqlalchemy.inspect")
            whole = _CODE.format(helper=helper, inspect=inspect)
            edits += [site.insert_after_imports(whole), *imports]
        message = f"relationships of the objects in `{text}` are read anew for each request"
        return Member(site, Rewrite(message, edits), f"`{text}`")

    def _given(self) -> Iterator[Place]:
        """Yield the statements that give a request a session from outside of their function."""
        for module in modules_with(self._project, (_OVERRIDES.encode(),)):
            if not (is_test_file(module.path) or is_around_tests(module.path)):
                continue
            for function in dict.fromkeys(_overriding(self._project, module)):
                yield from self._of_function(module, function)

    def _of_function(self, module: Module, function: ast.FunctionDef) -> Iterator[Place]:
        for node in module.walk(function):
            given = _given_name(node)
            if given is not None:
                own = {one.scope.node for one in module.scopes.bindings_of(given)}
                is_session = self._project.orm.resource_of(module, given) == "session"
                if function not in own and is_session:
                    yield module.place(node)


def _given_name(node: ast.AST) -> ast.Name | None:
    """Return the variable that a statement gives a request."""
    match node:
        case ast.Return(value=ast.Name() as given):
            return given
        case ast.Expr(value=ast.Yield(value=ast.Name() as given)):
            return given
        case _:
            return None


def _overriding(project: Project, module: Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a file that stand in for a dependency."""
    for node in module.walk():
        match node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Attribute(attr=name))], value=ast.Name() as given
            ) if name == _OVERRIDES:
                yield from _functions(module, given)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(value, ast.Name) and _gives_session(project, module, key):
                        yield from _functions(module, value)
            case _:
                pass


def _functions(module: Module, given: ast.Name) -> Iterator[ast.FunctionDef]:
    for binding in module.scopes.bindings_of(given):
        if isinstance(binding.node, ast.FunctionDef):
            yield binding.node


def _gives_session(project: Project, module: Module, key: ast.expr | None) -> bool:
    """Whether ``key`` is a dependency of the program that gives a session.

    What a dictionary has for it takes its place, whoever hands that to the application.
    """
    values = () if key is None else project.values.of(module, key).alternatives
    return any(
        isinstance(one, FunctionOf)
        and isinstance(one.node, Function)
        and project.orm.session_dependency(one.module, one.node) is not None
        for one in values
    )
