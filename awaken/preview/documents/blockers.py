"""Blockers of the most sites: one edit each, by the number of sites that it frees.

Sites share a blocker if they stay for one reason that lies in one place: a parameter without
annotation, a double in a test, a wrapper, a version. A reason that stops a change of a whole
program blocks all its sites, together with the other reasons.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from awaken.contract import Finding, Level, Place
from awaken.engine.planning.engine_reasons import NEEDS_OTHER_VERSIONS
from awaken.engine.report import Report, RootReport
from awaken.preview.counts import plural
from awaken.preview.documents.document import Table, encoded_table, header
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked

_STOPS = "stops"
"""The part of an outline that says why there is no change."""


class Blocker(Struct, frozen=True, kw_only=True):
    """A reason that keeps ``sites`` sites as they are; ``help`` says what to edit, at ``place``.

    ``others`` is how many more blockers the same sites have. ``place`` is None where the edit is
    one of the project's settings.
    """

    root: RootReport
    rule: str
    reason: str
    message: str
    help: str
    sites: int
    files: int
    place: Place | None
    others: int = 0


def blockers(report: Report) -> list[Blocker]:
    """Return the blockers of all manual sites, those of most sites first."""
    roots = [
        of_plan
        for root in report.roots
        for of_plan in (*_of_plans(root), *_of_sites(root), *_of_versions(root))
    ]
    # A blocker that frees sites by itself precedes one that frees as many together with others.
    return sorted(roots, key=lambda item: (-item.sites, item.others, item.rule, item.message))


def _of_plans(root: RootReport) -> Iterator[Blocker]:
    for outline in root.outlines:
        stops = [row for part in outline.parts if part.key == _STOPS for row in part.rows]
        for row in stops if outline.change is None else ():
            yield Blocker(
                root=root,
                rule=outline.rule,
                reason="",
                message=row.text,
                help="",
                sites=len(outline.sites),
                files=len({f.place.path for f in root.findings if f.site in set(outline.sites)}),
                place=row.place,
                others=len(stops) - 1,
            )


def _of_sites(root: RootReport) -> Iterator[Blocker]:
    planned = {
        site
        for outline in root.outlines
        if outline.change is None and any(part.key == _STOPS for part in outline.parts)
        for site in outline.sites
    }
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in root.findings:
        if finding.level is Level.MANUAL and finding.site not in planned:
            groups.setdefault(_key(finding), []).append(finding)
    for held in groups.values():
        first = held[0]
        because = first.related[0] if first.related else first.place
        yield Blocker(
            root=root,
            rule=first.rule,
            reason=first.reason or "",
            message=first.message,
            help=first.help or _help_of(first),
            sites=len(held),
            files=len({item.place.path for item in held}),
            place=because,
        )


def _of_versions(root: RootReport) -> Iterator[Blocker]:
    """Yield what the versions of the project keep from being rewritten, a rule each."""
    sites = root.explained_only
    whys = {site.rule: site for site in sites if site.reason == NEEDS_OTHER_VERSIONS.code}
    for rule, why in whys.items():
        held = [site for site in sites if site.rule == rule]
        yield Blocker(
            root=root,
            rule=rule,
            reason=NEEDS_OTHER_VERSIONS.code,
            message=why.message,
            help=NEEDS_OTHER_VERSIONS.help,
            sites=len(held),
            files=len({finding.place.path for finding in held}),
            place=None,
        )


def _key(finding: Finding) -> tuple[object, ...]:
    """Return what sites have in common that one edit frees."""
    if finding.related:
        first = finding.related[0]
        # The same words name the same thing, wherever it is asked for.
        return finding.reason, first.note or (first.path, first.span)
    return finding.reason, finding.place.path, finding.scope, finding.message


def _help_of(finding: Finding) -> str:
    from awaken import api  # noqa: PLC0415  the reasons of rules that ran

    reasons = {item.full_code(rule.name): item for rule in api.rules() for item in rule.reasons}
    reason = reasons.get(finding.reason or "")
    return "" if reason is None else reason.help


def lines(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the list for people: what to edit, and how many sites that frees."""
    places, result = Places(asked.current), blockers(report)
    for item in result:
        yield f"{plural(item.sites, 'site')} in {plural(item.files, 'file')}: {item.message}"
        if item.place is not None:
            path, region = places.location_of(item.root, item.place)
            yield f"  --> {path}:{region.line}:{region.column}" if region.line else f"  --> {path}"
        yield f"  = reason: {item.reason or f'{item.rule}, for the program as a whole'}"
        if item.help:
            yield f"  = what to do: {item.help}"
        if item.others:
            yield f"  = together with: {plural(item.others, 'other blocker')} of the same sites"
        yield ""
    alone = [blocker for blocker in result if not blocker.others]
    total = sum(blocker.sites for blocker in alone)
    if not total:
        return
    most, count = 0, 0
    for item in alone:
        most, count = most + item.sites, count + 1
        if most * 2 >= total:
            break
    yield f"{plural(count, 'edit')} would free {most:,} of {plural(total, 'manual site')}."


def documents(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the list as one JSON document."""
    places = Places(asked.current)
    rows: list[Table] = []
    for blocker in blockers(report):
        where: Table = {"path": None, "line": None, "column": None}
        if blocker.place is not None:
            path, region = places.location_of(blocker.root, blocker.place)
            where = {"path": path, "line": region.line, "column": region.column}
        rows.append(
            {
                "sites": blocker.sites,
                "files": blocker.files,
                "rule": blocker.rule,
                "reason": blocker.reason or None,
                "message": blocker.message,
                "cure": blocker.help,
                **where,
                "others": blocker.others,
            }
        )
    yield encoded_table({**header("check"), "blockers": rows}, indent=2)
