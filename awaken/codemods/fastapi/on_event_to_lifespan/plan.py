"""The rule: the handlers of each application move together, or none does.

Functions that register all handlers of the applications that they are given.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.composing import compose_lifespan
from awaken.codemods.fastapi.on_event_to_lifespan.lifespan import (
    Lifespan,
    functions_to_enter,
    places_of,
)
from awaken.codemods.fastapi.on_event_to_lifespan.lifespan_edits import edits_of
from awaken.codemods.fastapi.on_event_to_lifespan.obstacles import Obstacles, Owned
from awaken.codemods.fastapi.on_event_to_lifespan.payload import LifespanCode
from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import (
    Constructors,
    Home,
    home_of,
    registrar_of,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Steps, emptied_blocks
from awaken.contract import (
    Change,
    Constraints,
    InsertStatements,
    Phase,
    Place,
    Plan,
    Problem,
)
from awaken.kit.changes import Decided, plan_of, refused_together, rewritten_together
from awaken.kit.imports import imports_here
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.project import Project
from awaken.project.frameworks.web.applications import OF_OTHERS, Application
from awaken.project.frameworks.web.registrations import WORDS, Registration
from awaken.project.frameworks.web.served_applications import ROUTERS
from awaken.project.source.bindings import Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, argument_of, parameters_of

_Key = tuple[str, int]
_METHODS = name_list("registering") | library_names().adding_methods.keys()
_REPEATING = (
    ast.For, ast.AsyncFor, ast.While, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip


class Group(Struct, frozen=True):
    """Applications whose handlers are all registered by one function, which makes none of them."""

    applications: tuple[Application, ...]
    owned: tuple[Owned, ...]
    home: Home


def registrars(groups: Mapping[Application, Sequence[Owned]]) -> Iterator[Group]:
    """Yield the functions that give their applications all of their handlers, and only they do."""
    result: dict[_Key, list[Application]] = {}
    for application, owned in groups.items():
        keys = {_function_of(registration) for registration in owned}
        if len(keys) == 1 and None not in keys:
            result.setdefault(next(iter(keys)) or ("", 0), []).append(application)
    for applications in result.values():
        owned = tuple(dict.fromkeys(group for app in applications for group in groups[app]))
        served = {
            app for registration in owned for app in registration.registration.to.applications
        }
        home = _home(applications[0], owned)
        # One that has handlers from elsewhere too would lose those.
        if home is not None and served == set(applications):
            makes = any(_is_made_in(home, app) for app in applications)
            unknown = any(candidate.registration.to.unknown is not None for candidate in owned)
            if not makes and not unknown:
                yield Group(tuple(applications), owned, home)


def _function_of(owned: Owned) -> _Key | None:
    """Return the function in which a handler is registered."""
    scope = _scope_of(owned.registration)
    if owned.via or not isinstance(scope.node, Function):
        return None
    module = owned.registration.module
    return module.path, module.span(scope.node).start


def _scope_of(registration: Registration) -> Scope:
    node: ast.AST = registration.function or registration.node
    return registration.module.scopes.scope_of(node)


def _is_made_in(home: Home, application: Application) -> bool:
    function = home.function
    if function is None or application.made.path != home.module.path:
        return False
    return home.module.span(function).contains(application.made.span)


def _home(application: Application, owned: Sequence[Owned]) -> Home | None:
    """Return the function, if it calls its application by one name all over."""
    first = min(owned, key=lambda item: item.registration.place.span.start).registration
    receivers = {_receiver(registration.registration) for registration in owned}
    # Nodes differ at each registration; their text tells whether they name one thing.
    texts = {None if node is None else ast.unparse(node) for node in receivers}
    receiver = _receiver(first)
    statement = first.function or first.module.statement_of(first.node)
    if len(texts) != 1 or receiver is None or statement is None:
        return None
    return registrar_of(application, first.module, statement, receiver)


def _receiver(registration: Registration) -> ast.expr | None:
    """Return what is registered on: a name, or an attribute of one."""
    node = registration.node
    while isinstance(node, ast.Call):
        node = node.func
    result: ast.expr | None = node
    # `app.router.on_startup.append(f)` registers on `app`.
    while isinstance(result, ast.Attribute) and result.attr in _METHODS:
        result = result.value
    plain = isinstance(result, ast.Name) or (
        isinstance(result, ast.Attribute) and isinstance(result.value, ast.Name)
    )
    return result if plain else None


class OnEventToLifespan(Rule):
    """Moves the startup and shutdown handlers of an application into its lifespan."""

    name = "on-event-to-lifespan"
    family = "fastapi"
    phase = Phase.LIFESPAN
    decides_by = "file"
    since = "0.1.0"
    triggers = WORDS
    anchors = ((b"fastapi", b"starlette", b"FastAPI", b"Starlette"),)
    # FastAPI takes `lifespan=` from 0.93 on.
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.93"}
    reasons = reasons.ALL
    writers = (f"{__package__}.rewrite",)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per registration, and one change per application."""
        return _Planning(project, constraints, self.name).plan()

    def prove(self, after: Project, changes: Sequence[Change]) -> Iterable[Problem]:
        """Yield what the lifespans would lose: a handler that is left, or a name out of reach."""
        yield from _left_behind(after, changes)
        yield from _out_of_reach(after, changes)


