"""Sessions and connections that objects hold: factories, mapped objects, and objects of libraries.

Those of factories stay synchronous, and are those of the others. A mapped object tells of both.

``config.attributes["connection"] = connection`` gives the synchronous connection. Calls that are
passed the object run inside of `run_sync`, if all of them are visible.

A registry of sessions (``scoped_session``) has one for each thread. A thread serves one request
after the other with the same session; each request is a task of its own, so what nobody removes is
there forever, with its connection.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import called_node
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import is_called_by_events
from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_SESSION
from awaken.contract import Place, Span
from awaken.kit.changes import Member, member
from awaken.kit.search import modules_with, nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import session_classes, twins
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import word_list
from awaken.project.frameworks.sqlalchemy.made_sessions.kept_connections import (
    argument_for,
    is_in_same_function,
    names_keeping,
)
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.frameworks.web.endpoints import FRAMEWORKS, METHODS
from awaken.project.graph.dispatch import Called
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.functions.injections import Provider
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.modules import Module
from awaken.project.source.replacing import Put, puts_of
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, is_none, last_name, variable_of, without_arguments
from awaken.project.values.domain import External, Unknown

if TYPE_CHECKING:
    from awaken.project import Project

_STATE = "sqlalchemy.orm.InstanceState"
_OF_MOCKS = {"return_value", "side_effect"}
_PUT = {"connection", "session"}
_CURE = "Pass the session as an argument to the code that reads the attribute."


def held_sessions(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the rewrites of the sessions that factories are given, and of calls that pass these on.

    A factory adds to its session and flushes it by plain calls. So the factory gets the synchronous
    session inside the asynchronous one, and is called in a greenlet, which may wait.
    """
    factories = part.project.object_factories
    for module in modules_with(part.project, (*factories.words, b"sqlalchemy_session")):
        for node in factories.given_sessions(module):
            if not is_none(node):
                site: Site[ast.AST] = Site(rule, module, node)
                yield member(site, f"`{module.excerpt(node)}`", _given_rewrite, part)
        for node in factories.escapes(module):
            why = Refused(reasons.HANDED_ON, module.excerpt(node))
            yield Member(Site(rule, module, node), why, f"`{module.excerpt(node)}`")


def _given_rewrite(site: Site[ast.AST], part: SynchronousPart) -> Rewrite:
    module, node = site.module, site.node
    shown = module.excerpt(node)
    proof = part.project.orm.session_of(module, node) if isinstance(node, ast.expr) else None
    if isinstance(proof, Unknown):
        raise Refused(reasons.FACTORY_SESSION, shown, because=(proof.place,))
    if not isinstance(proof, SessionProof) or proof.kind != "session" or proof.unless:
        raise Refused(reasons.FACTORY_SESSION, shown)
    edits = [site.insert_behind(node, ".sync_session")]
    return Rewrite(f"object factories get the synchronous session of `{shown}`", edits)


