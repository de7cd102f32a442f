"""The rule: endpoints, the sessions that they make, and the dependencies that give the same."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.sqlalchemy.session_in_route.payload import Parameter
from awaken.contract import Edit, Level, Phase, Place, Reason, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_from_same_module
from awaken.kit.names_here import name_here
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.rule import SiteRule
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.made_sessions.made import MadeSession
from awaken.project.names.functions.injections import Provider
from awaken.project.source.trees import Function, FunctionOrLambda, keyword_of, parameters_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

NO_DEPENDENCY = Reason(
    "no-dependency",
    "no dependency of the program yields a session of this kind",
    "Write one, `with SessionLocal() as db: yield db`, and inject it with `Depends`.",
)
COMMITS = Reason(
    "commits",
    "`{}` commits or begins a transaction itself",
    "If this endpoint needs that, inject the session by hand.",
)
SHARED = Reason(
    "shared",
    "`{}` uses the same session in its requests, and this endpoint ends the transaction",
    "If both belong to one transaction, inject the session by hand.",
)
INJECTED = Reason(
    "injected",
    "`{}` already gives this endpoint a session, and this is a second one",
    "If one session is enough, use the injected one.",
)
CALLED = Reason(
    "called",
    "the program also calls `{}` directly, and that call would pass no session",
    "Move the called code into a function that takes the session.",
)
OTHER_SHAPE = Reason(
    "other-shape",
    "no separate `with` statement of the endpoint opens `{}`",
    "Open it in one `with` for the whole endpoint, or inject it by hand.",
)
OWN_ENGINE = Reason(
    "own-engine",
    "`{}` creates an engine and its connection pool for each request",
    "Create the engine once at startup, and yield sessions of it.",
)
_CLASSES = {True: "sqlalchemy.ext.asyncio.AsyncSession", False: "sqlalchemy.orm.Session"}
_CLOSED = "the session is open before the endpoint begins and until its response is ready"
_SHARED = "other dependencies of the request share it"
_ENDING = {"begin", "commit", "expire_all", "expunge_all", "flush", "rollback"}
"""Methods of a session that concern objects of other users of the session too."""
_CLOSING = {"begin_nested", "close", "invalidate", "reset"}
"""The same, if the method is one of a session: other things have them as well."""


@dataclass(frozen=True)
class _Given:
    """A dependency that yields sessions of one factory, as ``module`` defines it."""

    module: Module
    function: Function
    made: MadeSession


@dataclass(frozen=True)
class _Made:
    """A call that makes a session, or without one an engine."""

    call: ast.Call
    session: MadeSession | None


class SessionInRoute(SiteRule):
    """Injects sessions that endpoints make."""

    name = "session-in-route"
    family = "sqlalchemy"
    phase = Phase.LIFESPAN
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"ession", b"maker", b"create_engine", b"create_async_engine")
    anchors = ((b"fastapi",), (b"sqlalchemy", b"sqlmodel"))
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.OPT_IN
    reasons = (
        CALLED, COMMITS, INJECTED, NAME_TAKEN, NO_DEPENDENCY, OTHER_SHAPE, OWN_ENGINE, SHARED,
    )  # fmt: skip
    writers = (f"{__package__}.rewrite",)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return a finding per session or engine that an endpoint makes, and its change."""
        result = list(self._sites(project))
        dependencies = list(_dependencies(project)) if result else []
        return (decide(site, _rewrite, project, made, dependencies) for site, made in result)

    def _sites(self, project: Project) -> Iterator[tuple[Site[Function], list[_Made]]]:
        """Yield the endpoints that make sessions or engines, with the calls that do."""
        seen: set[Place] = set()
        in_sight = set(project.site_files(self.triggers))
        for endpoint in project.web.responses.all:
            module, function = endpoint.module, endpoint.function
            place = module.place(function)
            if place in seen or module.path not in in_sight:
                continue
            seen.add(place)
            calls = module.nodes_below(function, ast.Call)
            made = [one for one in map(partial(_read, project, module), calls) if one is not None]
            if made:
                yield Site(self.name, module, function), made


