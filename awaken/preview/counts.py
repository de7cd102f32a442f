"""The numbers of every summary: sites per level, rule and reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from awaken.contract import Finding, Level
from awaken.engine.report import Diagnostic, LeftToDo, Report, RootReport, SuppressedBy
from awaken.preview.paths import relative
from awaken.preview.streams.visible import visible


class Count(Struct, frozen=True, kw_only=True):
    """The sites of one rule, or of all; ``sites`` = safe + unsafe + manual, advice is apart.

    ``files`` is the number of files that hold them.
    """

    rule: str
    sites: int
    safe: int
    unsafe: int
    manual: int
    advice: int
    files: int


class ReasonCount(Struct, frozen=True):
    """How many sites of ``rule`` are manual for one reason."""

    rule: str
    reason: str
    sites: int


def findings_with_roots(report: Report) -> Iterator[tuple[RootReport, Finding]]:
    """Yield every finding with its root, in the order in which all forms show them."""
    for root in report.roots:
        for finding in root.findings:
            yield root, finding


def todo(left: LeftToDo) -> str:
    """Return what is left to do in one clause: what to add where, and why awaken did not."""
    if not left.add:
        return f"{left.why}: run `{left.command}`" if left.command else left.why
    table = f" to {left.table}" if left.table else ""
    add = " and ".join(f"`{line}`" for line in left.add.splitlines())
    return f"add {add}{table}: {left.why}"


def diagnostics(report: Report) -> Iterator[tuple[RootReport | None, Diagnostic]]:
    """Yield what went wrong: first outside of any root, then per root."""
    for diagnostic in report.diagnostics:
        yield None, diagnostic
    for root in report.roots:
        for diagnostic in root.diagnostics:
            yield root, diagnostic


def count(report: Report, rule: str = "") -> Count:
    """Count the sites of ``rule``, or of all rules."""
    chosen = [
        (root, finding)
        for root, finding in findings_with_roots(report)
        if rule in {"", finding.rule}
    ]
    levels = Counter(finding.level for _, finding in chosen)
    return Count(
        rule=rule,
        sites=levels.total() - levels[Level.ADVICE],
        safe=levels[Level.SAFE],
        unsafe=levels[Level.UNSAFE],
        manual=levels[Level.MANUAL],
        advice=levels[Level.ADVICE],
        files=len({(root.root, finding.place.path) for root, finding in chosen}),
    )


def count_rules(report: Report) -> list[Count]:
    """Return the count of each rule that found something, in the order in which they ran."""
    rules = {finding.rule for _, finding in findings_with_roots(report)}
    order = [rule for rule in report.rules if rule in rules]
    return [count(report, rule) for rule in [*order, *sorted(rules.difference(order))]]


def count_reasons(report: Report) -> list[ReasonCount]:
    """Return how often each reason kept a site manual, the most frequent first."""
    counted = Counter(
        (finding.rule, finding.reason or "")
        for _, finding in findings_with_roots(report)
        if finding.level is Level.MANUAL
    )
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [ReasonCount(rule, reason, sites) for (rule, reason), sites in ordered]


def rewritten_sites(report: Report) -> int:
    """Return the number of sites that the changes in the report's files rewrite."""
    # By root: a site's identity holds within its project.
    return sum(
        len({site for change in root.changes for site in change.sites}) for root in report.roots
    )


class Rewritten(Struct, frozen=True):
    """The ``sites`` that changes rewrite, the ``files`` they are in, and what else changes."""

    sites: int
    files: int
    others: tuple[str, ...]

    @property
    def where(self) -> str:
        """``3 sites in 2 files``."""
        return f"{plural(self.sites, 'site')} in {plural(self.files, 'file')}"

    @property
    def other_files(self) -> str:
        """The other files by name, or their number if they are more than two; empty for none."""
        if len(self.others) > _NAMED or any(len(name) > _LONG for name in self.others):
            return plural(len(self.others), "other file")
        return " and ".join(self.others)

    def words(self, verb: str = "") -> str:
        """Return ``3 sites rewritten in 2 files, plus pytest.ini``, with ``verb`` as said."""
        sites = " ".join(filter(None, [plural(self.sites, "site"), verb]))
        plus = f", plus {self.other_files}" if self.others else ""
        return f"{sites} in {plural(self.files, 'file')}{plus}"


_LONG = 80
"""Characters of a name that a sentence has room for: a choice."""
_NAMED = 2
"""As many files without a site are named: pytest.ini and a list of requirements are the usual."""


