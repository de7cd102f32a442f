"""Verification: the tests of a project run in a copy, before and after the changes.

A change that makes a test fail is found and left out, and the rest is verified again as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from awaken import api
from awaken.contract import ChangeId, Level, SiteId, UserError
from awaken.engine.report import ChangeSummary, Report, RootReport
from awaken.verifying.blame import ChangedLines, guilty, suspects
from awaken.verifying.comparing import Difference, Sql, compare
from awaken.verifying.copies import copied, write
from awaken.verifying.requests.sending import TestsAndRequests
from awaken.verifying.suites import Suite, SuiteRun
from awaken.workspace.manifests.manifest_readers import MANIFEST_NAMES, read_manifest
from awaken.workspace.manifests.targets import read_requirement_files
from awaken.workspace.reading import overlaid, working_tree

Say = Callable[[str], None]
"""Is told what begins now, in one clause."""

_ROUNDS = 20
"""Guilty changes that are left out one after the other; with more something else is wrong."""


_ASYNC_EXTRA = b"sqlalchemy[asyncio]"
"""What a manifest names, and what it brings is greenlet."""


class LeftOut(Struct, frozen=True):
    """A change that is left out because a test needs that; ``root`` is its project.

    ``why`` is what the first of ``tests`` failed by.
    """

    root: Path
    change: ChangeSummary
    tests: tuple[Difference, ...]
    why: str


class Verification(Struct, frozen=True):
    """What the tests say of a run: ``report`` has the changes that held.

    ``differences`` are the tests that still do not do the same, ``flaky`` those that do not do the
    same twice, and ``varying`` those whose statements alone differ from run to run.
    ``unexplained`` are failures of which no change alone, or one that is whole or not at all, is
    guilty: nothing may be applied then. ``not_exercised`` are changes of which no test reaches a
    line.
    """

    report: Report
    before: SuiteRun
    after: SuiteRun
    differences: tuple[Difference, ...] = ()
    flaky: tuple[str, ...] = ()
    varying: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unexplained: tuple[Difference, ...] = ()
    whole: LeftOut | None = None
    not_exercised: tuple[tuple[Path, ChangeSummary], ...] = ()
    runs: int = 2
    notes: tuple[str, ...] = ()


class Requests(Struct, frozen=True):
    """That requests are sent as well; ``application`` is ``module:name`` of what answers."""

    application: str | None = None


def verify(  # noqa: PLR0913  what is run, and where
    paths: Sequence[Path],
    options: api.Options,
    command: Sequence[str],
    carry: Sequence[str] = (),
    say: Say = lambda _clause: None,
    requests: Requests | None = None,
) -> Verification | None:
    """Return what the tests say of the changes of a run; None where the run has no changes.

    ``command`` runs the tests, by pytest. The user's tree is not touched. Raises UserError where
    no test ran, and where what ran is not the copy.
    """
    report = api.run(paths, options)
    if not any(root.files for root in report.roots):
        return None
    top = _top_of(report)
    plan = _Plan(report, paths, options)
    with copied(top, carry) as place:
        copy = _Copy(place, top)
        suite = Suite(place, top, command, copy.files(report))
        if requests is None:
            suite.needs = _needed(report)
            return _Verifier(plan, copy, suite, say).verified()
        project = place / copy.prefix(next(root for root in report.roots if root.files))
        asked = TestsAndRequests(suite, (place, top, project), command, requests.application)
        asked.needs = _needed(report)
        result = _Verifier(plan, copy, asked, say).verified()
        notes = [
            *asked.notes(result.before, result.after),
            *reached_by(result.report, copy, result.after),
        ]
        return structs.replace(result, notes=tuple(notes))


def reached_by(report: Report, copy: _Copy, run: SuiteRun) -> Iterable[str]:
    """Yield for each change which tests and requests run a line of it."""
    for root in report.roots:
        lines = ChangedLines(root, copy.prefix(root))
        for change in root.changes:
            own = lines.lines_of(change.id)
            names = [test.name for test in run.tests.values() if not own.isdisjoint(test.lines)]
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004
                listed = ", ".join(names[:3])
                yield f"{change.title} ({', '.join(change.paths)}) is reached by {listed}{more}."


def _needed(report: Report) -> set[str]:
    """Return the distributions that the manifests name after the changes, and not before."""
    needed: set[str] = set()
    for root in report.roots:
        files = {root.root / file.path: file.after.raw() for file in root.files}
        before = _declared(root.root)
        with overlaid(files):
            needed |= _declared(root.root) - before
        for file in root.files:
            texts = (b"" if file.before is None else file.before.text, file.after.text)
            if [_ASYNC_EXTRA in text.lower() for text in texts] == [False, True]:
                needed.add("greenlet")
    return needed


def _declared(root: Path) -> set[str]:
    manifests = [read_manifest(root, name) for name in MANIFEST_NAMES]
    manifests += read_requirement_files(root, manifests)
    return {each.name for one in manifests for each in (*one.required, *one.optional)}


def _top_of(report: Report) -> Path:
    tops = {working_tree(root.root) or root.root for root in report.roots if root.files}
    if len(tops) > 1:
        listed = " and ".join(sorted(map(str, tops)))
        raise UserError(f"the changes are in several repositories ({listed}); verify one of them")
    return tops.pop()


class _Copy(Struct, frozen=True):
    """The copy at ``place`` of the repository at ``top``."""

    place: Path
    top: Path

    def prefix(self, root: RootReport) -> str:
        """Return what the paths of a project begin with in the copy."""
        inside = os.path.relpath(root.root, self.top)
        return "" if inside == os.curdir else f"{Path(inside).as_posix()}/"

    def files(self, report: Report) -> dict[str, tuple[bytes | None, bytes]]:
        """Return the files that ``report`` changes, before and after."""
        return {
            f"{self.prefix(root)}{file.path}": (
                None if file.before is None else file.before.raw(),
                file.after.raw(),
            )
            for root in report.roots
            for file in root.files
        }


class _Plan(Struct, frozen=True):
    """A run and its report; the same run without some sites is planned again."""

    report: Report
    paths: Sequence[Path]
    options: api.Options

    def without(self, sites: Mapping[Path, frozenset[SiteId]]) -> Report:
        """Return the report of the run that leaves ``sites`` alone."""
        options = structs.replace(self.options, excluded_in=dict(sites), use_cache=False)
        return api.run(self.paths, options)


class _Verifier:
    def __init__(self, plan: _Plan, copy: _Copy, suite: Suite, say: Say) -> None:
        self._plan, self._copy, self._suite, self._say = plan, copy, suite, say
        report = self._report = plan.report
        self._touched = copy.files(report)
        self._excluded: dict[Path, frozenset[SiteId]] = {}
        self._runs = 0
        self._is_safe = all(
            change.level is Level.SAFE for root in report.roots for change in root.changes
        )

    def verified(self) -> Verification:
        """Run the tests before and after, and leave out what is guilty."""
        self._say("running the tests before the changes")
        before = self._run()
        _require_tests(before)
        left_out: list[LeftOut] = []
        flaky: set[str] = set()
        varying: set[str] = set()
        result: Verification | None = None
        while len(left_out) < _ROUNDS:
            self._say("running the tests after the changes")
            self._write(self._report)
            after = self._run(watch=True)
            self._require_copy(after)
            differences = [one for one in compare(before, after) if one.before.name not in flaky]
            doubtful = [one for one in differences if one.sql is not Sql.COLUMNS]
            chance = self._chance(before, after, doubtful)
            flaky |= {one.before.name for one in chance if one.is_failure}
            varying |= {one.before.name for one in chance if not one.is_failure}
            differences = [one for one in differences if one not in chance]
            failures = [one for one in differences if self._fails(one)]
            result = Verification(
                report=self._report,
                before=before,
                after=after,
                differences=tuple(differences),
                flaky=tuple(sorted(flaky)),
                varying=tuple(sorted(varying)),
                left_out=tuple(left_out),
                not_exercised=tuple(self._not_exercised(after)),
                runs=self._runs,
            )
            if not failures:
                return result
            found = self._guilty(after, failures)
            whole = next((one for one in found if self._is_whole(one)), None)
            if not found or whole is not None:
                result = structs.replace(result, whole=whole, runs=self._runs)
                return structs.replace(result, unexplained=tuple(failures))
            left_out += found
            self._exclude(found)
            self._report = self._plan.without(self._excluded)
        if result is None:
            raise AssertionError
        return structs.replace(result, unexplained=tuple(result.differences))

    # --------------------------------------------------------------------------------------- runs
    def _run(self, only: Iterable[str] = (), *, watch: bool = False) -> SuiteRun:
        self._runs += 1
        return self._suite.run(tuple(only), watch=watch)

    def _write(self, report: Report | None) -> None:
        """Put the files of ``report`` into the copy; None writes those before all changes."""
        files = {name: before for name, (before, _) in self._touched.items()}
        if report is not None:
            files |= {name: after for name, (_, after) in self._copy.files(report).items()}
        write(self._copy.place, files)

    def _require_copy(self, run: SuiteRun) -> None:
        for place in run.modules.values():
            name = os.path.relpath(place, self._copy.top)
            if name in self._touched:
                raise UserError(
                    f"the tests imported {place}, not the copy that has the changes; "
                    "uninstall the project there, or install it in editable mode without hooks"
                )

    def _chance(
        self, before: SuiteRun, after: SuiteRun, differences: Sequence[Difference]
    ) -> list[Difference]:
        """Return the differences that do not come again when their tests run on both sides.

        Nor do those count that two runs of one side have as well.
        """
        if not differences or after.exit_code is None:
            return []
        names = [one.before.name for one in differences]
        self._say(f"running {len(names)} tests again on both sides")
        again = self._run(names)
        self._write(None)
        first = self._run(names)
        self._write(self._report)
        anew, noise = _kinds(first, again), [_kinds(before, first), _kinds(after, again)]
        return [
            one
            for one in differences
            if anew.get(one.before.name) != _kind(one)
            or any(kinds.get(one.before.name) == _kind(one) for kinds in noise)
        ]

    # -------------------------------------------------------------------------------------- blame
    def _fails(self, one: Difference) -> bool:
        """Whether a difference speaks against the changes, not for them."""
        was_red = one.before.outcome in {"failed", "error"}
        if one.is_failure:
            return not was_red
        return self._is_safe and one.sql in {Sql.MORE, Sql.DIFFERENT}

    def _guilty(self, after: SuiteRun, failures: Sequence[Difference]) -> list[LeftOut]:
        # A test that never ended kept the others from running.
        asked = failures[:1] if after.exit_code is None else failures
        names = [one.before.name for one in asked]
        found: list[LeftOut] = []
        for root in self._report.roots:
            changes = {change.id: change for change in root.changes}
            if not changes:
                continue
            self._say(f"looking for the change that {len(names)} tests fail by")
            lines = ChangedLines(root, self._copy.prefix(root)).by_line
            first = suspects([one.after for one in asked if one.after is not None], lines)
            ids = guilty(list(changes), first, self._trial(root, asked))
            why = _why(asked[0], after)
            found += [LeftOut(root.root, changes[one], tuple(asked), why) for one in sorted(ids)]
            if found:
                break
        return found

    def _trial(
        self, root: RootReport, failures: Sequence[Difference]
    ) -> Callable[[frozenset[ChangeId]], bool]:
        names = [one.before.name for one in failures]
        sites = {change.id: frozenset(change.sites) for change in root.changes}

        whole = {one.change: one.rule for one in root.outlines if one.change in root.made}

        def fails(left_out: frozenset[ChangeId]) -> bool:
            own = self._excluded.get(root.root, frozenset())
            more = frozenset(site for one in left_out for site in sites[one])
            report = self._plan.without({**self._excluded, root.root: own | more})
            kept = {one.rule for each in report.roots for one in each.outlines if one.change}
            # A change that others wait for took the whole with it, which says nothing of itself.
            if any(rule not in kept for one, rule in whole.items() if one not in left_out):
                return True
            self._write(report)
            run = self._run(names)
            befores = {one.before.name: one.before for one in failures}
            before = SuiteRun(befores, 0, 0.0, {}, frozenset(), "")
            return any(self._fails(one) for one in compare(before, run))

        return fails

    def _exclude(self, found: Iterable[LeftOut]) -> None:
        for one in found:
            own = self._excluded.get(one.root, frozenset())
            self._excluded[one.root] = own | frozenset(one.change.sites)

    def _is_whole(self, one: LeftOut) -> bool:
        """Whether a change is one of a program as a whole: a part of it must not be left out."""
        roots = (root for root in self._report.roots if root.root == one.root)
        return any(outline.change == one.change.id for root in roots for outline in root.outlines)

    def _not_exercised(self, after: SuiteRun) -> Iterable[tuple[Path, ChangeSummary]]:
        reached = set(after.imported).union(*(test.lines for test in after.tests.values()))
        for root in self._report.roots:
            lines = ChangedLines(root, self._copy.prefix(root))
            for change in root.changes:
                own = lines.lines_of(change.id)
                if own and reached.isdisjoint(own):
                    yield root.root, change


def _why(one: Difference, after: SuiteRun) -> str:
    """Return what a test failed by; the last words of the run where it did not even begin."""
    if one.after is not None:
        return one.after.result if one.is_failure else f"SQL is {one.sql.value}"
    if after.exit_code is None:
        return "it did not end"
    lines = [line.strip() for line in after.output.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Error" in line), "it did not run")


def _kinds(before: SuiteRun, after: SuiteRun) -> dict[str, tuple[bool, Sql]]:
    return {one.before.name: _kind(one) for one in compare(before, after)}


def _kind(one: Difference) -> tuple[bool, Sql]:
    return one.is_failure, one.sql


def _require_tests(run: SuiteRun) -> None:
    if run.missing:
        needs = " and ".join(run.missing)
        raise UserError(
            f"the changes need {needs}, which the environment of the tests does not have; "
            f"install it, for instance by `pip install {' '.join(run.missing)}`, and run this again"
        )
    ran = [test for test in run.tests.values() if test.outcome != "skipped"]
    if ran:
        return
    if run.exit_code is None:
        raise UserError(f"the tests did not end within {run.seconds:.0f} s")
    lines = [line.strip() for line in run.output.splitlines() if line.strip()]
    last = f" ({lines[-1]})" if lines else ""
    raise UserError(
        f"the command ran no test by pytest, so it proves nothing{last}; "
        "name a command that does after --, such as `-- pytest tests`"
    )
