"""What is to be said of one component by itself: where its sessions come from, what stops it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.component import (
    Component,
    Components,
    Found,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.pieces import piece_around, piece_of
from awaken.codemods.sqlalchemy.session_to_async.components.sources import (
    given_by,
    injected_from_outside,
    makes_session,
    takes_session,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import FOREIGN_SESSION
from awaken.kit.changes import Member
from awaken.kit.sites import Refused

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart


class Judge:
    """Judges the components of one program; ``wanted`` is the only one that is asked for."""

    def __init__(
        self, part: SynchronousPart, found: Found, components: Components, wanted: str
    ) -> None:
        self._part = part
        self._project = part.project
        self._components = components
        self._wanted = wanted
        self._waiting = {piece_of(one) for one in part.steps if one.start >= 0}
        self._resources = {member.site.id for member, _ in found.resources}

    def judge(self, component: Component) -> None:
        """Say of a component what it is."""
        self._refuse_foreign(component)
        component.makes_tables = self._only_makes_tables(component)
        component.is_carried = not (self._waits(component) and self._makes_sessions(component))
        component.is_wanted = not self._wanted or self._is_named(component)

    def _waits(self, component: Component) -> bool:
        """Whether functions of a component become coroutine functions."""
        return not self._waiting.isdisjoint(component.pieces)

    def _named(self, component: Component) -> list[Member]:
        """Return the members that are names of the synchronous side."""
        return [one for one in component.members if one.site.id in self._resources]

    def _makes_sessions(self, component: Component) -> bool:
        """Whether a component makes the sessions or connections that it waits for."""
        used = self._components.used_by([component], with_unused=False)
        return bool(used) or any(makes_session(one.site) for one in self._named(component))

    def _refuse_foreign(self, component: Component) -> None:
        """Refuse the functions that are given sessions which the component does not make."""
        pieces = set(component.pieces)
        named = self._named(component)
        taking = {piece_with(one) for one in named if takes_session(one.site)}
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
                refused = Refused(FOREIGN_SESSION, "those who call it")
            if refused is not None and (none_waits or is_function):
                component.members[number] = dataclasses.replace(member, outcome=refused)

    def _only_makes_tables(self, component: Component) -> bool:
        found = [
            operation.how
            for piece in component.pieces
            for module in (self._project.module(piece.path),)
            if module is not None
            for function in (module.function_at(piece.start),)
            for operation in self._part.operations_of(module, self._part.place_of(module, function))
            if function is not None or piece_around(module, operation.node) == piece
        ]
        return bool(found) and set(found) == {"schema"}

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