class _Planning:
    """One plan for one project."""

    def __init__(self, project: Project, constraints: Constraints, rule: str) -> None:
        self._project = project
        self._constraints = constraints
        self._rule = rule
        self._taken: dict[str, set[str]] = {}
        self._registrations = project.web.registrations.all
        self._obstacles = Obstacles(project)
        self._constructors = Constructors(project)

    def plan(self) -> Plan:
        decided = list(self._loose())
        groups = self._by_application()
        # Applications that share a registrar get one lifespan, so they are decided first.
        for group in registrars(groups):
            decided.append(self._decide(group.applications, group.owned, group.home))
            for application in group.applications:
                del groups[application]
        for application, owned in groups.items():
            decided.append(self._decide((application,), owned))
        return plan_of(decided)

    def _by_application(self) -> dict[Application, list[Owned]]:
        """Return the registrations of each application, those of its routers included."""
        registrations: dict[Application, list[Owned]] = {}
        for registration in self._registrations:
            for application in registration.to.applications:
                if application.kind not in ROUTERS:
                    registrations.setdefault(application, []).append(Owned(registration))
                    continue
                for root, via in self._project.web.inclusions.roots(application):
                    registrations.setdefault(root, []).append(Owned(registration, via))
        return registrations

    def _loose(self) -> Iterator[Decided]:
        """Yield the registrations whose application is unknown."""
        for registration in self._registrations:
            refused = self._obstacles.of_loose(registration)
            if refused is not None:
                yield refused_together((self._site(registration),), refused)

    def _site(self, registration: Registration) -> Site[ast.AST]:
        return Site(self._rule, registration.module, registration.node)

    def _decide(
        self, applications: Sequence[Application], owned: Sequence[Owned], home: Home | None = None
    ) -> Decided:
        sites = [self._site(item) for item in dict.fromkeys(item.registration for item in owned)]
        try:
            lifespan = self._lifespan(applications, owned, home)
        except Refused as refused:
            return refused_together(sites, refused)
        excluded = self._constraints.excluded.intersection(site.id for site in sites)
        # A lifespan silences the handlers left out: all of them move, or none.
        if excluded:
            return refused_together(sites, Refused(reasons.BESIDE_LEFT_OUT))
        # Two applications of one file must not share a name.
        self._taken.setdefault(lifespan.home.module.path, set()).add(lifespan.name)
        return rewritten_together(sites, _rewrite(lifespan, sites[0]))

    def _lifespan(
        self, applications: Sequence[Application], owned: Sequence[Owned], home: Home | None
    ) -> Lifespan:
        for item in applications:
            self._obstacles.look_at(item, owned, shared=home is not None)
        application = applications[0]
        home = home or home_of(application, self._module(application.made.path))
        if home.call is None:
            _require_one_run(self._project, home, tuple(applications))
        self._constructors.look_at(home)
        steps = Steps(self._project, home)
        result = [
            steps.checked_step(registration.registration, registration.via)
            for registration in owned
        ]
        lifespan = compose_lifespan(
            self._project, home, result, self._taken.get(home.module.path, set())
        )
        names = {"asynccontextmanager": "contextlib", "AsyncIterator": lifespan.iterators}
        for name, origin in names.items():
            if origin:
                taken = Refused(reasons.NAME_TAKEN, name)
                imports_here(home.module, home.statement, name, {origin}, taken)
        for item in applications:
            lifespan.entered += functions_to_enter(self._project, item)
            lifespan.caveats += self._obstacles.caveats(item)
        # `async with` runs the shutdown on errors, where the old calls did not.
        if not all(entry.always for entry in lifespan.entered):
            lifespan.caveats.append("the shutdown now also runs after a failing test")
        lifespan.caveats += self._constructors.caveats(home)
        if home.call is None:
            lifespan.caveats += self._obstacles.caveats_of_registrar(home)
        return lifespan

    def _module(self, path: str) -> Module:
        """Return the file as the registrations know it."""
        # Nodes are compared by identity, so both must come from one tree.
        known = next((one.module for one in self._registrations if one.module.path == path), None)
        module = known or self._project.module(path)
        if module is None:
            raise Refused(reasons.NO_PLACE, path)
        return module


