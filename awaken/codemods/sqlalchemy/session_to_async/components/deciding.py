"""Which components of a program become asynchronous, and which engines with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.component import (
    Component,
    Components,
    Found,
    Placed,
)
from awaken.codemods.sqlalchemy.session_to_async.components.judging import Judge
from awaken.codemods.sqlalchemy.session_to_async.components.links import Links
from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece
from awaken.contract import Constraints
from awaken.kit.changes import Member, connected
from awaken.kit.sites import Refused

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart


def decided(
    part: SynchronousPart, found: Found, constraints: Constraints, wanted: str
) -> Components:
    """Return the components of a program, each with what stands against it.

    ``wanted`` is a module or a function: only what belongs together with it is asked for.
    """
    placed = Placed(part.project, found)
    components = Components(placed, _gathered(part, placed))
    components.add(found.loading)
    judge = Judge(part, found, components, wanted)
    for one in components.all:
        judge.judge(one)
        one.stopping = _against((*one.members, *components.everywhere), constraints)
    for name, members in components.made.items():
        components.unmade[name] = _against(members, constraints)
        for one in components.users(name) if components.unmade[name] else ():
            one.stopping += components.unmade[name]
    _stop_what_is_carried(components)
    _stop_what_is_beside(components)
    return components


def _gathered(part: SynchronousPart, placed: Placed) -> list[Component]:
    """Return what belongs together, in the order of the first piece of each."""
    links = Links(part, placed.by_piece, placed.shared)
    joined = [*links.links, *placed.along()]
    # What joins, and is no piece itself, comes behind: the order of pieces is that of places.
    others = {key: None for link in joined for key in link if not isinstance(key, Piece)}
    found: list[Component] = []
    for group in connected([*sorted(links.pieces), *others], joined):
        inside = [one for one in group if isinstance(one, Piece)]
        members = [member for one in inside for member in placed.by_piece.get(one, ())]
        if inside:
            found.append(Component(inside, members))
    return found


def _against(members: Iterable[Member], constraints: Constraints) -> list[Member]:
    """Return the members that stand against a change: those refused, and those left out."""
    return [
        one
        for one in members
        if isinstance(one.outcome, Refused) or one.site.id in constraints.excluded
    ]


def _stop_what_is_carried(components: Components) -> None:
    """Stop what makes no session of its own where something that does stays synchronous."""
    stopped = [one for one in components.all if not one.is_carried and not one.converts]
    if not stopped:
        return
    for component in components.all:
        if component.is_carried:
            component.stopping += [each for one in stopped for each in one.stopping]
            component.is_wanted = component.is_wanted and all(one.is_wanted for one in stopped)


def _stop_what_is_beside(components: Components) -> None:
    """Stop tests that use the engine of what stays synchronous, or if all of that does."""
    others = [one for one in components.all if not one.is_beside]
    stopped = [
        (one, components.used_by([one], with_unused=False)) for one in others if not one.converts
    ]
    for component in components.all if stopped else ():
        if not component.is_beside:
            continue
        names = components.used_by([component], with_unused=False)
        for one, used in stopped:
            if len(stopped) == len(others) or used & names:
                component.stopping += one.stopping
                component.is_wanted = component.is_wanted and one.is_wanted
