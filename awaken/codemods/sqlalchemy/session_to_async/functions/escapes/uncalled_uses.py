"""Uses of a function that are no calls: who is passed it, and whether that awaits it."""

from __future__ import annotations

from itertools import chain

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.own_loops import OwnLoops
from awaken.codemods.sqlalchemy.session_to_async.boundaries.schedulers import Schedulers
from awaken.codemods.sqlalchemy.session_to_async.boundaries.tasks import is_sent
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import is_told_to_mock
from awaken.kit.sites import Refused
from awaken.project.graph.forwards.call_graph import FunctionPlace


def refused_uses(
    part: SynchronousPart, schedulers: Schedulers, own_loops: OwnLoops
) -> dict[FunctionPlace, Refused]:
    """Return the functions that are passed to something that may not await them, with the place."""
    passed = part.project.calls.passed_functions()
    refusals: dict[FunctionPlace, Refused] = {}
    for function in part.steps:
        components = passed.components_of(function)
        leaks = chain.from_iterable(part.leaks(each).items() for each in components)
        for place, leak in leaks:
            if schedulers.runs(place) or is_sent(part, function, place):
                continue
            if is_told_to_mock(part, place):
                continue
            help_text = f"{leak[:1].upper()}{leak[1:]}. {reasons.HANDED_ON.help}"
            why = Refused(reasons.HANDED_ON, function.qualname, help_text, because=(place,))
            refusals[function] = own_loops.with_option(why, function)
            break
    return refusals
