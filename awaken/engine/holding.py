"""What holds a site back though a rule found it: a comment, a setting, the baseline, ``--since``.

Nobody subtracts edits from a finished change. A held site is pinned and its rule plans again, so
the rule decides what the rest of the group does; the site keeps its level and is counted apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.contract import Change, Finding, Level, Place, Plan, Rule, SiteId
from awaken.contract.nearest import did_you_mean
from awaken.engine.baseline import Baseline
from awaken.engine.changed_lines import ChangedLines
from awaken.engine.report import Diagnostic, Held, HeldBy
from awaken.project.sources import Snapshot, SourceFile
from awaken.project.suppressions import MARK, Suppression, suppressions_in

UNUSED = "unused-suppression"
"""The rule of the advice about comments that hold nothing back."""


def _same_place(place: Place) -> Place:
    return place


class Moment(Struct, frozen=True):
    """When a plan is made: on which snapshot, and how its places lead back to what is on disk."""

    snapshot: Snapshot
    before: Snapshot
    on_disk: Callable[[Place], Place] = _same_place


class Holding:
    """What holds sites of one project back; the same answer for the same question.

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
        self._rules = tuple(rules)
        self._ignored = ignored
        self.baseline = baseline
        self._listed = frozenset(baseline.entries if baseline else ())
        self._changed = changed
        self._read: dict[str, tuple[SourceFile, tuple[Suppression, ...]]] = {}

    def fingerprint(self) -> tuple[object, ...]:
        """Return what decides the answers beside files and settings, the same for the same."""
        return (
            sorted((rule.name, rule.family, rule.preview) for rule in self._rules),
            sorted(self._listed),
            str(self.baseline.file) if self.baseline else "",
            self._changed.fingerprint() if self._changed else (),
        )

    def find(self, plan: Plan, moment: Moment) -> dict[SiteId, Held]:
        """Return which sites of ``plan`` are held, placed where the plan has them.

        A change that would edit a file with ``skip-file`` is held at all its sites.
        """
        touching = self._touching(plan, moment)
        skipped = self._in_skipped_files(plan.changes, moment.snapshot)
        found = (
            self._by_comment(finding, moment.snapshot)
            or skipped.get(finding.site, _nothing)(finding)
            or self._by_settings(finding)
            or self._by_baseline(finding)
            or self._by_since(finding, touching)
            for finding in plan.findings
        )
        return {held.finding.site: held for held in found if held is not None}

    def suppressions(self, path: str, snapshot: Snapshot) -> tuple[Suppression, ...]:
        """Return the suppression comments of one file of ``snapshot``."""
        source = snapshot.get(path)
        if source is None or MARK not in source.text or not path.endswith((".py", ".pyw")):
            return ()
        known = self._read.get(path)
        if known is None or known[0] is not source:
            known = self._read[path] = source, suppressions_in(source)
        return known[1]

    def _by_comment(self, finding: Finding, snapshot: Snapshot) -> Held | None:
        path = finding.place.path
        comments = self.suppressions(path, snapshot)
        # the nearer one first: what skip-file holds may be held by a comment of its own
        for comment in sorted(comments, key=lambda comment: comment.whole_file):
            covers = comment.whole_file or (
                self._names(comment, finding.rule) and _covers(comment, finding, comments)
            )
            if covers:
                return _by(comment, path)(finding)
        return None

    def _names(self, comment: Suppression, rule: str) -> bool:
        return any(rule in self._meant(name) for name in comment.names)

    def _meant(self, name: str) -> frozenset[str]:
        """Return the rules that ``name`` stands for; none for a name that nobody knows."""
        meant = {rule.name for rule in self._rules if name in {rule.name, rule.family}}
        return frozenset(meant | ({name} & {UNUSED}))

    def _in_skipped_files(
        self, changes: Iterable[Change], snapshot: Snapshot
    ) -> dict[SiteId, Callable[[Finding], Held | None]]:
        skipped: dict[SiteId, Callable[[Finding], Held | None]] = {}
        for change in changes:
            for path in change.paths:
                for comment in self.suppressions(path, snapshot):
                    if comment.whole_file:
                        skipped.update(dict.fromkeys(change.sites, _by(comment, path)))
        return skipped

    def _by_settings(self, finding: Finding) -> Held | None:
        origin = self._ignored(finding.place.path).get(finding.rule)
        return None if origin is None else Held(finding, HeldBy.SETTINGS, origin)

    def _by_baseline(self, finding: Finding) -> Held | None:
        if self.baseline is None or self.baseline.entry_of(finding) not in self._listed:
            return None
        return Held(finding, HeldBy.BASELINE, self.baseline.file.name)

    def _by_since(self, finding: Finding, touching: frozenset[SiteId]) -> Held | None:
        if self._changed is None or finding.site in touching:
            return None
        return Held(finding, HeldBy.SINCE, self._changed.since)

    def _touching(self, plan: Plan, moment: Moment) -> frozenset[SiteId]:
        """Return the sites on changed lines, those of the same changes, and what these require."""
        if self._changed is None:
            return frozenset()
        touching = {f.site for f in plan.findings if self._is_changed(f.place, moment)}
        by_id = {change.id: change for change in plan.changes}
        waiting = [change for change in plan.changes if not touching.isdisjoint(change.sites)]
        while waiting:
            change = by_id.pop(waiting.pop().id, None)
            if change is not None:
                touching.update(change.sites)
                waiting.extend(by_id[one] for one in change.requires if one in by_id)
        return frozenset(touching)

    def _is_changed(self, place: Place, moment: Moment) -> bool:
        place = moment.on_disk(place)
        source = moment.before.get(place.path)
        if self._changed is None or source is None:
            return True
        return self._changed.touches(place.path, source.text, place.span)

    def advise(
        self,
        before: Snapshot,
        held: Sequence[Held],
        ran: frozenset[str],
        trouble: Sequence[Diagnostic],
    ) -> tuple[list[Finding], list[Held]]:
        """Return the advice about the comments of files on disk, and what of it is held itself.

        ``held`` are placed on disk, ``ran`` are the names of the rules that ran. What could not
        be read or planned is no reason to call a comment unused.
        """
        plan = Plan(tuple(self._advice(before, held, ran, trouble)))
        found = self.find(plan, Moment(before, before))
        shown = [finding for finding in plan.findings if finding.site not in found]
        return shown, list(found.values())

    def _advice(
        self,
        before: Snapshot,
        held: Sequence[Held],
        ran: frozenset[str],
        trouble: Sequence[Diagnostic],
    ) -> Iterator[Finding]:
        unread = {diagnostic.path for diagnostic in trouble}
        used = _Used(held)
        for path in sorted(before):
            equals: Counter[str] = Counter()
            for comment in self.suppressions(path, before):
                known = frozenset() if unread & {path, ""} else ran
                said = list(self._complaints(comment, path, used, known))
                if said:
                    yield _unused(path, comment, said, equals[comment.text])
                    equals[comment.text] += 1

    def _complaints(
        self, comment: Suppression, path: str, used: _Used, ran: frozenset[str]
    ) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with ``comment``, each with what to do."""
        if comment.wrong:
            yield f"`{comment.text}` {comment.wrong}, so it holds nothing back", comment.cure
            return
        names = {rule.name for rule in self._rules} | {rule.family for rule in self._rules}
        unknown = [name for name in comment.names if name not in names and name != UNUSED]
        for name in unknown:
            hint = did_you_mean(name, names, "`awaken rules` lists them all")
            yield (
                f"`{comment.text}` names no rule or family {name!r}{hint}",
                "Write the name as `awaken rules` lists it.",
            )
        if comment.covers is None:
            yield (
                f"`{comment.text}` stands above no statement, so it holds nothing back",
                "Write it on the line of the site, or directly above it.",
            )
            return
        idle = [
            name
            for name in comment.names
            if name not in unknown and self._is_idle(name, comment, path, used, ran)
        ]
        if len(idle) == len(comment.names) > 0:
            yield f"`{comment.text}` holds nothing back", "Remove the comment."
        elif idle:
            listed = ", ".join(f"`{name}`" for name in idle)
            yield f"{listed} in `{comment.text}` holds nothing back", f"Remove {listed}."

    def _is_idle(
        self, name: str, comment: Suppression, path: str, used: _Used, ran: frozenset[str]
    ) -> bool:
        """Whether all rules that ``name`` stands for ran, and nothing was held by it.

        A family does not stand for rules in preview here: those run by name only.
        """
        expected = {
            rule.name
            for rule in self._rules
            if name == rule.name or (name == rule.family and not rule.preview)
        }
        return (
            bool(expected) and expected <= ran and not used.rules(path, comment) & self._meant(name)
        )


class _Used:
    """Which rules' sites each comment held, known by its place and words."""

    def __init__(self, held: Sequence[Held]) -> None:
        self._by_path: dict[str, list[tuple[Place, str, str]]] = {}
        for one in held:
            if one.by is HeldBy.COMMENT and one.place is not None:
                entry = one.place, one.note, one.finding.rule
                self._by_path.setdefault(one.place.path, []).append(entry)

    def rules(self, path: str, comment: Suppression) -> set[str]:
        """Return the rules of the sites that ``comment`` held.

        A comment that a change moved leads back to the whole of what was rewritten around it.
        """
        return {
            rule
            for place, text, rule in self._by_path.get(path, ())
            if text == comment.text and place.span.overlaps(comment.span)
        }


def _nothing(finding: Finding) -> None:
    del finding


def _by(comment: Suppression, path: str) -> Callable[[Finding], Held]:
    place = Place(path, comment.span)
    return lambda finding: Held(finding, HeldBy.COMMENT, comment.text, place)


def _covers(comment: Suppression, finding: Finding, comments: Sequence[Suppression]) -> bool:
    """Whether ``comment`` covers the finding's start; of a comment, what that one covers."""
    if finding.rule != UNUSED:
        return comment.covers_place(finding.place.span)
    spans = (one.covers for one in comments if one.span == finding.place.span)
    return any(covers is not None and covers == comment.covers for covers in spans)


def _unused(
    path: str, comment: Suppression, said: Sequence[tuple[str, str]], number: int
) -> Finding:
    key = "\0".join((UNUSED, path, comment.text, str(number)))
    return Finding(
        site=SiteId(hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]),
        rule=UNUSED,
        level=Level.ADVICE,
        place=Place(path, comment.span),
        scope="<module>",
        message="; ".join(message for message, _ in said),
        cure=" ".join(dict.fromkeys(cure for _, cure in said)),
    )