def sessions_put(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield where a test puts a session into an attribute of which awaken knows no session.

    The code that reads it stays as it is, and would get coroutines.
    """
    project = part.project
    for module in project.modules_at(part.stand_ins.paths):
        known = {*project.object_factories.given_sessions(module)}
        for put in puts_of(module, None):
            if put.value is None or put.is_of_self or put.last in _OF_MOCKS or put.value in known:
                continue
            # The body of a function of the program says what it does with the session.
            if isinstance(put.node, ast.Call) and isinstance(
                project.calls.function_called(module, put.node), Called
            ):
                continue
            if _puts_session(project, module, put.value) and not _is_read(project, module, put):
                site: Site[ast.AST] = Site(rule, module, put.node)
                shown = module.excerpt(put.node)
                refused = Refused(reasons.HANDED_SESSION, shown, _CURE)
                yield Member(site, refused, f"`{shown}`")


def _puts_session(project: Project, module: Module, value: ast.expr) -> bool:
    """Whether a value is a session or connection, or a function that gives one."""
    return any(_is_put(project, module, node) for node in (value, called_node(value)))


def _is_put(project: Project, module: Module, node: ast.expr) -> bool:
    resource = project.orm.resource_of(module, node)
    return isinstance(resource, str) and resource in _PUT


def _is_read(project: Project, module: Module, put: Put) -> bool:
    """Whether awaken knows what the attribute gives: a session, wherever the program reads it."""
    if put.owner is None:
        home, function = project.function_definition(put.name) or (None, None)
        if home is not None and function is not None:
            return any(_is_put(project, home, node) for node in home.outputs_of(function))
        home, value = project.value_at(put.name) or (None, None)
        return home is not None and value is not None and _puts_session(project, home, value)
    owners = project.values.of(module, put.owner).alternatives
    if any(isinstance(owner, External) for owner in owners):
        return False
    read = ast.copy_location(ast.Attribute(put.owner, put.name, ast.Load()), put.node)
    return _puts_session(project, module, read)


def sessions_of_objects(project: Project, rule: str) -> Iterator[Member]:
    """Yield the rewrites of the ways to the session of a mapped object, without functions."""
    for module, node in nodes_with(
        project, (b"inspect", b"InstanceState", b".object_session("), ast.AST
    ):
        match node:
            case ast.Attribute(value=state, attr="session", ctx=ast.Load()) if project.instance_of(
                module, state
            ) == (_STATE,):
                if not is_called_by_events(project, module, node):
                    yield _of_state(Site(rule, module, node))
            case ast.Call(func=ast.Attribute(value=receiver, attr="object_session")) if _is_session(
                project, module, receiver
            ):
                if not is_called_by_events(project, module, node):
                    why = Refused(reasons.INNER_SESSION, module.excerpt(node))
                    site: Site[ast.AST] = Site(rule, module, node)
                    yield Member(site, why, f"`{module.excerpt(node)}`")


def _of_state(site: Site[ast.AST]) -> Member:
    shown = f"`{site.module.excerpt(site.node)}`"
    start = site.module.span(site.node).end - len("session")
    edit = site.write(Span(start, start), "async_")
    return Member(site, Rewrite(f"{shown} becomes the asynchronous one", [edit]), shown)


def _is_session(project: Project, module: Module, receiver: ast.expr) -> bool:
    """Whether something is a session, or a class of them."""
    if project.qualified_name(module, receiver) in session_classes():
        return True
    return project.orm.resource_of(module, receiver) in BLOCKING_SESSIONS


_SET_FOR_LIBRARY = (
    "Set it, and call what reads it, in one function that you pass to "
    "`await connection.run_sync(...)`."
)


def kept_connections(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield what puts a session or a connection into an attribute of an object of a library."""
    for module, node in nodes_with(part.project, word_list("unfollowed"), ast.Assign):
        match node.targets:
            case [ast.Subscript(value=ast.Attribute(value=owner)) as item]:
                resource = part.project.orm.resource_of(module, node.value)
                if isinstance(resource, str) and _is_of_library(part, module, owner):
                    site: Site[ast.Assign] = Site(rule, module, node)
                    is_kept = resource == "connection" and _is_kept(part, module, owner, node.value)
                    why = Refused(HANDED_SESSION, module.excerpt(item), _SET_FOR_LIBRARY)
                    shown = f"`{module.excerpt(item)}`"
                    yield member(site, shown, _rewrite) if is_kept else Member(site, why, shown)


def _is_of_library(part: SynchronousPart, module: Module, owner: ast.expr) -> bool:
    """Whether an object surely is of a class that no file of the program defines."""
    names = part.project.instance_of(module, owner)
    return bool(names) and all(part.project.class_facts(name) is None for name in names)


def _rewrite(site: Site[ast.Assign]) -> Rewrite:
    module, value = site.module, site.node.value
    # Any greenlet of `run_sync` serves it, also that of another connection.
    edit = site.insert_behind(value, ".sync_connection")
    return Rewrite(
        f"the library gets the synchronous connection of `{module.excerpt(value)}`", [edit]
    )


def _is_kept(part: SynchronousPart, module: Module, owner: ast.expr, given: ast.expr) -> bool:
    """Whether the connection in a variable is put into an object of which all calls are visible."""
    made = module.scopes.only_value(owner)
    if not isinstance(made, ast.Call) or not isinstance(given, ast.Name):
        return False
    # Of other classes it is not known what reads the attribute.
    is_keeping = part.project.qualified_name(module, made.func) in twins().handed.keeping
    return is_keeping and _is_followed(part, module, owner, given)


def _is_followed(
    part: SynchronousPart, module: Module, variable: ast.expr | None, given: ast.expr | None = None
) -> bool:
    """Whether all calls are visible that are passed the object in a variable.

    A function that puts ``given`` into the object may return it.
    """
    if not isinstance(variable, ast.Name) or not names_keeping(module):
        return False
    made = module.scopes.only_value(variable)
    reads = module.scopes.reads_of(variable)
    # Elsewhere the connection has no name, and code may run when its block is over.
    if made is None or not all(is_in_same_function(module, made, read) for read in reads):
        return False
    kept = part.project.orm.operations.kept_connections
    return all(
        way == "attribute"
        or (way == "argument" and kept.is_followed(module, above, read))
        or (way == "returned" and _is_taken(part, module, module.enclosing_function(read), given))
        for read in reads
        for way, above in (use_of(module, read),)
    )


def _is_taken(
    part: SynchronousPart, module: Module, function: ast.AST | None, given: ast.expr | None
) -> bool:
    """Whether each call of a function passes ``given``, and puts the result into a variable."""
    calls = part.project.calls
    if not isinstance(function, ast.FunctionDef) or not isinstance(given, ast.Name):
        return False
    made = calls.graph().callers(part.place_of(module, function))
    return calls.callers_of(module, function).complete and all(
        argument_for(module, function, given, node) is not None
        and _is_followed(part, home, variable_of(home.parent(node)))
        for call in made
        for home, node in part.project.calls_at(call.place)
    )


_OTHER_TASKS = frozenset({"lifespan", "middleware", "on_event"})
"""Decorators of functions that run in another task than what answers a request."""
_SHARED = frozenset({"APIRouter", "FastAPI", "include_router"})
"""What takes the dependencies of many endpoints."""


def never_removed(project: Project, registry: str) -> Place | None:
    """Return an endpoint whose session nobody removes from a registry; None if there is none.

    ``registry`` is the qualified name of a variable.
    """
    return _Registry(project, registry).forgetting() if project.files_with(FRAMEWORKS) else None


class _Registry:
    """Where one registry is used, and where its sessions are removed."""

    def __init__(self, project: Project, registry: str) -> None:
        self._project = project
        graph = project.calls.graph()
        used, removed = set[FunctionPlace](), set[FunctionPlace]()
        for module, node in uses_of(project, {registry}, is_around_tests):
            above, around = module.parent(node), function_around(module, node)
            place = None if around is None else self._place(module, around)
            if place is None or around is None:
                continue
            used.add(place)
            is_removal = isinstance(above, ast.Attribute) and above.attr == "remove"
            if is_removal and not self._is_other_task(module, around):
                removed.add(place)
        self._using = frozenset(graph.reaching(used))
        self._removing = frozenset(graph.reaching(removed))

    def forgetting(self) -> Place | None:
        """Return an endpoint that uses a session which is not removed."""
        if not self._removing.isdisjoint(self._places(self._of_all_routes())):
            return None
        for module in modules_with(self._project, FRAMEWORKS, is_around_tests):
            for node in module.functions:
                if _is_endpoint(node):
                    providers = self._project.injections.of_function(module, node)
                    run = {self._place(module, node), *self._places(providers)}
                    if self._using.intersection(run) and self._removing.isdisjoint(run):
                        return module.place(node)
        return None

    def _of_all_routes(self) -> Iterator[Provider]:
        """Yield the dependencies of whole applications and routers."""
        for module, node in nodes_with(
            self._project, (b"dependencies",), ast.Call, is_around_tests
        ):
            if last_name(node.func) in _SHARED:
                for keyword in node.keywords:
                    if keyword.arg == "dependencies":
                        yield from self._project.injections.providers_below(module, keyword.value)

    def _places(self, providers: Iterable[Provider]) -> Iterator[FunctionPlace]:
        """Yield the functions that run for what is injected."""
        for home, function in self._project.web.endpoints.depended_on(providers):
            place = self._place(home, function)
            if place is not None:
                yield place

    def _place(self, module: Module, function: Function) -> FunctionPlace | None:
        graph = self._project.calls.graph()
        return graph.function_at(*module.key_of(function))

    def _is_other_task(self, module: Module, function: Function) -> bool:
        """Whether a function runs in another task than the endpoint, such as a middleware."""
        owner = module.enclosing_class(function)
        if owner is not None and function.name == "dispatch":
            return True
        decorators = {last_name(without_arguments(node)) for node in function.decorator_list}
        return not decorators.isdisjoint(_OTHER_TASKS) or function.name == "lifespan"


def _is_endpoint(function: Function) -> bool:
    return any(last_name(without_arguments(node)) in METHODS for node in function.decorator_list)
