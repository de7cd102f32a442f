"""Findings and changes made of sites: one site by itself, or a group, all or nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import Struct, structs

from awaken.contract import (
    Change,
    ChangeId,
    Constraints,
    Finding,
    Outline,
    Place,
    Plan,
    Reason,
    SiteId,
)
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.project.source.worklist import groups_of

Node = TypeVar("Node", bound=ast.AST)
Arguments = ParamSpec("Arguments")
Key = TypeVar("Key", bound=Hashable)


class Decided(Struct, frozen=True):
    """The decisions about some sites: a finding for each, and the changes that rewrite them."""

    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()
    outlines: tuple[Outline, ...] = ()


class Member(Struct, frozen=True):
    """A site of a group: its own rewrite, or its own obstacle.

    ``shown`` is what the others say of it when they are left alone for its sake. ``along`` are
    other places of the program that change with it, whatever else belongs to the group.
    """

    site: Site[ast.AST]
    outcome: Rewrite | Refused
    shown: str = ""
    along: tuple[Place, ...] = ()


def member(
    site: Site[Node],
    shown: str,
    rewrite: Callable[Concatenate[Site[Node], Arguments], Rewrite],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Member:
    """Return ``site`` as a member of a group, with what ``rewrite`` returns for it, or refuses.

    It is called with the site and the other arguments.
    """
    return Member(site, outcome_of(rewrite, site, *arguments, **named), shown)


def plan_of(decided: Iterable[Decided]) -> Plan:
    """Return the plan with all that was decided; of a site decided twice, the last finding."""
    parts = tuple(decided)
    findings = {item.site: item for item in chain.from_iterable(part.findings for part in parts)}
    return Plan(
        tuple(findings.values()),
        tuple(chain.from_iterable(part.changes for part in parts)),
        tuple(chain.from_iterable(part.outlines for part in parts)),
    )


def decide(
    site: Site[Node],
    rewrite: Callable[Concatenate[Site[Node], Arguments], Rewrite],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Decided:
    """Return a change of its own for ``site``: what ``rewrite`` returns for it.

    It is called with the site and the other arguments. Where it raises Refused the site is manual.
    """
    outcome = outcome_of(rewrite, site, *arguments, **named)
    if isinstance(outcome, Refused):
        return refused_together((site,), outcome)
    return rewritten_together((site,), outcome)


# --------------------------------------------------------------------------------------- groups
def refused_together(sites: Iterable[Site[ast.AST]], refused: Refused) -> Decided:
    """Return the findings of sites that are all left alone, for one reason."""
    return Decided(tuple(site.refusal(refused) for site in sites))


def rewritten_together(sites: Sequence[Site[ast.AST]], rewrite: Rewrite) -> Decided:
    """Return the one change that rewrites all ``sites``, named after the first of them.

    The edits of ``rewrite`` are those of the whole change. Every site has the same related places.
    """
    return _rewritten(sites, rewrite, {}, rewrite.related)


def decide_group(members: Sequence[Member], constraints: Constraints, beside: Reason) -> Decided:
    """Return the decision on sites of which none can be rewritten without all the others.

    If one is refused, or excluded by ``constraints``, the others are left alone because it is:
    ``beside`` says so, with its name. An excluded site keeps its level, for users see it counted.
    """
    # In the order of their places: which one is named must not depend on who was found first.
    members = sorted(members_by_site(members), key=lambda item: item.site.place)
    refused = next((item for item in members if isinstance(item.outcome, Refused)), None)
    if refused is not None:
        return _left_alone(members, refused, beside)
    excluded = [candidate for candidate in members if candidate.site.id in constraints.excluded]
    if not excluded or len(members) == 1:
        return _joined_change(members)
    others = _left_alone([item for item in members if item not in excluded], excluded[0], beside)
    # The caller leaves these changes out; their findings are only shown.
    kept = [_joined_change([item]) for item in excluded]
    return Decided(
        (*others.findings, *(finding for decision in kept for finding in decision.findings)),
        tuple(change for decision in kept for change in decision.changes),
    )


def members_by_site(members: Iterable[Member]) -> list[Member]:
    """Return one member for each site: it does all that ``members`` do there, or is refused."""
    return [
        _joined_members(each) if len(each) > 1 else each[0]
        for each in groups_of(members, lambda item: item.site.id).values()
    ]


def _joined_members(members: Sequence[Member]) -> Member:
    first = members[0]
    refused = next((item.outcome for item in members if isinstance(item.outcome, Refused)), None)
    rewrites = [item.outcome for item in members if isinstance(item.outcome, Rewrite)]
    outcome = refused or Rewrite(
        "; ".join(dict.fromkeys(rewrite.message for rewrite in rewrites)),
        tuple(chain.from_iterable(rewrite.edits for rewrite in rewrites)),
        _caveats_of(rewrites),
        tuple(dict.fromkeys(chain.from_iterable(rewrite.related for rewrite in rewrites))),
    )
    along = tuple(chain.from_iterable(item.along for item in members))
    shown = next((item.shown for item in members if item.outcome is refused), first.shown)
    return structs.replace(first, outcome=outcome, shown=shown, along=along)


def _caveats_of(rewrites: Iterable[Rewrite]) -> tuple[str, ...]:
    """Return the caveats of ``rewrites``, each once: members of a group often share one."""
    return tuple(dict.fromkeys(chain.from_iterable(rewrite.caveats for rewrite in rewrites)))


def _left_alone(members: Iterable[Member], guilty: Member, beside: Reason) -> Decided:
    because = Refused(beside, guilty.shown, because=(guilty.site.place,))
    return Decided(
        tuple(
            item.site.refusal(item.outcome if isinstance(item.outcome, Refused) else because)
            for item in members
        )
    )


def _joined_change(members: Sequence[Member]) -> Decided:
    """Return the change of a group; the first site shows the others, and they show the first."""
    first, *others = (item.site for item in members)
    rewrites = [item.outcome for item in members if isinstance(item.outcome, Rewrite)]
    joined = Rewrite(
        rewrites[0].message,
        tuple(edit for rewrite in rewrites for edit in rewrite.edits),
        _caveats_of(rewrites),
    )
    related = {first.id: tuple(site.place for site in others)}
    return _rewritten((first, *others), joined, related, (first.place,))


def _rewritten(
    sites: Sequence[Site[ast.AST]],
    rewrite: Rewrite,
    related: Mapping[SiteId, tuple[Place, ...]],
    otherwise: tuple[Place, ...],
) -> Decided:
    """Return one change of ``sites``; those without ``related`` places have the other ones."""
    first = sites[0]
    change = Change(
        id=ChangeId(f"{first.rule}:{first.id}"),
        rule=first.rule,
        title=rewrite.full_message,
        level=rewrite.level,
        sites=tuple(site.id for site in sites),
        edits=tuple(rewrite.edits),
    )
    findings = (
        Finding(
            site=site.id,
            rule=site.rule,
            level=change.level,
            place=site.place,
            scope=site.module.scope_name(site.node),
            message=change.title,
            related=related.get(site.id, otherwise),
            change=change.id,
        )
        for site in sites
    )
    return Decided(tuple(findings), (change,))


def connected_groups(keys: Iterable[Key], links: Iterable[tuple[Key, Key]]) -> list[list[Key]]:
    """Return ``keys`` in groups: those that ``links`` join, directly or over others, in one.

    Groups come in the order of their first key, and their keys in the order of ``keys``. A link to
    what is no key joins nothing.
    """
    above = {key: key for key in keys}

    def first(key: Key) -> Key:
        while above[key] != key:
            above[key] = key = above[above[key]]
        return key

    for item, other in links:
        if item in above and other in above:
            above[first(other)] = first(item)
    return list(groups_of(above, first).values())
