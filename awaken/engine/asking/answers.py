"""Asks about each change of a run, then runs again without the refused ones.

A rule plans again for the rest of a group, so a run may hold new changes: these are asked about
too. It ends with a run in which every change was agreed to, and only such a run is ever written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, structs

from awaken.contract import ChangeId, Finding, SiteId
from awaken.engine.asking.staged_runs import StagedReport
from awaken.engine.report import ChangeSummary, FileChange, Report, RootReport


class Answer(StrEnum):
    """The user's answer about a change; the letters are those of ``git add --patch``."""

    YES = "y"
    NO = "n"
    REST_OF_FILE = "a"
    """Yes, and yes to every later change that touches nothing but this file."""
    NOT_THIS_FILE = "d"
    """No, and no to every later change that touches this file."""
    QUIT = "q"
    """No to this and all later ones."""
    EDITED = "e"
    """The user edited files: everything is to be read again."""


class Question(Struct, frozen=True):
    """One change to decide on.

    ``findings`` are placed on disk, the first of them at the change. ``files`` is what the change
    does after those agreed to before, see ``StagedReport.files_of``. It is the ``number``-th of
    ``total``, as far as that can be known.
    """

    root: RootReport
    change: ChangeSummary
    findings: tuple[Finding, ...]
    files: tuple[FileChange, ...]
    number: int
    total: int

    @property
    def path(self) -> str:
        """The project-relative path of the file of the change."""
        return _path(self.change, self.findings)


ExcludedSites = Mapping[Path, frozenset[SiteId]]
"""By root, the sites that are to stay as they are."""
RunStaged = Callable[[ExcludedSites], StagedReport]
Ask = Callable[[Question], Answer]


class Agreed(Struct, frozen=True):
    """The report of a run whose changes were all agreed to, and how many were refused before."""

    report: Report
    declined: int


def ask_about_all(run_staged: RunStaged, ask: Ask) -> Agreed:
    """Rehearse and ask until every change of a run was agreed to; return that run.

    ``run_staged`` gives the run with some sites left out, ``ask`` the user's answer. Nothing is
    written, and what either of them raises is left alone.
    """
    answers = _Answers()
    offered: dict[tuple[Path, SiteId], Finding] = {}
    while True:
        staged_report = run_staged(answers.excluded_sites())
        for root in staged_report.report.roots:
            for finding in root.findings:
                offered.setdefault((root.root, finding.site), finding)
        if _Round(staged_report, answers, ask).all_agreed():
            break
    roots = tuple(
        _as_offered(root, offered, answers.excluded_sites()) for root in staged_report.report.roots
    )
    return Agreed(structs.replace(staged_report.report, roots=roots), answers.declined)


def _as_offered(
    root: RootReport,
    offered: Mapping[tuple[Path, SiteId], Finding],
    excluded: Mapping[Path, frozenset[SiteId]],
) -> RootReport:
    """Return the report with the findings of sites that were declined as they were offered.

    A rule may say of them that they stay for what is left out: they are not left to do by hand.
    """
    declined = excluded.get(root.root, frozenset())
    findings = tuple(
        structs.replace(offered[root.root, finding.site], place=finding.place)
        if finding.site in declined
        else finding
        for finding in root.findings
    )
    return structs.replace(root, findings=findings)


class _Answers:
    """All answers so far; they hold for later runs as well."""

    def __init__(self) -> None:
        # By what a change does, not by its id: the next run may number its changes otherwise.
        self.agreed: set[tuple[Path, bytes]] = set()
        self.whole_files: set[tuple[Path, str]] = set()
        self.closed_files: set[tuple[Path, str]] = set()
        self.stopped = False
        self.declined = 0
        self._left_out: dict[Path, set[SiteId]] = {}

    def excluded_sites(self) -> dict[Path, frozenset[SiteId]]:
        return {root: frozenset(sites) for root, sites in self._left_out.items()}

    def decline(self, root: Path, change: ChangeSummary) -> None:
        self._left_out.setdefault(root, set()).update(change.sites)
        self.declined += 1


