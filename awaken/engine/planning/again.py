"""The comparison of a second plan, after the last phase, with what the first one decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from awaken.contract import Finding, Place, SiteId, Span
from awaken.engine.edits.splices import SpanMap

Maps = Sequence[Mapping[str, SpanMap]]
"""For each phase, how the files that it changed lead back to those before it."""


def standing(decided: Sequence[Finding], maps: Maps) -> dict[Finding, Place]:
    """Return the places, after all phases, of sites that were left as they are.

    Those inside rewritten code are missing: they have no place of their own now.
    """
    places = ((finding, _where_now(finding.place, maps)) for finding in decided)
    return {finding: place for finding, place in places if place is not None}


def rewritten_places(maps: Maps) -> frozenset[Place]:
    """Return the places that changes wrote, in the files after all phases."""
    joined: dict[str, SpanMap] = {}
    for step in maps:
        for path, known in step.items():
            joined[path] = joined[path].then(known) if path in joined else known
    return frozenset(
        Place(path, span) for path, known in joined.items() for span in known.new_regions()
    )


def _where_now(place: Place, maps: Maps) -> Place | None:
    span = place.span
    for step in maps:
        known = step.get(place.path)
        if known is None:
            continue
        after = known.to_after(span)
        # A span inside a replacement maps to the whole of it, so the way back is longer.
        if known.to_before(after) != span:
            return None
        if any(region.contains(after) for region in known.new_regions()):
            return None
        span = after
    return Place(place.path, span)


def seen_before(
    found: Sequence[Finding], decided: Sequence[Finding], standing: Mapping[Finding, Place]
) -> frozenset[SiteId]:
    """Return which of ``found``, placed on disk, are ``decided``; each of these counts for one.

    A rewrite changes the identity of what is nested in it, and of its equals; and a site inside
    a rewritten one leads back to the whole of that, which then contains the decided place.
    """
    # Counted, not collected: two sites of one rule may share a span, and each needs its own match.
    places = Counter((finding.rule, finding.place.path, finding.place.span) for finding in decided)
    seen: set[SiteId] = set()
    for finding in found:
        place = (finding.rule, finding.place.path, finding.place.span)
        if places[place] and finding.site not in seen:
            places[place] -= 1
            seen.add(finding.site)
    inside: dict[tuple[str, str], list[Span]] = {}
    # Only what the exact places left unmatched may be matched by containment.
    for finding in decided:
        place = (finding.rule, finding.place.path, finding.place.span)
        if finding not in standing and places[place]:
            places[place] -= 1
            inside.setdefault(place[:2], []).append(finding.place.span)
    for finding in found:
        spans = inside.get((finding.rule, finding.place.path), []) if inside else []
        match = next((span for span in spans if finding.place.span.contains(span)), None)
        if match is not None and finding.site not in seen:
            spans.remove(match)
            seen.add(finding.site)
    return frozenset(seen)