def _read(project: Project, module: Module, call: ast.Call) -> _Made | None:
    session = project.orm.made_session(module, call)
    if session is not None and session.source in {"class", "factory"}:
        return _Made(call, session)
    makes_engine = any(engine.call is call for engine in project.orm.engines.in_file(module))
    return _Made(call, None) if makes_engine else None


def _dependencies(project: Project) -> Iterator[_Given]:
    """Yield the dependencies that yield a session and close it."""
    for module in modules_with(project, (b"yield",)):
        for node in module.tree.body:
            if isinstance(node, Function) and not node.decorator_list:
                dependency = project.orm.session_dependency(module, node)
                is_plain = (
                    dependency is not None
                    and dependency.gives == "yield"
                    and not dependency.overrides
                )
                if dependency is not None and is_plain and dependency.closed == "always":
                    yield _Given(module, node, dependency.made)


def _rewrite(
    site: Site[Function], project: Project, made: list[_Made], dependencies: list[_Given]
) -> Rewrite:
    """Return how the session of an endpoint is injected. Raises Refused."""
    module, function = site.module, site.node
    call, session = made[0].call, made[0].session
    because = tuple(module.place(item.call) for item in made)
    if session is None:
        raise Refused(OWN_ENGINE, module.excerpt(call), because=because)
    if len(made) > 1:
        raise Refused(OTHER_SHAPE, module.excerpt(made[1].call), because=because)
    shown = module.excerpt(call)
    block = _block(module, function, call)
    opened = block.items[0].optional_vars
    dependency = next(
        (one for one in dependencies if _gives_same(project, module, made[0], one)), None
    )
    if dependency is None:
        raise Refused(NO_DEPENDENCY)
    if not isinstance(opened, ast.Name):
        raise Refused(OTHER_SHAPE, shown)
    name = opened.id
    _check(site, project, block, dependency, name)
    kind, imports = module.text_of(call.func), list[Edit]()
    if session.source == "factory":
        kind, imports = name_from_same_module(project, site, None, _CLASSES[session.is_async])
    depends, more = name_from_same_module(project, site, None, "fastapi.Depends")
    provider, beside = _written_pair(project, site, dependency)
    code = f"{name}: {kind} = {depends}({provider})"
    edits: list[Edit] = [
        site.rewrite_header(function, "add-parameter", Parameter(code)),
        site.rewrite(block, "unwrap"),
        *imports,
        *more,
        *beside,
    ]
    message = f"`{function.name}` gets its session from `{provider}`"
    return Rewrite(
        message, edits, [_CLOSED, _SHARED], (dependency.module.place(dependency.function),)
    )


def _block(module: Module, function: Function, call: ast.Call) -> ast.With | ast.AsyncWith:
    """Return the statement that opens the session, one of the body. Raises Refused."""
    block = module.parent(module.parent(call))
    is_own = isinstance(block, ast.AsyncWith | ast.With) and len(block.items) == 1
    if isinstance(block, ast.AsyncWith | ast.With) and is_own and block in function.body:
        return block
    raise Refused(OTHER_SHAPE, module.excerpt(call))


def _gives_same(project: Project, module: Module, made: _Made, dependency: _Given) -> bool:
    """Whether a dependency yields sessions of the same factory, or class and engine, as a call."""
    session, other = made.session, dependency.made
    if session is None or session.is_async is not other.is_async or session.source != other.source:
        return False
    if session.source == "factory":
        return session.place == other.place and not made.call.args and not made.call.keywords
    yielded = dependency.module.calls_at(other.place.span)
    return bool(yielded) and _engine(project, module, made.call) == _engine(
        project, dependency.module, yielded[0]
    )


def _engine(project: Project, module: Module, call: ast.Call) -> tuple[str | None, str]:
    """Return which session class is called, and the name of the one engine that it is given.

    Any other argument makes two calls differ.
    """
    engine = keyword_of(call, "bind")
    if len(call.args) == 1 and not call.keywords:
        engine = call.args[0]
    named = None if engine is None else project.qualified_name(module, engine)
    is_plain = named is not None and len(call.args) + len(call.keywords) == 1
    of = project.qualified_name(module, call.func)
    return of, named if is_plain and named is not None else str(module.place(call))