class _Round:
    """The questions about one staged run."""

    def __init__(self, staged_report: StagedReport, answers: _Answers, ask: Ask) -> None:
        self._staged_report = staged_report
        self._answers = answers
        self._ask = ask
        self._edited = False
        self._keys = {
            (root.root, change.id): (root.root, staged_report.identity(root.root, change.id))
            for root in staged_report.report.roots
            for change in root.changes
        }
        self._declined_before = answers.declined
        self._decided = {pair for pair, key in self._keys.items() if key in answers.agreed}

    def all_agreed(self) -> bool:
        """Ask what is to be asked; return whether every change of it was agreed to."""
        # A list, so that every root is asked about even where one of them was not agreed to.
        whole = [self._ask_root(root) for root in self._staged_report.report.roots]
        return all(whole) and not self._edited

    def _ask_root(self, root: RootReport) -> bool:
        """Ask phase by phase: a refusal in one may change the plans of the next ones."""
        gone: set[ChangeId] = set()
        phase = -1
        for phase_of_change, change, findings in self._in_order(root):
            if self._edited or (gone and phase_of_change != phase):
                return False
            phase = phase_of_change
            if not self._decide(root, change, findings, gone):
                gone.add(change.id)
        return not gone

    def _in_order(self, root: RootReport) -> list[tuple[int, ChangeSummary, tuple[Finding, ...]]]:
        findings: dict[ChangeId | None, list[Finding]] = {}
        for finding in root.findings:
            findings.setdefault(finding.change, []).append(finding)
        changes = [
            (self._staged_report.phase_of(root.root, one.id), one, tuple(findings.get(one.id, ())))
            for one in root.changes
        ]
        return sorted(changes, key=_order)

    def _decide(
        self,
        root: RootReport,
        change: ChangeSummary,
        findings: tuple[Finding, ...],
        gone: set[ChangeId],
    ) -> bool:
        """Return whether ``change`` stays in the run; ``gone`` are those of its phase that don't.

        Changes that require one of these are not refused: the next run shows their result.
        """
        with_required = self._staged_report.with_required(root.root, change.id)
        if not gone.isdisjoint(with_required):
            self._decided.add((root.root, change.id))
            return False
        if self._keys[root.root, change.id] in self._answers.agreed:
            return True
        agreed = self._is_wanted(root, change, findings)
        if agreed:
            decided = {(root.root, item) for item in with_required}
            self._answers.agreed.update(self._keys[pair] for pair in decided)
            self._decided |= decided
        elif not self._edited:
            self._answers.decline(root.root, change)
            self._decided.add((root.root, change.id))
        return agreed

    def _is_wanted(
        self, root: RootReport, change: ChangeSummary, findings: tuple[Finding, ...]
    ) -> bool:
        at, answers = root.root, self._answers
        if answers.stopped or any((at, path) in answers.closed_files for path in change.paths):
            return False
        files = self._changes_to_show(root, change)
        if not files:
            return False  # what cannot be shown is not made
        if all((at, file.path) in answers.whole_files for file in files):
            return True
        number, total = (self._declined_before + len(item) for item in (self._decided, self._keys))
        question = Question(root, change, findings, files, number + 1, total)
        return self._take(self._ask(question), at, question.path)

    def _changes_to_show(self, root: RootReport, change: ChangeSummary) -> tuple[FileChange, ...]:
        made = [
            one.id for one in root.changes if self._keys[root.root, one.id] in self._answers.agreed
        ]
        shown = self._staged_report.files_of(root.root, change.id, made)
        # Together with the others it may fail a check that it passes alone; the run decides then.
        return shown or self._staged_report.files_of(root.root, change.id)

    def _take(self, answer: Answer, root: Path, path: str) -> bool:
        if answer is Answer.REST_OF_FILE:
            self._answers.whole_files.add((root, path))
        elif answer is Answer.NOT_THIS_FILE:
            self._answers.closed_files.add((root, path))
        self._answers.stopped = answer is Answer.QUIT
        self._edited = answer is Answer.EDITED
        return answer in {Answer.YES, Answer.REST_OF_FILE}


def _order(asked: tuple[int, ChangeSummary, tuple[Finding, ...]]) -> tuple[int, str, int]:
    phase, change, findings = asked
    start = findings[0].place.span.start if findings else 0
    return phase, _path(change, findings), start


def _path(change: ChangeSummary, findings: tuple[Finding, ...]) -> str:
    return findings[0].place.path if findings else next(iter(change.paths), "")
