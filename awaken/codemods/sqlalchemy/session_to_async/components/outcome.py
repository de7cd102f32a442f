"""What becomes of components: changes of those that convert, and what stops the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.components.beside import Beside
from awaken.codemods.sqlalchemy.session_to_async.components.component import (
    Component,
    Components,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.suites.settings import test_settings
from awaken.contract import Constraints, Finding, InsertStatements, Place
from awaken.kit.changes import Decided, Member, connected, decide_group
from awaken.kit.sites import Refused, Rewrite
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart

_SHOWN = 5
"""How many of the functions that stop a component a finding leads to."""


class Outcome:
    """Makes findings and changes of the components of one program."""

    def __init__(
        self, part: SynchronousPart, rule: str, components: Components, constraints: Constraints
    ) -> None:
        self._part = part
        self._project = part.project
        self._rule = rule
        self._components = components
        self._constraints = constraints

    def decided(self) -> Iterator[Decided]:
        """Yield the findings, and a change for each group of components that share something."""
        seen: set[str] = set()
        for one in self._decided():
            # What stops several components is said of each of them.
            changes = tuple(change for change in one.changes if change.id not in seen)
            seen.update(change.id for change in changes)
            yield Decided(one.findings, changes)

    def _decided(self) -> Iterator[Decided]:
        beside = Beside(self._project, self._rule, self._components.beside)
        for group in self._groups():
            members = [member for one in group for member in one.members]
            names = self._components.used_by(group)
            pieces = [piece for one in group for piece in one.pieces]
            for name in sorted(names & self._components.in_place):
                members += self._rebound(beside, name, pieces)
            making = {name: self._components.making(name, pieces) for name in self._components.made}
            members = beside.joined(members, pieces, making)
            if members:
                members = _once(self._with_settings(members))
                decided = decide_group(members, self._constraints, reasons.BESIDE_ANOTHER)
                yield _told(decided, members)
        left: set[str] = set()
        everywhere = (
            []
            if any(one.converts for one in self._components.all)
            else list(self._components.everywhere)
        )
        for one in self._components.all:
            if not one.converts:
                members, names = [*one.members, *everywhere], self._components.used_by([one])
                members += [
                    each
                    for name in sorted(names - self._components.in_place - left)
                    for each in self._components.making(name, ())
                ]
                left |= names
                everywhere = []
                yield self._left_alone(one, members)

    def _groups(self) -> list[list[Component]]:
        """Return the components that convert, in one list those that share something."""
        converting = [number for number, one in enumerate(self._components.all) if one.converts]
        links = [
            (number, ("shared", name))
            for number in converting
            for name in self._components.used_by([self._components.all[number]])
        ]
        if self._components.everywhere:
            links += [(number, ("shared", "")) for number in converting]
        links += [
            (number, ("written", edit.path))
            for number in converting
            for edit in self._inserted(self._components.all[number])
        ]
        keys = [*converting, *dict.fromkeys(key for _, key in links)]
        groups = connected(keys, links)
        found = [
            [self._components.all[one] for one in each if isinstance(one, int)] for each in groups
        ]
        if self._components.everywhere and found:
            found[0][0].members += self._components.everywhere
        return [each for each in found if each]

    def _inserted(self, component: Component) -> Iterator[InsertStatements]:
        making = (self._components.made[name] for name in self._components.used_by([component]))
        for member in chain(component.members, *making):
            for edit in member.outcome.edits if isinstance(member.outcome, Rewrite) else ():
                if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                    yield edit

    def _with_settings(self, members: Sequence[Member]) -> list[Member]:
        """Return the members; the first function carries what the tests among them need."""
        found = list(members)
        functions = {(one.path, one.start) for one in self._part.steps}
        pieces = [piece_with(one) for one in members]
        changed = [one for one in pieces if (one.path, one.start) in functions]
        if not any(is_test_file(one.path) for one in changed):
            return found
        for number, (member, piece) in enumerate(zip(members, pieces, strict=True)):
            if piece in changed and isinstance(member.outcome, Rewrite):
                settings = test_settings(self._part, member.site.id)
                edits = [*member.outcome.edits, *settings]
                outcome = dataclasses.replace(member.outcome, edits=edits)
                found[number] = dataclasses.replace(member, outcome=outcome)
                break
        return found

    def _rebound(self, beside: Beside, name: str, pieces: Collection[Piece]) -> list[Member]:
        edits = beside.rebound(self._components.shared[name])
        first, *others = self._components.making(name, pieces)
        if edits and isinstance(first.outcome, Rewrite):
            outcome = dataclasses.replace(first.outcome, edits=[*first.outcome.edits, *edits])
            first = dataclasses.replace(first, outcome=outcome)
        return [first, *others]

    def _left_alone(self, component: Component, members: Sequence[Member]) -> Decided:
        # What stops several parts of a component stands there once for each.
        once = {one.site.id: one for one in component.stopping}.values()
        stopping = sorted(once, key=lambda one: one.site.place)
        refused = [one for one in stopping if isinstance(one.outcome, Refused)]
        if stopping and not refused:
            # Only sites that are left out stop it: they keep what would become of them.
            others = [one for one in stopping if one not in members]
            every = [*members, *others]
            return decide_group(every, self._constraints, reasons.BESIDE_ANOTHER)
        if not stopping:
            return Decided(tuple(one.site.refused(_not_asked(one)) for one in members))
        findings: list[Finding] = []
        for one in members:
            if isinstance(one.outcome, Refused):
                findings.append(one.site.refused(one.outcome))
                continue
            way = one.outcome.related
            findings.append(one.site.refused(_because(refused, way)))
        return Decided(tuple(findings))


def _because(stopping: Sequence[Member], way: tuple[Place, ...] = ()) -> Refused:
    """Return what the others of a component say: the first that stops them, and how many do.

    ``way`` leads to what a function waits for.
    """
    first, *others = dict.fromkeys(one.shown for one in stopping)
    detail = first if not others else f"{first} and {len(others)} more"
    places = tuple(_noted(one) for one in stopping[:_SHOWN])
    return Refused(reasons.BESIDE_ANOTHER, detail, because=(*way, *places))


def _told(decided: Decided, members: Iterable[Member]) -> Decided:
    """Return each finding with what becomes of its own site, and the way to what it waits for."""
    outcomes = {one.site.id: one.outcome for one in members}
    findings: list[Finding] = []
    for finding in decided.findings:
        outcome = outcomes[finding.site]
        if finding.change is None or not isinstance(outcome, Rewrite):
            findings.append(finding)
            continue
        related = outcome.related or finding.related
        findings.append(structs.replace(finding, message=outcome.said, related=related))
    return Decided(tuple(findings), decided.changes)


def _noted(member: Member) -> Place:
    place = member.site.place
    note = member.outcome.message if isinstance(member.outcome, Refused) else ""
    return Place(place.path, place.span, note)


def _not_asked(member: Member) -> Refused:
    if isinstance(member.outcome, Refused):
        return member.outcome
    return Refused(reasons.OTHER_COMPONENT)


def _once(members: Iterable[Member]) -> list[Member]:
    """Return members of which no two insert the same statements below the imports of a file."""
    seen: set[tuple[str, object]] = set()
    found: list[Member] = []
    for one in members:
        if not isinstance(one.outcome, Rewrite):
            found.append(one)
            continue
        edits = []
        for edit in one.outcome.edits:
            if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                key = (edit.path, edit.data)
                if key in seen:
                    continue
                seen.add(key)
            edits.append(edit)
        outcome = dataclasses.replace(one.outcome, edits=edits)
        found.append(dataclasses.replace(one, outcome=outcome))
    return found