def rewritten(report: Report, current: Path | None = None) -> Rewritten:
    """Return what the changes in the report's files rewrite, with names relative to ``current``.

    Without it they are relative to their project. Every other count of a change is of this one.
    """
    with_sites = {
        (root.root, finding.place.path)
        for root, finding in findings_with_roots(report)
        if finding.change in root.change_ids
    }
    changed = [(root.root, file.path) for root in report.roots for file in root.files]
    others = [pair for pair in changed if pair not in with_sites]
    if len(others) == len(changed):  # nothing is known of their sites
        others = []
    return Rewritten(
        rewritten_sites(report),
        len(changed) - len(others),
        tuple(
            visible(path if current is None else relative(root, path, current))
            for root, path in others
        ),
    )


def changed_files(report: Report) -> int:
    """Return the number of files that differ after the run, created ones included."""
    return sum(len(root.files) for root in report.roots)


_SUPPRESSED_WORDS = {
    SuppressedBy.COMMENT: ("a comment", "comments"),
    SuppressedBy.SETTINGS: ("the settings", "the settings"),
    SuppressedBy.BASELINE: ("the baseline", "the baseline"),
    SuppressedBy.SINCE: ("--since", "--since"),
}


def count_suppressed(report: Report) -> Counter[str]:
    """Return how many sites of each rule are suppressed, whatever their level."""
    return Counter(
        suppressed.finding.rule for root in report.roots for suppressed in root.suppressed
    )


def suppressed_words(report: Report) -> str:
    """Return ``3 held: 2 by comments, 1 by the baseline``; empty if nothing is suppressed."""
    counted = Counter(suppressed.by for root in report.roots for suppressed in root.suppressed)
    parts = [
        (number, f"by {_SUPPRESSED_WORDS[by][number > 1]}")
        for by in SuppressedBy
        if (number := counted[by])
    ]
    if len(parts) == 1:
        return f"{parts[0][0]:,} held {parts[0][1]}"
    listed = ", ".join(f"{number:,} {words}" for number, words in parts)
    return f"{counted.total():,} held: {listed}" if parts else ""


def level_words(findings: Iterable[Finding]) -> str:
    """Return ``3 safe, 1 manual``: the levels that occur, in the order of the vocabulary."""
    levels = Counter(finding.level for finding in findings)
    return ", ".join(f"{levels[level]} {level.value}" for level in Level if levels[level])


def plural(number: int, noun: str) -> str:
    """Return ``1 site`` or ``2 sites``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def needs_of(report: Report) -> str:
    """Return how many sites need which other versions; empty where no rule does."""
    unmet = [need for root in report.roots for need in root.unmet]
    if not unmet:
        return ""
    needs = " and ".join(dict.fromkeys(need.needs for need in unmet))
    number = sum(need.sites for need in unmet)
    return f"{plural(number, 'site')} {'needs' if number == 1 else 'need'} {needs}"


_NAME = re.compile(r"`[^`]+`")
_BETWEEN_CLAUSES = re.compile(r"; (?=[^`]*(?:`[^`]*`[^`]*)*$)")


class Caveat(Struct, frozen=True):
    """One row: its ``text``, the number of places, and the ``first`` of its sentences."""

    text: str
    count: int
    first: str

    @property
    def equal_sentences(self) -> int:
        """How many equal sentences the text is for; 1 where it says itself of what."""
        return self.count if self.text == self.first else 1


def clauses(message: str) -> list[str]:
    """Return the parts of a message between its semicolons, those of quoted code aside.

    The first says what a rewrite does, the others what it may change.
    """
    return _BETWEEN_CLAUSES.split(message)


def grouped_rows(sentences: Iterable[tuple[str, int]]) -> list[Caveat]:
    """Return the rows of ``sentences``, each with its number of places; none is left out.

    Joined are those that are equal after their first semicolon, where what may change begins, and
    those that are equal but for their first name in backquotes.
    """
    alike: dict[str, dict[str, int]] = {}
    for sentence, count in sentences:
        key = "; ".join(clauses(sentence)[1:]) or _NAME.sub("`", sentence, count=1)
        rows = alike.setdefault(key, {})
        rows[sentence] = rows.get(sentence, 0) + count
    return [_joined_caveat(rows) for rows in alike.values()]


def _joined_caveat(rows: dict[str, int]) -> Caveat:
    first, *others = rows
    count = sum(rows.values())
    rewrite, *caveats = clauses(first)
    if others and caveats:
        return Caveat(
            f"{'; '.join(caveats)} ({count:,} times, first where {rewrite})", count, first
        )
    also = [match[0] for sentence in others if (match := _NAME.search(sentence))]
    text = f"{first} (also {', '.join(also)})" if also else first
    return Caveat(text, count, first)
