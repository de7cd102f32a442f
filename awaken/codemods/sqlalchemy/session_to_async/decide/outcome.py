"""The outcome of components: the changes of those that convert, and the obstacles of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.components.engines.beside import Beside
from awaken.codemods.sqlalchemy.session_to_async.components.leftover import removed_at_last
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    Component,
    Components,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.outlines import Outlines, Stopping
from awaken.codemods.sqlalchemy.session_to_async.suites.suite_settings import test_settings
from awaken.contract import ChangeId, Constraints, Finding, InsertStatements, Outline, Place
from awaken.kit.changes import (
    Decided,
    Member,
    connected_groups,
    decide_group,
    members_by_site,
)
from awaken.kit.sites import Refused, Rewrite
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart


_CAVEAT = "other tasks run while it waits"


class Outcome:
    """Makes findings and changes of the components of one program."""

    def __init__(
        self,
        part: SynchronousPart,
        rule: str,
        components: Components,
        constraints: Constraints,
        outlines: Outlines,
    ) -> None:
        self._outlines = outlines
        self._part = part
        self._project = part.project
        self._rule = rule
        self._components = components
        self._constraints = constraints

    def decisions(self) -> Iterator[Decided]:
        """Yield the findings, and a change for each group of components that share something."""
        seen: set[ChangeId] = set()
        for decision in self._decisions():
            # A reason that stops several components is reported for each of them.
            changes = tuple(change for change in decision.changes if change.id not in seen)
            seen.update(change.id for change in changes)
            yield Decided(decision.findings, changes, decision.outlines)
        others = tuple(sorted(seen))
        yield from removed_at_last(self._project, self._components, self._constraints, others)

    def _decisions(self) -> Iterator[Decided]:
        twins = self._components.twins
        beside = Beside(self._project, self._rule, self._components.resources_to_copy, twins)
        for group in self._groups():
            members = [member for component in group for member in component.members]
            names = self._components.used_by(group)
            pieces = [piece for component in group for piece in component.pieces]
            in_place = sorted(names & self._components.in_place)
            for name in in_place:
                members += self._rebound(beside, name, pieces)
            making = {name: self._components.making(name, pieces) for name in self._components.made}
            rebound = [self._components.shared[name] for name in in_place]
            members = beside.with_rewrites(members, pieces, making, rebound)
            if members:
                members = _never_safe(_once(self._with_settings(members_by_site(members))))
                decided = decide_group(members, self._constraints, reasons.BESIDE_ANOTHER)
                outlines = self._made_outlines(pieces, members, names, decided)
                yield structs.replace(_told_finding(decided, members), outlines=outlines)
        yield from LeftAlone(self._components, self._constraints, self._outlines).decisions()

    def _made_outlines(
        self,
        pieces: Collection[Piece],
        members: Sequence[Member],
        names: Collection[str],
        decided: Decided,
    ) -> tuple[Outline, ...]:
        """Return the outline of a change; what only changes names needs none."""
        if len(decided.changes) != 1 or not self._outlines.has_functions(pieces):
            return ()
        return (self._outlines.outline_of_change(pieces, members, decided.changes[0].id, names),)

    def _groups(self) -> list[list[Component]]:
        """Return the components that convert, in one list those that share something."""
        converting = [number for number, item in enumerate(self._components.all) if item.converts]
        links = [
            (number, ("shared", name))
            for number in converting
            for name in self._components.used_by([self._components.all[number]])
        ]
        loading = [item for item in converting if self._components.all[item].loads_objects]
        if self._components.everywhere:
            links += [(number, ("shared", "")) for number in loading]
        links += [
            (number, ("written", edit.path))
            for number in converting
            for edit in self._inserted_statements(self._components.all[number])
        ]
        keys = [*converting, *dict.fromkeys(key for _, key in links)]
        groups = connected_groups(keys, links)
        components = [
            [self._components.all[one] for one in each if isinstance(one, int)] for each in groups
        ]
        if loading:
            self._components.all[loading[0]].members += self._components.everywhere
        return [each for each in components if each]

    def _inserted_statements(self, component: Component) -> Iterator[InsertStatements]:
        making = (self._components.made[name] for name in self._components.used_by([component]))
        for member in chain(component.members, *making):
            for edit in member.outcome.edits if isinstance(member.outcome, Rewrite) else ():
                if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                    yield edit

    def _with_settings(self, members: Sequence[Member]) -> list[Member]:
        """Return the members; the first function carries what the tests among them need."""
        result = list(members)
        functions = {(step.path, step.start) for step in self._part.steps}
        pieces = [piece_with(item) for item in members]
        changed = [item for item in pieces if (item.path, item.start) in functions]
        if not any(is_test_file(candidate.path) for candidate in changed):
            return result
        for number, (member, piece) in enumerate(zip(members, pieces, strict=True)):
            if piece in changed and isinstance(member.outcome, Rewrite):
                settings = test_settings(self._part, member.site.id)
                edits = [*member.outcome.edits, *settings]
                outcome = structs.replace(member.outcome, edits=edits)
                result[number] = structs.replace(member, outcome=outcome)
                break
        return result

    def _rebound(self, beside: Beside, name: str, pieces: Collection[Piece]) -> list[Member]:
        edits = beside.rebound(self._components.shared[name])
        first, *others = self._components.making(name, pieces)
        if edits and isinstance(first.outcome, Rewrite):
            outcome = structs.replace(first.outcome, edits=[*first.outcome.edits, *edits])
            first = structs.replace(first, outcome=outcome)
        return [first, *others]


def _never_safe(members: Sequence[Member]) -> list[Member]:
    """Return members of which at least one says what may change."""
    result = list(members)
    outcomes = [member.outcome for member in result]
    if any(isinstance(candidate, Rewrite) and candidate.caveats for candidate in outcomes):
        return result
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Rewrite):
            outcome = structs.replace(outcome, caveats=[_CAVEAT])  # noqa: PLW2901
            result[number] = structs.replace(result[number], outcome=outcome)
            break
    return result


def _told_finding(decided: Decided, members: Iterable[Member]) -> Decided:
    """Return each finding with the outcome of its own site, and the chain to the cause.

    The outline tells of all of them together, so none leads to the others.
    """
    outcomes = {member.site.id: member.outcome for member in members}
    findings: list[Finding] = []
    for finding in decided.findings:
        outcome = outcomes[finding.site]
        if finding.change is None or not isinstance(outcome, Rewrite):
            findings.append(finding)
            continue
        findings.append(
            structs.replace(finding, message=outcome.full_message, related=outcome.related)
        )
    return Decided(tuple(findings), decided.changes)


def _once(members: Iterable[Member]) -> list[Member]:
    """Return members of which no two insert the same statements below the imports of a file."""
    seen: set[tuple[str, object]] = set()
    result: list[Member] = []
    for member in members:
        if not isinstance(member.outcome, Rewrite):
            result.append(member)
            continue
        edits = []
        for edit in member.outcome.edits:
            if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                key = (edit.path, edit.data)
                if key in seen:
                    continue
                seen.add(key)
            edits.append(edit)
        outcome = structs.replace(member.outcome, edits=edits)
        result.append(structs.replace(member, outcome=outcome))
    return result


# --------------------------------------------------------------------------------------- left alone
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
