"""Sites of one rule that another rule has to rewrite first.

A later phase sees what an earlier one made. If the earlier rule needs ``--unsafe-fixes``, the later
one still has to wait: the message then names the option.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import structs

from awaken.contract import ChangeId, Finding, Outline, OutlinePart, OutlineRow, Place
from awaken.kit.rule import Rule


class Waiting:
    """Knows which findings wait for a rewrite by another rule, of one run.

    ``findings`` are all of the run, placed on disk; ``pending`` are the changes that only wait for
    ``--unsafe-fixes``.
    """

    def __init__(
        self, rules: Iterable[Rule], findings: Sequence[Finding], pending: Collection[ChangeId]
    ) -> None:
        self._mending = {
            reason.full_code(rule.name): reason.mended_by
            for rule in rules
            for reason in rule.reasons
            if reason.mended_by
        }
        self._pending = pending
        self._found: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
        mending = set(self._mending.values())
        for finding in findings:
            if finding.rule in mending:
                self._found[finding.rule, finding.place.path].append(finding)
        self._waiting: Counter[tuple[str, Place]] = Counter()

    def findings(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return ``findings``; what waits for another rule says so, or that it stays there too."""
        return tuple(map(self._told_finding, findings))

    def _told_finding(self, finding: Finding) -> Finding:
        rule = self._mending.get(finding.reason or "", "")
        here = list(self._findings_here(rule, finding)) if rule else []
        if not here:
            return finding
        left = next((item for item in here if item.change not in self._pending), None)
        if left is not None:
            message = f"{finding.message}, and {rule} leaves it alone: {left.message}"
            return structs.replace(finding, message=message, help=left.help or finding.help)
        self._waiting[rule, finding.place] += 1
        message = f"{finding.message}; {rule} rewrites it first, with --unsafe-fixes"
        help_text = f"Run both rules with `--unsafe-fixes`: {rule} comes first."
        return structs.replace(finding, message=message, help=help_text)

    def _findings_here(self, rule: str, finding: Finding) -> Iterator[Finding]:
        for place in finding.related or (finding.place,):
            for item in self._found[rule, place.path]:
                if item.place.span.overlaps(place.span):
                    yield item

    def outlines(self, outlines: Iterable[Outline]) -> tuple[Outline, ...]:
        """Return ``outlines``, with how many of the places that stop something only wait."""
        return tuple(item if item.change is not None else self._outline(item) for item in outlines)

    def _outline(self, outline: Outline) -> Outline:
        named = {row.place for part in outline.parts for row in part.rows}
        counted: Counter[str] = Counter()
        for (rule, place), number in self._waiting.items():
            counted[rule] += number if place in named else 0
        rows = tuple(
            OutlineRow(f"of these places, which {rule} rewrites first, with --unsafe-fixes", number)
            for rule, number in sorted(counted.items())
            if number
        )
        if not rows:
            return outline
        waits = OutlinePart("waits", "Waits for", rows)
        return structs.replace(outline, parts=(waits, *outline.parts))


def told_findings(
    rules: Iterable[Rule],
    findings: Sequence[Finding],
    outlines: Iterable[Outline],
    pending: Collection[ChangeId],
) -> tuple[tuple[Finding, ...], tuple[Outline, ...]]:
    """Return findings and outlines of a run with the facts of rules that come first."""
    waiting = Waiting(rules, findings, pending)
    return waiting.findings(findings), waiting.outlines(outlines)
