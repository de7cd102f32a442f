"""What becomes of components: each is rewritten whole, or left alone with what stops it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.components.beside import Beside
from awaken.codemods.sqlalchemy.session_to_async.components.links import Links
from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece, piece_around
from awaken.codemods.sqlalchemy.session_to_async.components.shared import (
    Shared,
    shared_resources,
    with_bases,
)
from awaken.codemods.sqlalchemy.session_to_async.components.sources import (
    given_by,
    injected_from_outside,
    makes_session,
    takes_session,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import FOREIGN_SESSION
from awaken.codemods.sqlalchemy.session_to_async.suites.settings import test_settings
from awaken.contract import Constraints, Finding, InsertStatements, Place, SiteId
from awaken.kit.changes import Decided, Member, connected, decide_group
from awaken.kit.sites import Refused, Rewrite
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart

_SHOWN = 5
"""How many of the functions that stop a component a finding leads to."""


@dataclass(slots=True)
class Found:
    """What was found in a program.

    ``functions`` are members for functions, and for calls and statements that wait; ``resources``
    those for names of the synchronous side, with what they name; ``loading`` those for what is
    read of objects.
    """

    functions: list[Member] = field(default_factory=list)
    resources: list[tuple[Member, str]] = field(default_factory=list)
    loading: list[Member] = field(default_factory=list)


@dataclass(slots=True)
class Component:
    """Pieces that become asynchronous together, and what is said of them.

    ``stopping`` are the members that stand against it, also those of engines that it uses.
    ``makes_tables`` says that it does nothing else with the database.
    """

    pieces: list[Piece]
    members: list[Member] = field(default_factory=list)
    stopping: list[Member] = field(default_factory=list)
    is_wanted: bool = True
    makes_tables: bool = False

    @property
    def is_test(self) -> bool:
        """Whether it consists of tests, and of what only tests use."""
        return all(is_test_file(one.path) for one in self.pieces)

    @property
    def is_beside(self) -> bool:
        """Whether it is there for others: tests, and what makes their tables."""
        return self.is_test or self.makes_tables

    @property
    def converts(self) -> bool:
        """Whether it becomes asynchronous."""
        return self.is_wanted and not self.stopping


class Components:
    """The components of one program."""

    def __init__(
        self,
        part: SynchronousPart,
        rule: str,
        found: Found,
        constraints: Constraints,
        wanted: str,
    ) -> None:
        self._part = part
        self._project = part.project
        self._rule = rule
        self._constraints = constraints
        self.shared = shared_resources(
            part.project,
            ((member.site, name) for member, name in found.resources),  # type: ignore[misc]
        )
        by_piece = {one.piece: name for name, one in self.shared.items()}
        self._making: defaultdict[str, list[Member]] = defaultdict(list)
        placed: defaultdict[Piece, list[Member]] = defaultdict(list)
        for member, _ in found.resources:
            piece = _piece(member)
            if piece in by_piece:
                self._making[by_piece[piece]].append(member)
            else:
                placed[piece].append(member)
        for member in found.functions:
            piece = _piece(member)
            # What stands beside the statement of an engine goes with that.
            if piece in by_piece:
                self._making[by_piece[piece]].append(member)
            else:
                placed[piece].append(member)
        links = Links(part, placed, self.shared)
        links.links += self._along(placed)
        self.all = self._components(links, placed)
        self._of = {piece: one for one in self.all for piece in one.pieces}
        self._everywhere: list[Member] = []
        for member in found.loading:
            component = self._of.get(_piece(member))
            if component is None:
                self._everywhere.append(member)
            else:
                component.members.append(member)
        for one in self.all:
            self._refuse_foreign(one, {member.site.id for member, _ in found.resources})
            one.makes_tables = self._only_makes_tables(one)
            one.is_wanted = not wanted or self._is_named(one, wanted)
            one.stopping = [each for each in (*one.members, *self._everywhere) if self._stops(each)]
        self._stop_users()
        self._stop_what_is_beside()
        self.in_place = self._converting()
        self.beside = self._standing_beside()

    def _along(self, placed: dict[Piece, list[Member]]) -> Iterator[tuple[Piece, Piece]]:
        for piece, members in placed.items():
            for member in members:
                for place in member.along:
                    other = self._piece_at(place)
                    if other is not None:
                        yield piece, other

    def _piece_at(self, place: Place) -> Piece | None:
        module = self._project.module(place.path)
        if module is None:
            return None
        function = module.function_at(place.span.start)
        if function is not None:
            return piece_around(module, function)
        starting = (one for one in module.tree.body if module.span(one).contains(place.span))
        node = next(starting, None)
        return None if node is None else piece_around(module, node)

    def _components(self, links: Links, placed: dict[Piece, list[Member]]) -> list[Component]:
        pieces = sorted(links.pieces)
        # What joins, and is no piece itself, comes behind: the order of pieces is that of places.
        others = {key: None for link in links.links for key in link if not isinstance(key, Piece)}
        groups = connected([*pieces, *others], links.links)
        found: list[Component] = []
        for group in groups:
            inside = [one for one in group if isinstance(one, Piece)]
            members = [member for one in inside for member in placed.get(one, ())]
            if inside:
                found.append(Component(inside, members))
        return found

    def _refuse_foreign(self, component: Component, resources: set[SiteId]) -> None:
        """Refuse the functions that are given sessions which the component does not make."""
        pieces = set(component.pieces)
        named = [one for one in component.members if one.site.id in resources]
        taking = {_piece(one) for one in named if takes_session(one.site)}
        is_made = (
            bool(self._named_by([component], with_unused=False))
            or any(makes_session(one.site) for one in named)
            or given_by(self._part, pieces, taking) is None
        )
        waiting = {(one.path, one.start) for one in self._part.steps}
        none_waits = not waiting & {(one.path, one.start) for one in component.pieces}
        for number, member in enumerate(component.members):
            piece = _piece(member)
            if isinstance(member.outcome, Refused):
                continue
            refused = next(injected_from_outside(self._project, piece, pieces), None)
            is_function = member.site.module.span(member.site.node).start == piece.start
            if refused is None and not is_made and (none_waits or is_function):
                refused = Refused(FOREIGN_SESSION, "those who call it")
            if refused is not None and (none_waits or is_function):
                component.members[number] = dataclasses.replace(member, outcome=refused)

    def _stops(self, member: Member) -> bool:
        return isinstance(member.outcome, Refused) or member.site.id in self._constraints.excluded

    def _is_named(self, component: Component, wanted: str) -> bool:
        """Whether a component holds the module or the function ``wanted``."""
        for piece in component.pieces:
            module = self._project.module(piece.path)
            home = "" if module is None else module.name
            name = f"{home}.{piece.name}"
            if f".{name}.".endswith(f".{wanted}.") or f"{name}.".startswith(f"{wanted}."):
                return True
        return False

    # --------------------------------------------------------------------- engines and factories
    def _users(self, name: str) -> list[Component]:
        """Return the components that use an engine or a factory, or what is built on it."""
        names = [one for one in self.shared if name in with_bases(self.shared, [one])]
        pieces = [piece for one in names for _, piece in self.shared[one].uses]
        found = {id(self._of[piece]): self._of[piece] for piece in pieces if piece in self._of}
        return list(found.values())

    def _stop_users(self) -> None:
        """Stop those who use what cannot become asynchronous, nor get another beside it."""
        for name, members in self._making.items():
            stopping = [one for one in members if self._stops(one)]
            for component in self._users(name) if stopping else ():
                component.stopping += stopping

    def _stop_what_is_beside(self) -> None:
        """Stop tests that use the engine of what stays synchronous, or if all of that does."""
        others = [one for one in self.all if not one.is_beside]
        stopped = [one for one in others if not one.converts]
        for component in self.all:
            if not component.is_beside or not stopped:
                continue
            names = self._named_by([component], with_unused=False)
            served = [one for one in stopped if self._named_by([one], with_unused=False) & names]
            for one in stopped if len(stopped) == len(others) else served:
                component.stopping += one.stopping
                component.is_wanted = component.is_wanted and one.is_wanted

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

    def _converting(self) -> set[str]:
        """Return the engines and factories all of whose users become asynchronous."""
        any_converts = any(one.converts for one in self.all)
        found = {
            name
            for name, one in self.shared.items()
            if any_converts and not one.kept and all(user.converts for user in self._users(name))
        }
        return found - {name for name in found if any(map(self._stops, self._making[name]))}

    def _standing_beside(self) -> list[Shared]:
        """Return those beside which an asynchronous one is put, the first ones first."""
        needed = [
            name
            for name, one in self.shared.items()
            if name not in self.in_place
            and any(piece in self._of and self._of[piece].converts for _, piece in one.uses)
        ]
        needed += [base for name in self.in_place for base in self.shared[name].built_on]
        names = with_bases(self.shared, needed) - self.in_place
        return sorted((self.shared[name] for name in names), key=lambda one: one.piece)

    # ------------------------------------------------------------------------------------ outcome
    def decided(self) -> Iterator[Decided]:
        """Yield the findings, and a change for each group of components that share something."""
        seen: set[str] = set()
        for one in self._decided():
            # What stops several components is said of each of them.
            changes = tuple(change for change in one.changes if change.id not in seen)
            seen.update(change.id for change in changes)
            yield Decided(one.findings, changes)

    def _decided(self) -> Iterator[Decided]:
        beside = Beside(self._project, self._rule, self.beside)
        for group in self._groups():
            members = [member for one in group for member in one.members]
            names = self._named_by(group)
            pieces = [piece for one in group for piece in one.pieces]
            for name in sorted(names & self.in_place):
                members += self._rebound(beside, name, pieces)
            making = {name: self._making_for(name, pieces) for name in self._making}
            members = beside.joined(members, pieces, making)
            if members:
                members = _once(self._with_settings(members))
                decided = decide_group(members, self._constraints, reasons.BESIDE_ANOTHER)
                yield _told(decided, members)
        left: set[str] = set()
        everywhere = [] if any(one.converts for one in self.all) else list(self._everywhere)
        for one in self.all:
            if not one.converts:
                members, names = [*one.members, *everywhere], self._named_by([one])
                members += [
                    each
                    for name in sorted(names - self.in_place - left)
                    for each in self._making_for(name, ())
                ]
                left |= names
                everywhere = []
                yield self._left_alone(one, members)

    def _named_by(self, components: Iterable[Component], *, with_unused: bool = True) -> set[str]:
        """Return the engines and factories that components use; what nobody uses is all's."""
        pieces = {piece for one in components for piece in one.pieces}
        used = [
            name
            for name, one in self.shared.items()
            if any(piece in pieces for _, piece in one.uses) or (with_unused and not one.uses)
        ]
        return with_bases(self.shared, used)

    def _groups(self) -> list[list[Component]]:
        """Return the components that convert, in one list those that share something."""
        converting = [number for number, one in enumerate(self.all) if one.converts]
        links = [
            (number, ("shared", name))
            for number in converting
            for name in self._named_by([self.all[number]])
        ]
        if self._everywhere:
            links += [(number, ("shared", "")) for number in converting]
        links += [
            (number, ("written", edit.path))
            for number in converting
            for edit in self._inserted(self.all[number])
        ]
        keys = [*converting, *dict.fromkeys(key for _, key in links)]
        groups = connected(keys, links)
        found = [[self.all[one] for one in each if isinstance(one, int)] for each in groups]
        if self._everywhere and found:
            found[0][0].members += self._everywhere
        return [each for each in found if each]

    def _inserted(self, component: Component) -> Iterator[InsertStatements]:
        making = (self._making[name] for name in self._named_by([component]))
        for member in chain(component.members, *making):
            for edit in member.outcome.edits if isinstance(member.outcome, Rewrite) else ():
                if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                    yield edit

    def _with_settings(self, members: Sequence[Member]) -> list[Member]:
        """Return the members; the first function carries what the tests among them need."""
        found = list(members)
        functions = {(one.path, one.start) for one in self._part.steps}
        pieces = [_piece(one) for one in members]
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

    def _making_for(self, name: str, pieces: Collection[Piece]) -> list[Member]:
        """Return what is said of an engine or a factory, and of what ``pieces`` need beside it."""
        return [
            one
            for one in self._making[name]
            if not one.along or {self._piece_at(place) for place in one.along} & set(pieces)
        ]

    def _rebound(self, beside: Beside, name: str, pieces: Collection[Piece]) -> list[Member]:
        edits = beside.rebound(self.shared[name])
        first, *others = self._making_for(name, pieces)
        if edits and isinstance(first.outcome, Rewrite):
            outcome = dataclasses.replace(first.outcome, edits=[*first.outcome.edits, *edits])
            first = dataclasses.replace(first, outcome=outcome)
        return [first, *others]

    def _left_alone(self, component: Component, members: Sequence[Member]) -> Decided:
        stopping = sorted(component.stopping, key=lambda one: one.site.place)
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


def _piece(member: Member) -> Piece:
    return piece_around(member.site.module, member.site.node)


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
