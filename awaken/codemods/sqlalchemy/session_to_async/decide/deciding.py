"""The components of a program that become asynchronous, and their engines.

The sources of sessions: only those that the program makes become asynchronous with it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.components.engines.beside import twins_of
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    Component,
    Components,
    Found,
    Placed,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import (
    Piece,
    node_of_piece,
    piece_around,
    piece_of,
)
from awaken.codemods.sqlalchemy.session_to_async.decide.links import Links
from awaken.codemods.sqlalchemy.session_to_async.find.idle import is_uncalled
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    FOREIGN_SESSION,
    UNCALLED,
    UNUSED_SESSION,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.resource_names import (
    NAMES,
    SESSION_OF_OBJECT,
)
from awaken.contract import Constraints, Reason
from awaken.kit.changes import Member, connected_groups
from awaken.kit.sites import Refused, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_none, last_name, parameters_of
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation


def makes_session(site: Site[ast.AST]) -> bool:
    """Whether a name of the synchronous side is called to make an object."""
    return site.module.call_of(site.node) is not None


def finds_session(module: Module, piece: Piece) -> bool:
    """Whether a function asks in which session an object is."""
    node = module.function_at(piece.start)
    for part in () if node is None else module.walk(node):
        match part:
            case ast.Call(func=called) if last_name(called) == "object_session":
                return True
            case ast.Attribute(attr="session", value=ast.Call(func=called)):
                if last_name(called) in {"inspect", "instance_state"}:
                    return True
    return False


def given_by(
    part: SynchronousPart, pieces: Collection[Piece], taking: Collection[Piece]
) -> Piece | None:
    """Return a function of ``pieces`` that passes on what it is not given as a session itself.

    ``taking`` are the functions with a parameter that is annotated as one.
    """
    graph = part.project.calls.graph()
    for piece in sorted(taking):
        for call in graph.callers(FunctionPlace(*piece)):
            giver = piece_of(call.caller)
            is_method = "." in giver.name.rpartition("<locals>.")[2]
            if giver in pieces and giver not in taking and not is_method:
                return giver
    return None


def takes_session(site: Site[ast.AST]) -> bool:
    """Whether a name of the synchronous side annotates a parameter."""
    return any(isinstance(ancestor, ast.arg) for ancestor in site.module.ancestors(site.node))


def why_unasked(project: Project, site: Site[ast.AST]) -> Reason:
    """Return why a session comes from elsewhere that a name of the synchronous side annotates.

    Nothing has to be done where its function never uses the parameter, or nothing calls it.
    """
    above = list(site.module.ancestors(site.node))
    parameter = next((node for node in above if isinstance(node, ast.arg)), None)
    function = next((node for node in above if isinstance(node, Function)), None)
    if parameter is None or function is None:
        return FOREIGN_SESSION
    names = site.module.nodes_below(function, ast.Name)
    if parameter.arg not in {name.id for name in names}:
        return UNUSED_SESSION
    return UNCALLED if is_uncalled(project, site.module, function) else FOREIGN_SESSION


def injected_from_outside(
    project: Project, piece: Piece, inside: Collection[Piece]
) -> Iterator[Refused]:
    """Yield why a function, or an alias, gets its session from code that is not ``inside``."""
    module = project.module(piece.path)
    node = None if module is None else node_of_piece(module, piece)
    part = node.args if isinstance(node, Function) else None if piece.name else node
    if module is None or part is None:
        return
    for provider in _providers(project, module, part):
        known = project.values.of(module, provider).alternatives
        pieces = {
            piece_around(item.module, item.node) for item in known if isinstance(item, FunctionOf)
        }
        # FastAPI cannot make what `Depends(None)` injects: nothing runs such a function.
        if pieces.isdisjoint(inside) and not is_none(provider):
            shown, help_text = module.excerpt(provider), _help(project, module, provider)
            because = (module.place(provider),)
            yield Refused(FOREIGN_SESSION, f"`{shown}`", help_text, because=because)


def _help(project: Project, module: Module, provider: ast.expr) -> str:
    """Return the cure where a file of the program is imported from an unread folder."""
    name = (project.qualified_name(module, provider) or "").rpartition(".")[0]
    folder = project.layout.package_with(name, module.path) if name else ""
    if not folder or project.layout.find(name, module.path).path is not None:
        return ""
    return (
        f"`{name}` is a file in `{folder}`, which is a package and not on `sys.path`. If the "
        f'program starts in that folder, set `src = ["{folder}"]`.'
    )


def _providers(project: Project, module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what is injected for what is annotated as a session."""
    if not isinstance(node, ast.arguments):
        parts = [node] if _names_session(project, module, node) else []
    else:
        parts = [
            part
            for parameter, default in parameters_of(node)
            if parameter.annotation is not None and _names_session(project, module, parameter)
            for part in (parameter.annotation, default)
            if part is not None
        ]
    for part in parts:
        yield from (provider for _, provider in project.injections.providers_below(module, part))