def _check(
    site: Site[Function],
    project: Project,
    block: ast.With | ast.AsyncWith,
    dependency: _Given,
    name: str,
) -> None:
    """Raise Refused where an injected session would be another one, or none."""
    module, function = site.module, site.node
    text = dependency.module.text_of(dependency.function)
    if "commit" in text or "begin" in text:
        raise Refused(COMMITS, dependency.function.name)
    if _uses(project, module, function, _name(dependency)):
        raise Refused(INJECTED, dependency.function.name)
    if _ends_transaction(module, block, name):
        other = _sharing_dependency(project, module, function, _name(dependency))
        if other is not None:
            raise Refused(SHARED, other[0], because=(other[1],))
    callers = project.calls.callers_of(module, function)
    if callers.sites:
        places = tuple(call_site.place for call_site in callers.sites)
        raise Refused(CALLED, function.name, because=places)
    others = [
        node
        for node in module.walk(function)
        if isinstance(node, ast.Name | ast.arg | FunctionOrLambda)
        and (_name_of(node) == name)
        and not module.span(block).contains(module.span(node))
    ]
    is_parameter = any(argument.arg == name for argument, _ in parameters_of(function.args))
    if others or is_parameter:
        raise Refused(NAME_TAKEN, name)


def _name(dependency: _Given) -> str:
    return f"{dependency.module.name}.{dependency.function.name}"


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
            return name
    return ""


def _written_pair(
    project: Project, site: Site[Function], dependency: _Given
) -> tuple[str, list[Edit]]:
    """Return how the dependency is written in the file of the endpoint. Raises Refused."""
    module, name = site.module, dependency.function.name
    if module.path == dependency.module.path:
        return name, []
    home = dependency.module.name
    written = name_here(module, site.node, name, [home], "")
    if written.needs is None:
        return written.text, []
    if (
        written.text != name
        or project.layout.find(home, module.path).path != dependency.module.path
    ):
        raise Refused(NAME_TAKEN, name)
    return name, [site.need_import(home, name)]


def _ends_transaction(module: Module, block: ast.AST, session: str) -> bool:
    """Whether a block calls a method of the variable ``session`` that concerns all its objects."""
    for call in module.nodes_below(block, ast.Call):
        match call.func:
            case ast.Attribute(attr=method) if method in _ENDING:
                return True
            case ast.Attribute(value=ast.Name(id=owner), attr=method) if owner == session:
                if method in _CLOSING:
                    return True
    return False


def _uses(project: Project, module: Module, endpoint: Function, provider: str) -> bool:
    """Whether the body of an endpoint reads a parameter that gets what ``provider`` yields.

    ``provider`` is a qualified name.
    """
    names = {
        node.id for statement in endpoint.body for node in module.nodes_below(statement, ast.Name)
    }
    return any(
        _has(project, project.injections.of_parameter(module, parameter, default), provider)
        for parameter, default in parameters_of(endpoint.args)
        if parameter.arg in names
    )


def _sharing_dependency(
    project: Project, module: Module, endpoint: Function, provider: str
) -> tuple[str, Place] | None:
    """Return a dependency of an endpoint that uses the session which ``provider`` yields.

    ``provider`` is a qualified name. The result is a name and a place; None if no visible one does.
    """
    providers = [*project.injections.of_function(module, endpoint), *_of_all_routes(project)]
    for home, function in project.web.endpoints.depended_on(providers):
        if _has(project, project.injections.of_function(home, function), provider):
            return function.name, home.place(function)
    return None


def _has(project: Project, providers: Iterable[Provider], name: str) -> bool:
    return any(project.qualified_name(*provider) == name for provider in providers)


def _of_all_routes(project: Project) -> Iterator[Provider]:
    """Yield the dependencies that applications and routers give to their endpoints."""
    for module, node in nodes_with(project, (b"dependencies",), ast.keyword):
        if node.arg != "dependencies":
            continue
        if isinstance(module.statement_of(node), ast.Assign | ast.Expr):
            yield from project.injections.providers_below(module, node.value)
