"""Reads that keep the values from before a commit, each with its place, and loads to refresh."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.expire_on_commit.makers import Maker
from awaken.contract import Place, Span
from awaken.kit.sites import joined_words, shown_place
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit, Later
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MOST_SHOWN = 3  # places in one message; the others are counted


class Staleness(Struct, frozen=True):
    """The known reads of objects of some sessions after a commit.

    ``caveats`` are empty where nothing of before is read. ``places`` are those that are named.
    """

    caveats: tuple[str, ...]
    places: tuple[Place, ...]
    loads: tuple[Later, ...]


def staleness(project: Project, maker: Maker, variables: Collection[Place]) -> Staleness:
    """Return what stays as it was after the commits of the sessions that a call makes.

    Where it is not known which sessions commit, all count but those in ``variables``: other calls
    make those.
    """
    commits = project.orm.commits
    bound = only_variable(maker)
    if bound is not None:
        around = maker.module.enclosing_function(maker.call)
        span = maker.module.span(around or maker.call)
        own = [one for one in commits.all() if one.session == bound or _is_inside(one, bound, span)]
        return _staleness_of(project, commits.later_of_own(own))
    same = (commit for commit in commits.all() if commit.is_async == maker.is_async)
    return _staleness_of(
        project, commits.events_after([item for item in same if item.session not in variables])
    )


def expired_all_the_same(project: Project, *, is_async: bool) -> str:
    """Return the clause that names the reads after a rollback; empty without any."""
    commits = project.orm.commits
    events = [commit for commit in commits.expiring() if commit.is_async == is_async]
    reads = commits.read_in_functions(events)
    if not reads:
        return ""
    return f"; a rollback still expires {_listed_text(project, reads)}"


def _is_inside(commit: Commit, bound: Place, span: Span) -> bool:
    """Whether it is not known which session a commit in the same function is of."""
    inside = span.start <= commit.place.span.start < span.end
    return commit.session is None and commit.place.path == bound.path and inside


def _staleness_of(project: Project, later: Sequence[Later]) -> Staleness:
    reads = [event for event in later if event.kind == "read"]
    loads = [event for event in later if event.kind == "load"]
    caveats: list[str] = []
    if reads:
        caveats.append(
            f"after a commit, {_listed_text(project, reads)} {_keeps(reads)} before the commit"
        )
    if loads:
        gives = "returns" if len({load.place for load in loads}) == 1 else "return"
        caveats.append(
            f"after a commit, {_listed_text(project, loads)} {gives} loaded objects unchanged, "
            "unless `populate_existing` is set"
        )
    named = [*reads, *loads]
    if not named:
        named = [event for event in later if event.kind == "unknown"][:1]
        caveats += [
            (
                f"the program may read a loaded object after a commit: {event.what} "
                f"({shown_place(project, event.place)})"
            )
            for event in named
        ]
    places = tuple(dict.fromkeys(event.place for event in named))
    return Staleness(tuple(caveats), places[:_MOST_SHOWN], tuple(loads))


def _keeps(reads: Sequence[Later]) -> str:
    is_single = len({read.place for read in reads}) == 1
    return "keeps the values from" if is_single else "keep the values from"


def _listed_text(project: Project, found: Iterable[Later]) -> str:
    places = {event.place: event.what for event in found}
    said = [f"`{what}` ({shown_place(project, place)})" for place, what in places.items()]
    more = len(said) - _MOST_SHOWN
    if more > 0:
        return f"{', '.join(said[:_MOST_SHOWN])} and {more} more"
    return joined_words(said)


def only_variable(maker: Maker) -> Place | None:
    """Return the place of a variable that alone holds the session, which nothing else gets."""
    module = maker.module
    target = module.variable_of(maker.call)
    if target is None:
        return None
    scope = module.scopes.scope_of(target)
    is_only = scope.kind == "function" and len(scope.bindings_of(target.id)) == 1
    if maker.is_factory or not is_only:
        return None
    reads = [name for each in module.scopes.scopes for name in each.reads.get(target.id, [])]
    same = [one for one in reads if any(b.node is target for b in module.scopes.bindings_of(one))]
    return module.place(target) if all(_is_receiver(module, name) for name in same) else None


def _is_receiver(module: Module, node: ast.Name) -> bool:
    """Whether only a method of the session is called, or its block is entered."""
    if isinstance(module.parent(node), ast.withitem):
        return True
    call = module.method_call_on(node)
    # Functions that `run_sync` runs also receive the session.
    return call is not None and last_name(call.func) != "run_sync"
