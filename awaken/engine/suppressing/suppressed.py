"""The suppression of sites that a rule found: by comment, setting, baseline or ``--since``.

Nobody subtracts edits from a finished change. A suppressed site is excluded and its rule plans
again, so the rule decides what the rest of the group does; the site keeps its level and is counted
apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.contract import Change, Finding, Level, Place, Plan, SiteId, Status
from awaken.contract.nearest import did_you_mean
from awaken.engine.baseline import Baseline
from awaken.engine.report import Diagnostic, SuppressedBy, SuppressedSite
from awaken.engine.suppressing.changed_lines import ChangedLines
from awaken.kit.rule import Rule
from awaken.settings.selection import UNUSED_SUPPRESSION
from awaken.workspace.sources import Snapshot, SourceFile
from awaken.workspace.suppressions import MARK, Suppression, suppressions_in


class PlanSnapshot(Struct, frozen=True):
    """The snapshot that a plan is made on, and how its places lead back to what is on disk."""

    snapshot: Snapshot
    before: Snapshot
    on_disk: Callable[[Place], Place] = lambda place: place


class SuppressionSources:
    """The four sources that suppress sites of one project; the same question, the same answer.

    ``rules`` are all that are known. ``ignored`` gives the rules that settings turn off for a
    project-relative path, each with where it was said.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        ignored: Callable[[str], Mapping[str, str]] = lambda _: {},
        baseline: Baseline | None = None,
        changed: ChangedLines | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self._ignored = ignored
        self.baseline = baseline
        self._listed = frozenset(baseline.entries if baseline else ())
        self.changed = changed
        self._read: dict[str, tuple[SourceFile, tuple[Suppression, ...]]] = {}

    def fingerprint(self) -> tuple[object, ...]:
        """Return a value for all that decides the answers in addition to files and settings."""
        return (
            sorted((rule.name, rule.family, rule.status) for rule in self.rules),
            sorted(self._listed),
            str(self.baseline.file) if self.baseline else "",
            self.changed.fingerprint() if self.changed else (),
        )

    def find(self, plan: Plan, plan_snapshot: PlanSnapshot) -> dict[SiteId, SuppressedSite]:
        """Return which sites of ``plan`` are suppressed, placed where the plan has them.

        A change that would edit a file with ``skip-file`` is suppressed at all its sites.
        """
        # In the order of nearness: readers see the comment next to a site, so it is named, even
        # where the baseline lists the site as well.
        touching = self._touching(plan, plan_snapshot)
        skipped = self._in_skipped_files(plan.changes, plan_snapshot.snapshot)
        sites = (
            self._by_comment(finding, plan_snapshot.snapshot)
            or _by_skipped_file(finding, skipped)
            or self._by_settings(finding)
            or self._by_baseline(finding)
            or self._by_since(finding, touching)
            for finding in plan.findings
        )
        return {
            suppressed.finding.site: suppressed for suppressed in sites if suppressed is not None
        }

    def suppressions(self, path: str, snapshot: Snapshot) -> tuple[Suppression, ...]:
        """Return the suppression comments of one file of ``snapshot``."""
        source = snapshot.get(path)
        if source is None or MARK not in source.text or not path.endswith((".py", ".pyw")):
            return ()
        known = self._read.get(path)
        # By identity: each phase has sources of its own for the files that it changed, and only
        # for those.
        if known is None or known[0] is not source:
            known = self._read[path] = source, suppressions_in(source)
        return known[1]

    def _by_comment(self, finding: Finding, snapshot: Snapshot) -> SuppressedSite | None:
        path = finding.place.path
        comments = self.suppressions(path, snapshot)
        # The nearer one first: a site that skip-file suppresses may have a comment of its own.
        for comment in sorted(comments, key=lambda comment: comment.whole_file):
            covers = comment.whole_file or (
                self._names(comment, finding.rule) and _covers(comment, finding, comments)
            )
            if covers:
                return _suppressed_by(comment, path, finding)
        return None

    def _names(self, comment: Suppression, rule: str) -> bool:
        return any(rule in self.rules_called(name) for name in comment.names)

    def rules_called(self, name: str) -> frozenset[str]:
        """Return the rules that ``name`` means; none for an unknown name."""
        meant = {rule.name for rule in self.rules if name in {rule.name, rule.family}}
        # No rule, but its advice can be suppressed as if it were one.
        return frozenset(meant | ({name} & {UNUSED_SUPPRESSION}))

    def _in_skipped_files(
        self, changes: Iterable[Change], snapshot: Snapshot
    ) -> dict[SiteId, tuple[Suppression, str]]:
        """Return the sites whose changes edit a file with ``skip-file``: that comment and file."""
        skipped: dict[SiteId, tuple[Suppression, str]] = {}
        for change in changes:
            for path in change.paths:
                for comment in self.suppressions(path, snapshot):
                    if comment.whole_file:
                        skipped.update(dict.fromkeys(change.sites, (comment, path)))
        return skipped

    def _by_settings(self, finding: Finding) -> SuppressedSite | None:
        origin = self._ignored(finding.place.path).get(finding.rule)
        return None if origin is None else SuppressedSite(finding, SuppressedBy.SETTINGS, origin)

    def _by_baseline(self, finding: Finding) -> SuppressedSite | None:
        if self.baseline is None or self.baseline.entry_of(finding) not in self._listed:
            return None
        return SuppressedSite(finding, SuppressedBy.BASELINE, self.baseline.file.name)

    def _by_since(self, finding: Finding, touching: frozenset[SiteId]) -> SuppressedSite | None:
        if self.changed is None or finding.site in touching:
            return None
        return SuppressedSite(finding, SuppressedBy.SINCE, self.changed.since)

    def _touching(self, plan: Plan, plan_snapshot: PlanSnapshot) -> frozenset[SiteId]:
        """Return the sites on changed lines, those of the same changes, and what these require."""
        if self.changed is None:
            return frozenset()
        touching = {f.site for f in plan.findings if self._is_changed(f.place, plan_snapshot)}
        by_id = {change.id: change for change in plan.changes}
        waiting = [change for change in plan.changes if not touching.isdisjoint(change.sites)]
        while waiting:
            change = by_id.pop(waiting.pop().id, None)
            if change is not None:
                touching.update(change.sites)
                waiting.extend(by_id[item] for item in change.requires if item in by_id)
        return frozenset(touching)

    def _is_changed(self, place: Place, plan_snapshot: PlanSnapshot) -> bool:
        # On disk, for git knows nothing of what earlier phases made of a file.
        place = plan_snapshot.on_disk(place)
        source = plan_snapshot.before.get(place.path)
        if self.changed is None or source is None:
            return True
        return self.changed.touches(place.path, source.text, place.span)


def _by_skipped_file(
    finding: Finding, skipped: Mapping[SiteId, tuple[Suppression, str]]
) -> SuppressedSite | None:
    pair = skipped.get(finding.site)
    return None if pair is None else _suppressed_by(*pair, finding)


def _suppressed_by(comment: Suppression, path: str, finding: Finding) -> SuppressedSite:
    return SuppressedSite(finding, SuppressedBy.COMMENT, comment.text, Place(path, comment.span))


def _covers(comment: Suppression, finding: Finding, comments: Sequence[Suppression]) -> bool:
    """Whether ``comment`` covers the finding's start; of a comment, what that one covers."""
    if finding.rule != UNUSED_SUPPRESSION:
        return comment.covers_place(finding.place.span)
    spans = (candidate.covers for candidate in comments if candidate.span == finding.place.span)
    return any(covers is not None and covers == comment.covers for covers in spans)


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