def _rewrite(lifespan: Lifespan, first: Site[ast.AST]) -> Rewrite:
    edits = tuple(edits_of(lifespan, first.id))
    caveats = tuple(dict.fromkeys(lifespan.caveats))
    return Rewrite(_message(lifespan), edits, caveats, tuple(_related_places(lifespan)))


def _related_places(lifespan: Lifespan) -> Iterator[Place]:
    """Yield the other edits, apart from the registrations."""
    home = lifespan.home
    note = "the application is created here" if home.call is not None else ""
    yield home.module.place(home.statement, note)
    for entry in lifespan.entered:
        yield from places_of(entry)
    for block in emptied_blocks(lifespan.steps):
        yield home.module.place(block, "this block becomes empty")
    for step in lifespan.steps:
        if step.provider is not None:
            span = home.module.span(step.provider)
            yield Place(home.module.path, span, "this call registers the handler")


def _message(lifespan: Lifespan) -> str:
    number = len(lifespan.steps)
    what = "the handler moves" if number == 1 else f"the {number} handlers move"
    owner = f"`{lifespan.home.variable}`" if lifespan.home.variable else "the application"
    return f"{what} into the lifespan of {owner}"


def _left_behind(after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield every handler that is left on an application that has a lifespan."""
    files = {path for change in changes for path in change.paths}
    guilty = tuple(change.id for change in changes)
    registrations = after.web.registrations
    moved = {item.made for lifespan in registrations.lifespans for item in lifespan.to.applications}
    for registration in registrations.all:
        made = {application.made for application in registration.to.applications}
        # Earlier problems of other files are not the fault of these changes.
        if made & moved and files & {registration.place.path, *(place.path for place in made)}:
            what = "a handler remains on an application that has a lifespan"
            yield Problem(Place(registration.place.path, registration.place.span), what, guilty)


def _out_of_reach(after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield every name that a new lifespan calls, and that is undefined in its place."""
    for change in changes:
        for edit in change.edits:
            if isinstance(edit, InsertStatements) and isinstance(edit.data, LifespanCode):
                module = after.module(edit.path)
                for name, place in _unbound(module, edit.data) if module is not None else ():
                    what = f"the lifespan would not find `{name}`"
                    yield Problem(place, what, (change.id,))


def _unbound(module: Module, code: LifespanCode) -> Iterator[tuple[str, Place]]:
    names = _names(code) - set(dir(builtins))
    # A star import may bind any name.
    if module.scopes.import_stars:
        return
    for function in module.functions:
        if function.name == code.name:
            scope = module.scopes.scope_made_by(function)
            place = module.place(function)
            for name in sorted(names):
                if module.scopes.owner(name, scope) is None:
                    yield name, place


def _names(code: LifespanCode) -> set[str]:
    """Return the names in the calls of handlers, and in their conditions.

    Bodies that moved read what they read before.
    """
    parts = [part for part in (*code.startup, *code.shutdown) if not part.is_body]
    trees = [ast.parse(text, filename="") for part in parts for text in (part.code, part.condition)]
    inside = [node for tree in trees for node in ast.walk(tree)]
    # Comprehensions in a moved lambda bind names of their own.
    names = [node for node in inside if isinstance(node, ast.Name)]
    return {node.id for node in names} - {
        node.id for node in names if isinstance(node.ctx, ast.Store)
    }


class _Again(Exception):
    """A function may run again for the application; ``args[0]`` is the place that says so."""


def _require_one_run(project: Project, home: Home, applications: tuple[Application, ...]) -> None:
    """Refuse the function ``home`` if it may run again for one of ``applications``.

    Each run registers its handlers once more, and a lifespan would replace that of the run before.
    """
    function = home.function
    for application in applications if function is not None else ():
        try:
            _Runs(project, application).look_at(home.module, function, home.variable)
        except _Again as again:
            (place,) = again.args
            raise Refused(reasons.RUNS_AGAIN, home.scope_name, because=(place,)) from None


class _Runs:
    """Follows a function to those that call it, up to where the application is made."""

    def __init__(self, project: Project, application: Application) -> None:
        self._project = project
        self._application = application
        self._seen: set[tuple[str, int]] = set()

    def look_at(self, module: Module, function: Function | None, name: str) -> None:
        """Raise _Again if ``function``, which calls the application ``name``, may run again."""
        if function is None:
            return
        key = module.key_of(function)
        callers = self._project.calls.callers_of(module, function)
        hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
        if key in self._seen or hidden:
            raise _Again(hidden[0].place if hidden else module.place(function))
        self._seen.add(key)
        parameter = _parameter(function, name)
        calls = [
            (other, call, argument)
            for site in callers.sites
            for other, call in self._project.calls_at(site.place)
            for argument in [
                argument_of(call, function, parameter, site.bound) if parameter else None
            ]
            if self._may_be(other, argument)
        ]
        if len(calls) > 1:
            raise _Again(calls[1][0].place(calls[1][1]))
        for other, call, argument in calls:
            self._look_at_call(other, call, argument)

    def _may_be(self, module: Module, argument: ast.expr | None) -> bool:
        if argument is None:
            return True
        owners = self._project.web.applications.applications_of(module, argument)
        return self._application in owners.applications or owners.unknown is not None

    def _look_at_call(self, module: Module, call: ast.Call, argument: ast.expr | None) -> None:
        """Look for loops around the only call, and go on to the function that makes it."""
        made = self._application.made
        function: Function | None = None
        for around in module.ancestors(call):
            if isinstance(around, Function):
                function = around
                break
            # Each round makes an application of its own, if it makes one.
            is_outside = made.path != module.path or not module.span(around).contains(made.span)
            if isinstance(around, _REPEATING) and is_outside:
                raise _Again(module.place(call))
        if function is not None and not self._is_made_in(module, function, argument):
            self.look_at(module, function, argument.id if isinstance(argument, ast.Name) else "")

    def _is_made_in(self, module: Module, function: Function, argument: ast.expr | None) -> bool:
        """Whether each run of ``function`` has another application: one that it makes or gets."""
        made = self._application.made
        if made.path == module.path and module.span(function).contains(made.span):
            return True
        bindings = module.scopes.bindings_of(argument)
        return any(
            item.scope.node is function and isinstance(item.value, ast.Call) for item in bindings
        )


def _parameter(function: Function, name: str) -> ast.arg | None:
    return next((node for node, _ in parameters_of(function.args) if node.arg == name), None)
