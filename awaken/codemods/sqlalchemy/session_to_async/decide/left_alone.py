"""Components that stay synchronous: what is said of each site, and what stops them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    Component,
    Components,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.outlines.effect_lines import Outlines, Stopping
from awaken.contract import Constraints, Finding, Place
from awaken.kit.changes import Decided, Member, connected_groups, decide_group
from awaken.kit.sites import Refused

_NOT_ASKED = Refused(reasons.OTHER_COMPONENT)
_SHOWN = 5
"""How many of the functions that stop a component a finding leads to."""


class LeftAlone:
    """Says of the components of one program that stay synchronous what stops them."""

    def __init__(
        self, components: Components, constraints: Constraints, outlines: Outlines
    ) -> None:
        self._components = components
        self._constraints = constraints
        self._outlines = outlines

    def decisions(self) -> Iterator[Decided]:
        """Yield the findings, and the outlines of components that the same members stop."""
        if self._components.unnamed:
            sites = [member.site.id for item in self._components.all for member in item.members]
            yield Decided(
                (),
                outlines=(self._outlines.outline_without_members(self._components.unnamed, sites),),
            )
        for group in self._groups():
            if not any(component.is_named for component, _ in group):
                # Nobody asked for them, so what stops them is nobody's business.
                members = [member for _, each in group for member in each]
                yield Decided(tuple(member.site.refusal(_NOT_ASKED) for member in members))
                continue
            pieces = [piece for item, _ in group for piece in item.pieces]
            result = {each.site.id: each for item, _ in group for each in item.stopping}
            stopping = self._outlines.stopping(pieces, result.values())
            for component, members in group:
                yield self._decision_of(component, members, stopping)
            if stopping and self._outlines.has_functions(pieces):
                members = [member for _, each in group for member in each]
                yield Decided(
                    (), outlines=(self._outlines.outline_of_obstacles(pieces, members, stopping),)
                )

    def _groups(self) -> Iterator[list[tuple[Component, list[Member]]]]:
        """Yield the components that stay, in groups of one outline each."""
        left = list(self._left_pairs())
        links = [
            (number, member.site.id)
            for number, (component, _) in enumerate(left)
            for member in component.stopping
        ]
        keys = [*range(len(left)), *dict.fromkeys(key for _, key in links)]
        for group in connected_groups(keys, links):
            inside = [left[candidate] for candidate in group if isinstance(candidate, int)]
            if inside:
                yield inside

    def _left_pairs(self) -> Iterator[tuple[Component, list[Member]]]:
        components = self._components
        seen: set[str] = set()
        loading = [candidate for candidate in components.all if candidate.loads_objects]
        everywhere = [] if any(item.converts for item in loading) else list(components.everywhere)
        for component in components.all:
            if not component.converts:
                names = components.used_by([component])
                members = list(component.members)
                if component.loads_objects:
                    members += everywhere
                    everywhere = []
                for name in sorted(names - components.in_place - seen):
                    members += components.making(name, ())
                seen |= names
                yield component, members

    def _decision_of(
        self, component: Component, members: Sequence[Member], group: Sequence[Stopping]
    ) -> Decided:
        own = {item.site.id for item in component.stopping}
        stopping = [obstacle for obstacle in group if obstacle.member.site.id in own]
        if component.stopping and not stopping:
            # Only sites that are left out stop it: they keep their own verdicts. A reason that
            # stops several parts of a component occurs once for each.
            once = {item.site.id: item for item in component.stopping}.values()
            others = [candidate for candidate in once if candidate not in members]
            every = [*members, *others]
            return decide_group(every, self._constraints, reasons.BESIDE_ANOTHER)
        if not stopping:
            return Decided(tuple(item.site.refusal(_not_asked(item)) for item in members))
        findings: list[Finding] = []
        nearest = _nearest(stopping)
        # Of a site that is decided twice, the last finding counts: what is said against it.
        for member in sorted(members, key=lambda item: isinstance(item.outcome, Refused)):
            if isinstance(member.outcome, Refused):
                findings.append(member.site.refusal(member.outcome))
            else:
                near = nearest.get(piece_with(member), ())
                because = _because(member.outcome.related, near, stopping)
                findings.append(member.site.refusal(because))
        return Decided(tuple(findings))


def _because(
    way: tuple[Place, ...], near: Sequence[Stopping], stopping: Sequence[Stopping]
) -> Refused:
    """Return what a site says that others stop: which stops most of all, and how many do.

    ``way`` leads to what its function waits for; those ``near``, which stop that function, come
    first.
    """
    shown = {obstacle.member.shown for obstacle in stopping}
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    known = {id(obstacle) for obstacle in near}
    others = [obstacle for obstacle in stopping[: _SHOWN + len(near)] if id(obstacle) not in known]
    places = tuple(map(_noted_place, [*near, *others][:_SHOWN]))
    detail = f"{stopping[0].member.shown}{more}"
    return Refused(reasons.BESIDE_ANOTHER, detail, because=(*way, *places))


def _nearest(stopping: Sequence[Stopping]) -> dict[Piece, list[Stopping]]:
    """Return the first sites that stop each function."""
    obstacles: dict[Piece, list[Stopping]] = {}
    for obstacle in stopping:
        for piece in obstacle.reach:
            near = obstacles.setdefault(piece, [])
            if len(near) < _SHOWN:
                near.append(obstacle)
    return obstacles


def _noted_place(stopping: Stopping) -> Place:
    place = stopping.member.site.place
    return Place(place.path, place.span, stopping.refused.message)


def _not_asked(member: Member) -> Refused:
    if isinstance(member.outcome, Refused):
        return member.outcome
    return _NOT_ASKED
