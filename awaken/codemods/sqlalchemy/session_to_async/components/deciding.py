"""Which components of a program become asynchronous, and which engines with them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.component import (
    Component,
    Found,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.links import Links
from awaken.codemods.sqlalchemy.session_to_async.components.pieces import (
    Piece,
    piece_around,
    piece_of,
)
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
from awaken.contract import Constraints, Place
from awaken.kit.changes import Member, connected
from awaken.kit.sites import Refused

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart


class Components:
    """The components of one program."""

    def __init__(
        self,
        part: SynchronousPart,
        found: Found,
        constraints: Constraints,
        wanted: str,
    ) -> None:
        self._part = part
        self._project = part.project
        self._constraints = constraints
        self._waiting = {piece_of(one) for one in part.steps if one.start >= 0}
        self._resources = {member.site.id for member, _ in found.resources}
        self.shared = shared_resources(
            part.project,
            ((member.site, name) for member, name in found.resources),  # type: ignore[misc]
        )
        by_piece = {one.piece: name for name, one in self.shared.items()}
        self.made: defaultdict[str, list[Member]] = defaultdict(list)
        placed: defaultdict[Piece, list[Member]] = defaultdict(list)
        for member, _ in found.resources:
            piece = piece_with(member)
            if piece in by_piece:
                self.made[by_piece[piece]].append(member)
            else:
                placed[piece].append(member)
        for member in found.functions:
            piece = piece_with(member)
            # What stands beside the statement of an engine goes with that.
            if piece in by_piece:
                self.made[by_piece[piece]].append(member)
            else:
                placed[piece].append(member)
        links = Links(part, placed, self.shared)
        links.links += self._along(placed)
        self.all = self._components(links, placed)
        self._of = {piece: one for one in self.all for piece in one.pieces}
        self.everywhere: list[Member] = []
        for member in found.loading:
            component = self._of.get(piece_with(member))
            if component is None:
                self.everywhere.append(member)
            else:
                component.members.append(member)
        for one in self.all:
            self._refuse_foreign(one)
            one.makes_tables = self._only_makes_tables(one)
            one.is_carried = not self._stands_alone(one)
            one.is_wanted = not wanted or self._is_named(one, wanted)
            one.stopping = [each for each in (*one.members, *self.everywhere) if self._stops(each)]
        self._stop_users()
        self._stop_what_is_carried()
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

    def _refuse_foreign(self, component: Component) -> None:
        """Refuse the functions that are given sessions which the component does not make."""
        pieces = set(component.pieces)
        named = [one for one in component.members if one.site.id in self._resources]
        taking = {piece_with(one) for one in named if takes_session(one.site)}
        makes = bool(self.used_by([component], with_unused=False)) or any(
            makes_session(one.site) for one in named
        )
        none_waits = self._waiting.isdisjoint(component.pieces)
        # Where nothing else changes, annotations are left alone.
        is_named = none_waits and len(named) == len(component.members)
        is_made = makes or not (is_named or given_by(self._part, pieces, taking))
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
        for name, members in self.made.items():
            stopping = [one for one in members if self._stops(one)]
            for component in self._users(name) if stopping else ():
                component.stopping += stopping

    def _stands_alone(self, component: Component) -> bool:
        """Whether functions of a component wait, for sessions or connections that it makes."""
        if self._waiting.isdisjoint(component.pieces):
            return False
        return bool(self.used_by([component], with_unused=False)) or any(
            one.site.id in self._resources and makes_session(one.site) for one in component.members
        )

    def _stop_what_is_carried(self) -> None:
        """Stop what makes no session of its own where something that does stays synchronous."""
        stopped = [one for one in self.all if not one.is_carried and not one.converts]
        if not stopped:
            return
        for component in self.all:
            if component.is_carried:
                component.stopping += [each for one in stopped for each in one.stopping]
                component.is_wanted = component.is_wanted and all(one.is_wanted for one in stopped)

    def _stop_what_is_beside(self) -> None:
        """Stop tests that use the engine of what stays synchronous, or if all of that does."""
        others = [one for one in self.all if not one.is_beside]
        stopped = [one for one in others if not one.converts]
        for component in self.all:
            if not component.is_beside or not stopped:
                continue
            names = self.used_by([component], with_unused=False)
            served = [one for one in stopped if self.used_by([one], with_unused=False) & names]
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
        return found - {name for name in found if any(map(self._stops, self.made[name]))}

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

    def used_by(self, components: Iterable[Component], *, with_unused: bool = True) -> set[str]:
        """Return the engines and factories that components use; what nobody uses is all's."""
        pieces = {piece for one in components for piece in one.pieces}
        used = [
            name
            for name, one in self.shared.items()
            if any(piece in pieces for _, piece in one.uses) or (with_unused and not one.uses)
        ]
        return with_bases(self.shared, used)

    def making(self, name: str, pieces: Collection[Piece]) -> list[Member]:
        """Return what is said of an engine or a factory, and of what ``pieces`` need beside it."""
        return [
            one
            for one in self.made[name]
            if not one.along or {self._piece_at(place) for place in one.along} & set(pieces)
        ]
