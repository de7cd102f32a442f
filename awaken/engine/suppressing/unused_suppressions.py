"""Advice about suppression comments: those that suppress nothing, and those that are malformed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from awaken.contract import Finding, Level, Place, Plan, SiteId, Status
from awaken.contract.nearest import did_you_mean
from awaken.engine.report import Diagnostic, SuppressedBy, SuppressedSite
from awaken.engine.suppressing.suppressed import PlanSnapshot, SuppressionSources
from awaken.settings.selection import UNUSED_SUPPRESSION
from awaken.workspace.sources import Snapshot
from awaken.workspace.suppressions import Suppression


def advise(
    suppression_sources: SuppressionSources,
    before: Snapshot,
    suppressed: Sequence[SuppressedSite],
    ran: frozenset[str],
    trouble: Sequence[Diagnostic],
) -> tuple[list[Finding], list[SuppressedSite]]:
    """Return the advice about the comments of files on disk, and what of it is suppressed itself.

    ``suppressed`` are placed on disk, ``ran`` are the names of the rules that ran. A file that
    could not be read or planned is no reason to call a comment unused.
    """
    plan = Plan(tuple(_advice(suppression_sources, before, suppressed, ran, trouble)))
    sites = suppression_sources.find(plan, PlanSnapshot(before, before))
    shown = [finding for finding in plan.findings if finding.site not in sites]
    return shown, list(sites.values())


def _advice(
    suppression_sources: SuppressionSources,
    before: Snapshot,
    suppressed: Sequence[SuppressedSite],
    ran: frozenset[str],
    trouble: Sequence[Diagnostic],
) -> Iterator[Finding]:
    unread = {diagnostic.path for diagnostic in trouble}
    used = _Used(suppressed)
    for path in sorted(before):
        equals: Counter[str] = Counter()
        # Where a rule failed, nobody knows whether its sites were suppressed.
        known = frozenset() if unread & {path, ""} else ran
        for comment in suppression_sources.suppressions(path, before):
            said = list(
                _Complaints(suppression_sources, used.rules(path, comment), known).complaints_about(
                    comment
                )
            )
            if said:
                yield _unused_finding(path, comment, said, equals[comment.text])
                equals[comment.text] += 1


class _Complaints:
    """Problems of a comment that suppressed sites of ``used`` rules; ``ran`` are all."""

    def __init__(
        self, suppression_sources: SuppressionSources, used: set[str], ran: frozenset[str]
    ) -> None:
        self._suppression_sources = suppression_sources
        self._used = used
        self._ran = ran

    def complaints_about(self, comment: Suppression) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with ``comment``, each with what to do."""
        if comment.wrong:
            yield f"`{comment.text}` {comment.wrong}, so it suppresses nothing", comment.help
            return
        rules = self._suppression_sources.rules
        names = {name for rule in rules for name in (rule.name, rule.family)}
        unknown = [
            name for name in comment.names if not self._suppression_sources.rules_called(name)
        ]
        for name in unknown:
            hint = did_you_mean(name, names, "`awaken rules` lists them all")
            yield (
                f"`{comment.text}` names no rule or family {name!r}{hint}",
                "Write the name as `awaken rules` lists it.",
            )
        if comment.covers is None:
            yield (
                f"`{comment.text}` is not above a statement, so it suppresses nothing",
                "Write it on the line of the site, or directly above it.",
            )
            return
        idle = [name for name in comment.names if name not in unknown and self._is_idle(name)]
        if len(idle) == len(comment.names) > 0:
            yield f"`{comment.text}` suppresses nothing", "Remove the comment."
        elif idle:
            listed = ", ".join(f"`{name}`" for name in idle)
            yield f"{listed} in `{comment.text}` suppresses nothing", f"Remove {listed}."

    def _is_idle(self, name: str) -> bool:
        """Whether all rules that ``name`` means ran, and it suppressed nothing.

        A family does not include rules in preview here: few ask for those.
        """
        expected = {
            rule.name
            for rule in self._suppression_sources.rules
            if name == rule.name or (name == rule.family and rule.status is not Status.PREVIEW)
        }
        suppressed = self._used & self._suppression_sources.rules_called(name)
        return bool(expected) and expected <= self._ran and not suppressed


class _Used:
    """The rules whose sites each comment suppressed; a comment is known by its place and words."""

    def __init__(self, suppressed: Sequence[SuppressedSite]) -> None:
        self._by_path: dict[str, list[tuple[Place, str, str]]] = {}
        for site in suppressed:
            if site.by is SuppressedBy.COMMENT and site.place is not None:
                entry = site.place, site.note, site.finding.rule
                self._by_path.setdefault(site.place.path, []).append(entry)

    def rules(self, path: str, comment: Suppression) -> set[str]:
        """Return the rules of the sites that ``comment`` suppressed.

        A comment that a change moved leads back to the whole of what was rewritten around it.
        """
        return {
            rule
            for place, text, rule in self._by_path.get(path, ())
            if text == comment.text and place.span.overlaps(comment.span)
        }


def _unused_finding(
    path: str, comment: Suppression, said: Sequence[tuple[str, str]], number: int
) -> Finding:
    # Without the line: the identity must survive edits above, as that of any site.
    key = "\0".join((UNUSED_SUPPRESSION, path, comment.text, str(number)))
    return Finding(
        site=SiteId(hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]),
        rule=UNUSED_SUPPRESSION,
        level=Level.ADVICE,
        place=Place(path, comment.span),
        scope="<module>",
        message="; ".join(message for message, _ in said),
        help=" ".join(dict.fromkeys(help_text for _, help_text in said)),
    )