def _names_session(project: Project, module: Module, node: ast.AST) -> bool:
    return any(
        project.qualified_name(module, part) in NAMES
        for part in module.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
    )


class Judge:
    """Judges the components of one program; ``wanted`` is the only one that is asked for."""

    def __init__(
        self, part: SynchronousPart, found: Found, components: Components, wanted: str
    ) -> None:
        self._part = part
        self._project = part.project
        self._components = components
        self._wanted = wanted
        self._waiting = {piece_of(step) for step in part.steps if step.start >= 0}
        self._resources = {member.site.id for member, _ in found.resources}
        self._finding = {one.site.id for one, name in found.resources if name == SESSION_OF_OBJECT}

    def judge(self, component: Component) -> None:
        """Say of a component what it is."""
        self._refuse_foreign(component)
        operations = list(self._operations(component))
        component.makes_tables = bool(operations) and {one.how for one in operations} == {"schema"}
        component.loads_objects = self._loads_objects(component, operations)
        component.is_carried = not (self._waits(component) and self._makes_sessions(component))
        component.finds_sessions = self._waits(component) and self._finds_sessions(component)
        component.is_wanted = component.is_named = not self._wanted or self._is_named(component)

    def _waits(self, component: Component) -> bool:
        """Whether functions of a component become coroutine functions."""
        return not self._waiting.isdisjoint(component.pieces)

    def _resource_members(self, component: Component) -> list[Member]:
        """Return the members that are names of the synchronous side."""
        return [member for member in component.members if member.site.id in self._resources]

    def _makes_sessions(self, component: Component) -> bool:
        """Whether a component makes the sessions or connections that it waits for."""
        used = self._components.used_by([component], with_unused=False)
        making = (
            item for item in self._resource_members(component) if item.site.id not in self._finding
        )
        return bool(used) or any(makes_session(member.site) for member in making)

    def _finds_sessions(self, component: Component) -> bool:
        """Whether a component asks objects for their sessions."""
        waiting = (piece for piece in component.pieces if piece in self._waiting)
        return any(finds_session(*pair) for pair in self._project.with_modules(waiting))

    def _refuse_foreign(self, component: Component) -> None:
        """Refuse the functions that are given sessions which the component does not make."""
        pieces = set(component.pieces)
        named = self._resource_members(component)
        taking = {piece_with(candidate) for candidate in named if takes_session(candidate.site)}
        none_waits = not self._waits(component)
        # Where nothing else changes, annotations are left alone.
        is_named = none_waits and len(named) == len(component.members)
        is_made = self._makes_sessions(component) or not (
            is_named or given_by(self._part, pieces, taking)
        )
        for number, member in enumerate(component.members):
            piece = piece_with(member)
            if isinstance(member.outcome, Refused):
                continue
            refused = next(injected_from_outside(self._project, piece, pieces), None)
            is_function = member.site.module.span(member.site.node).start == piece.start
            if refused is None and not is_made and (none_waits or is_function):
                why = why_unasked(self._project, member.site) if is_named else FOREIGN_SESSION
                refused = Refused(why, "its callers")
            if refused is not None and (none_waits or is_function):
                component.members[number] = structs.replace(member, outcome=refused)

    def _operations(self, component: Component) -> Iterator[Operation]:
        for module, piece in self._project.with_modules(component.pieces):
            function = module.function_at(piece.start)
            for item in self._part.operations_of(module, self._part.place_of(module, function)):
                if function is not None or piece_around(module, item.node) == piece:
                    yield item

    def _loads_objects(self, component: Component, operations: Collection[Operation]) -> bool:
        used = self._components.used_by([component], with_unused=False)
        resources = {operation.resource for operation in operations}
        return (
            bool(used)
            or not resources
            or not resources <= {"engine", "connection"}
            or any(takes_session(member.site) for member in self._resource_members(component))
        )

    def _is_named(self, component: Component) -> bool:
        """Whether a component holds the module or the function that is wanted."""
        for piece in component.pieces:
            module = self._project.module(piece.path)
            home = "" if module is None else module.name
            name = f"{home}.{piece.name}"
            is_end = f".{name}.".endswith(f".{self._wanted}.")
            if is_end or f"{name}.".startswith(f"{self._wanted}."):
                return True
        return False


def decided_components(
    part: SynchronousPart, found: Found, constraints: Constraints, wanted: str
) -> Components:
    """Return the components of a program, each with the reasons against it.

    ``wanted`` is a module or a function: only what belongs together with it is asked for.
    """
    placed = Placed(part.project, found)
    twins = twins_of(part.project, placed.shared, placed.made)
    components = Components(placed, _gathered_components(part, placed), twins)
    components.add(found.loading)
    judge = Judge(part, found, components, wanted)
    for component in components.all:
        judge.judge(component)
        others = components.everywhere if component.loads_objects else ()
        component.stopping = _members_against((*component.members, *others), constraints)
    # A name that nothing has is most likely misspelt.
    components.unnamed = "" if any(candidate.is_wanted for candidate in components.all) else wanted
    for name, members in components.made.items():
        components.unmade[name] = _members_against(members, constraints)
        for component in components.users(name) if components.unmade[name] else ():
            component.stopping += components.unmade[name]
    _stop_where_sessions_are_found(components)
    _stop_what_is_carried(components)
    _stop_dependents(components)
    return components


def _gathered_components(part: SynchronousPart, placed: Placed) -> list[Component]:
    """Return what belongs together, in the order of the first piece of each."""
    links = Links(part, placed.by_piece, placed.shared)
    joined = [*links.links, *placed.linked_pieces()]
    # Members that are no piece themselves come last: the order of pieces is that of places.
    others = {key: None for link in joined for key in link if not isinstance(key, Piece)}
    components: list[Component] = []
    for group in connected_groups([*sorted(links.pieces), *others], joined):
        inside = [candidate for candidate in group if isinstance(candidate, Piece)]
        members = [member for piece in inside for member in placed.by_piece.get(piece, ())]
        if inside:
            components.append(Component(inside, members))
    return components


def _members_against(members: Iterable[Member], constraints: Constraints) -> list[Member]:
    """Return the members that block a change: refused ones, and those left out."""
    return [
        member
        for member in members
        if isinstance(member.outcome, Refused) or member.site.id in constraints.excluded
    ]


def _stop_where_sessions_are_found(components: Components) -> None:
    """Stop all that loads objects if something stays that asks these for their sessions."""
    stopped = [item for item in components.all if item.finds_sessions and not item.converts]
    for component in components.all if stopped else ():
        if component.loads_objects and component not in stopped:
            _stop_with(component, stopped)


def _stop_what_is_carried(components: Components) -> None:
    """Stop what makes no session of its own where something that does stays synchronous.

    If nothing makes one, what is given sessions from elsewhere speaks for all.
    """
    making = [each for each in components.all if not each.is_carried]
    stopped = [
        each
        for each in making or components.all
        if not each.converts and not _makes_only_tables(components, each)
    ]
    if not making:
        stopped = [item for item in stopped if any(map(_is_given_elsewhere, item.stopping))]
    if not stopped:
        return
    numbers = {id(item) for item in stopped}
    for component in components.all:
        if component.is_carried and id(component) not in numbers:
            _stop_with(component, stopped)


def _stop_with(component: Component, stopped: Iterable[Component]) -> None:
    """Stop a component for the reasons for which others are."""
    for item in stopped:
        component.stopping += item.stopping
        component.is_wanted = component.is_wanted and item.is_wanted


def _makes_only_tables(components: Components, component: Component) -> bool:
    """Whether a component has only engines, and no function gets a session of them."""
    used = components.used_by([component], with_unused=False)
    return component.makes_tables and all(components.shared[name].is_engine for name in used)


def _is_given_elsewhere(member: Member) -> bool:
    return isinstance(member.outcome, Refused) and member.outcome.reason == FOREIGN_SESSION


def _stop_dependents(components: Components) -> None:
    """Stop tests that use the engine of what stays synchronous, or if all of that does."""
    others = [candidate for candidate in components.all if not candidate.is_for_others]
    stopped = [
        (one, components.used_by([one], with_unused=False)) for one in others if not one.converts
    ]
    for component in components.all if stopped else ():
        if not component.is_for_others:
            continue
        names, is_all = (
            components.used_by([component], with_unused=False),
            len(stopped) == len(others),
        )
        _stop_with(component, [item for item, used in stopped if is_all or used & names])
