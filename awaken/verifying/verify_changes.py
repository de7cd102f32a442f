"""Verification: the tests of a project run in a copy, before and after the changes.

A change that makes a test fail is found and left out, and the rest is verified again as a whole.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from msgspec import Struct, structs

from awaken import api
from awaken.contract import Level, UserError
from awaken.engine.asking.chosen_changes import ChangeKey, Sites, joined_sites, run_chosen
from awaken.engine.report import ChangeSummary, Report
from awaken.verifying.blame import ChangedLines, Trial, Try, guilty, prefix_of, suspects
from awaken.verifying.copies import CopiedFiles, copy_of_project, install
from awaken.verifying.exercised import NotExercised, not_exercised
from awaken.verifying.requests.sending import TestsAndRequests
from awaken.verifying.sufficient_runs import (
    RED,
    Difference,
    Sql,
    as_one_test,
    compare,
    failing,
    is_ended,
    named_text,
    require_again,
    require_tests,
    tests_in_words,
    why_it_failed,
)
from awaken.verifying.suites import Copy, Environment, Line, Suite, SuiteRun, Watched
from awaken.workspace.manifests.manifest_readers import MANIFEST_NAMES, read_manifest
from awaken.workspace.manifests.targets import read_requirement_files
from awaken.workspace.reading import overlaid, working_tree

Say = Callable[[str], None]
"""Is told what begins now, in one clause."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_ASYNC_MODE = re.compile(rb"^asyncio_mode\b", re.MULTILINE)

_ROUNDS = 20
"""Guilty changes that are left out one after the other; with more something else is wrong."""


_WORSE = {Sql.MORE, Sql.DIFFERENT}
"""Statements by which a test fails that runs safe changes alone."""


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
    """The result of the tests for a run: ``report`` has the changes that held.

    ``selected`` are the tests that reach a changed file and ran after the changes, None for all.
    ``differences`` are the tests that still do not do the same, ``flaky`` those that do not do the
    same twice, and ``varying`` those whose statements alone differ from run to run.
    ``unexplained`` are failures of which no change alone, or one that is whole or not at all, is
    guilty: nothing may be applied then. ``not_exercised`` are changes of which no test runs
    anything, or not all functions.
    """

    report: Report
    before: SuiteRun
    after: SuiteRun
    selected: frozenset[str] | None = None
    differences: tuple[Difference, ...] = ()
    flaky: tuple[str, ...] = ()
    varying: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unexplained: tuple[Difference, ...] = ()
    whole: LeftOut | None = None
    not_exercised: tuple[NotExercised, ...] = ()
    runs: int = 2
    notes: tuple[str, ...] = ()

    @property
    def unreached_sites(self) -> int:
        """How many sites are in functions that no test runs."""
        return sum(item.sites for item in self.not_exercised)

    @property
    def output_differs(self) -> bool:
        """Whether the command printed something else, but for numbers such as seconds."""
        return _NUMBER.sub("0", self.before.output) != _NUMBER.sub("0", self.after.output)


class Where(Enum):
    """Where the command runs; in the directory of the project where the user is elsewhere."""

    HERE = "where the user is in the repository"
    HERE_IN_PROJECT = "where the user is in the project"
    PROJECT = "in the directory of the project"


PlanWithout = Callable[[Sites], Report]
"""Plans a run that leaves these sites alone, by root."""


def verify(
    paths: Sequence[Path],
    options: api.Options,
    command: Sequence[str],
    *,
    every: bool = False,
    requests: Requests | None = None,
) -> Verification | None:
    """Return what the tests say of the changes of a run; None where the run has no changes.

    ``command`` runs the tests, by pytest where single tests are to be compared. With ``every`` all
    tests run after the changes, not only those that reach a changed file. The user's tree is not
    touched. Raises UserError where no test ran, and where what ran is not the copy.
    """
    tests = Tests(command, every=every, requests=requests)
    return verify_report(api.run(paths, options), planner(paths, options), tests)


def planner(paths: Sequence[Path], options: api.Options) -> PlanWithout:
    """Return what plans a run of ``paths`` again."""
    return lambda sites: api.run(
        paths, structs.replace(options, excluded_in=sites, use_cache=False)
    )


class Requests(Struct, frozen=True):
    """That requests are sent as well; ``application`` is ``module:name`` of what answers."""

    application: str | None = None


class Tests(Struct, frozen=True):
    """How the tests of a project run: the command, where, files that git ignores, whether all do.

    The paths of ``carry`` are relative to that directory, or to that of the project.
    """

    command: Sequence[str]
    carry: Sequence[str] = ()
    where: Where = Where.HERE
    every: bool = False
    requests: Requests | None = None


def verify_report(
    report: Report, without: PlanWithout, tests: Tests, say: Say = lambda _clause: None
) -> Verification | None:
    """Return what the tests say of ``report``, as ``verify`` does; ``without`` plans it again."""
    if not any(root.files for root in report.roots):
        return None
    top = _top_of(report)
    projects = [root.root for root in report.roots if root.files]
    directory = _directory_of(top, projects, tests.where)
    with copy_of_project(top, tests.carry, [directory, *projects]) as path:
        inside, *others = (os.path.relpath(project, top) for project in (directory, *projects))
        copy = Copy(path, top, inside, tuple(others))
        suite = Suite(copy, tests.command)
        if tests.requests is not None:
            named = tests.requests.application
            suite = TestsAndRequests(suite, copy, path / others[0], tests.command, named)
        result = _Verifier(report, without, copy, suite, say).verify(
            every=tests.every or tests.requests is not None
        )
        if isinstance(suite, TestsAndRequests):
            notes = [*suite.notes(result.before, result.after), *_reaching(result)]
            result = structs.replace(result, notes=tuple(notes))
        return result


def _directory_of(top: Path, projects: Sequence[Path], where: Where) -> Path:
    """Return where the tests of ``projects`` run, in the user's tree."""
    project = Path(os.path.commonpath(projects))
    here = Path(os.path.realpath(Path.cwd()))
    around = {Where.HERE: top, Where.HERE_IN_PROJECT: project, Where.PROJECT: None}[where]
    return here if around is not None and here.is_relative_to(around) else project


def _reaching(result: Verification) -> Iterable[str]:
    """Yield for each rule and file which tests and requests run a changed line of it."""
    reaching: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for root in result.report.roots:
        lines = ChangedLines(root, prefix_of(root))
        for change in root.changes:
            own = lines.lines_of(change.id)
            tests = result.after.tests.values()
            names = [test.name for test in tests if not own.isdisjoint(test.lines)]
            reaching.setdefault((change.rule, tuple(change.paths)), {}).update(dict.fromkeys(names))
    for (rule, paths), reached_by in reaching.items():
        if reached_by:
            yield f"{rule} in {named_text(paths)} is reached by {named_text([*reached_by])}."


def _needed_requirements(report: Report) -> dict[str, str]:
    """Return the requirements that the manifests have after the changes only, by name."""
    needed: dict[str, str] = {}
    for root in report.roots:
        files = {root.root / file.path: file.after.raw() for file in root.files}
        before = _declared_requirements(root.root)
        with overlaid(files):
            needed |= {
                name: text
                for name, text in _declared_requirements(root.root).items()
                if name not in before
            }
        for file in root.files:
            texts = (b"" if file.before is None else file.before.text, file.after.text)
            if [_ASYNC_EXTRA in text.lower() for text in texts] == [False, True]:
                needed["greenlet"] = "greenlet"
    return needed


def _declared_requirements(root: Path) -> dict[str, str]:
    manifests = [read_manifest(root, name) for name in MANIFEST_NAMES]
    manifests += read_requirement_files(root, manifests)
    every = [each for manifest in manifests for each in (*manifest.required, *manifest.optional)]
    return {each.name: f"{each.name}{each.ranges[0] if each.ranges else ''}" for each in every}


def _top_of(report: Report) -> Path:
    tops = {working_tree(root.root) or root.root for root in report.roots if root.files}
    if len(tops) > 1:
        listed = " and ".join(sorted(map(str, tops)))
        raise UserError(f"the changes are in several repositories ({listed}); verify one of them")
    return tops.pop()


def _files_of(report: Report) -> dict[str, tuple[bytes | None, bytes]]:
    """Return the files that ``report`` changes, before and after, by their paths in the copy."""
    return {
        f"{prefix_of(root)}{file.path}": (
            None if file.before is None else file.before.raw(),
            file.after.raw(),
        )
        for root in report.roots
        for file in root.files
    }


class _Verifier:
    def __init__(
        self, report: Report, without: PlanWithout, copy: Copy, suite: Suite, say: Say
    ) -> None:
        self._report, self._without = report, without
        self._copy, self._suite, self._say = copy, suite, say
        self._files = CopiedFiles(copy.path, copy.top)
        self._touched = _files_of(report)
        self._needs = _needed_requirements(report)
        suite.needs = tuple(self._needs)
        self._excluded: Sites = {}
        self._selected: frozenset[str] | None = None
        self._lines: dict[Path, ChangedLines] = {}
        self._is_alone = True
        """Whether the tests that differ do so without the others before them."""
        self._runs = 0
        self._unsafe: set[Line] | None = set()
        """The lines of unsafe changes; None where a test may run one without its being seen."""

    def verify(self, *, every: bool) -> Verification:
        """Run the tests before and after, and leave out what is guilty."""
        self._say("running the tests before the changes")
        sources = [name for name in self._touched if name.endswith(".py")]
        before = self._run(watched=dict.fromkeys(sources))
        if before.lacking is not None:
            before = self._run_with_packages(before.lacking, sources)
        before = require_tests(before, self._copy.directory)
        self._selected = None if every or not before.observed else self._reaching(before)
        result = Verification(self._report, before, before, self._selected)
        while len(result.left_out) < _ROUNDS:
            result = self._compared_verification(result)
            failures = [difference for difference in result.differences if self._fails(difference)]
            if not failures:
                return _require_compared(result)
            self._require_settings(result.after)
            left_outs = self._guilty(failures, result.after)
            whole = next((candidate for candidate in left_outs if self._is_whole(candidate)), None)
            if whole is not None:
                result = structs.replace(result, whole=whole, runs=self._runs)
                return structs.replace(result, unexplained=tuple(failures))
            self._exclude(left_outs)
            self._report = self._without(self._excluded)
            result = structs.replace(result, left_out=(*result.left_out, *left_outs))
        return structs.replace(result, unexplained=result.differences)

    def _compared_verification(self, result: Verification) -> Verification:
        """Run the tests after the changes of now, and compare them."""
        self._say("running the tests after the changes")
        self._write(self._report)
        self._lines = {
            root.root: ChangedLines(root, prefix_of(root)) for root in self._report.roots
        }
        watched: dict[str, list[int]] = {}
        for path, line in (pair for each in self._lines.values() for pair in each.by_line):
            watched.setdefault(path, []).append(line)
        after = self._run(result.selected or (), watched=watched)
        if not result.before.observed:
            after = as_one_test(after)
        self._require_copy(after)
        self._unsafe = self._unsafe_lines(after)
        known = set(result.flaky)
        found = compare(result.before, after, result.selected)
        differences = [difference for difference in found if difference.before.name not in known]
        doubtful = [difference for difference in differences if difference.sql is not Sql.COLUMNS]
        chance = self._chance(result.before, after, doubtful)
        flaky = known | {difference.before.name for difference in chance if difference.is_failure}
        varying = {difference.before.name for difference in chance if not difference.is_failure}
        return structs.replace(
            result,
            report=self._report,
            after=after,
            differences=tuple(difference for difference in differences if difference not in chance),
            flaky=tuple(sorted(flaky)),
            varying=tuple(sorted(varying | set(result.varying))),
            not_exercised=tuple(self._not_exercised(after)) if after.observed else (),
            runs=self._runs,
        )

    def _reaching(self, before: SuiteRun) -> frozenset[str] | None:
        """Return the tests that reach a changed file; None where that says nothing."""
        for name, (text, after) in self._touched.items():
            if not _changes_functions_alone(name, text, after):
                return None
        reaching = frozenset(name for name, test in before.tests.items() if test.lines)
        return reaching or None

    # --------------------------------------------------------------------------------------- runs
    def _run(self, only: Iterable[str] = (), *, watched: Watched | None = None) -> SuiteRun:
        self._runs += 1
        self._files.restore()
        return self._suite.run(tuple(only), watched=watched)

    def _run_with_packages(self, environment: Environment, sources: Sequence[str]) -> SuiteRun:
        """Install what the environment of the tests lacks, and run them."""
        wanted = [self._needs[name] for name in environment.missing]
        self._say(f"installing {' and '.join(environment.missing)} for the tests")
        self._suite.packages = install(wanted, environment, self._copy.path.parent, self._copy.top)
        self._say("running the tests before the changes")
        return self._run(watched=dict.fromkeys(sources))

    def _write(self, report: Report | None) -> None:
        """Put the files of ``report`` into the copy; None writes those before all changes."""
        files = {name: before for name, (before, _) in self._touched.items()}
        if report is not None:
            files |= {name: after for name, (_, after) in _files_of(report).items()}
        self._files.write(files)

    def _require_copy(self, run: SuiteRun) -> None:
        for module, place in run.modules.items():
            name = os.path.relpath(place, self._copy.top)
            if name in self._touched or self._is_installed(module, place):
                raise UserError(
                    f"the tests imported {place}, not the copy that has the changes; "
                    "uninstall the project there, or install it in editable mode without hooks"
                )

    def _require_settings(self, run: SuiteRun) -> None:
        read = {os.path.relpath(place, self._copy.top) for place in run.settings}
        name = unread_settings(self._touched, read) if run.observed else None
        if name is not None:
            raise UserError(
                f"pytest did not read {name}, where the changes set asyncio_mode; run this in "
                f"{name.rpartition('/')[0] or self._copy.top}, or add -c {name}"
            )

    def _is_installed(self, module: str, place: str) -> bool:
        """Whether a module is another copy of a changed file; a name alone may be anybody's."""
        if "." not in module or Path(place).is_relative_to(self._copy.path):
            return False
        path = module.replace(".", "/")
        ends = (f"{path}.py", f"{path}/__init__.py")
        return any(f"/{name}".endswith(f"/{end}") for name in self._touched for end in ends)

    def _chance(
        self, before: SuiteRun, after: SuiteRun, differences: Sequence[Difference]
    ) -> list[Difference]:
        """Return the differences that do not come again when their tests run on both sides.

        Nor do those count that two runs of one side have as well.
        """
        if not differences or after.exit_code is None or any(map(is_ended, differences)):
            return []
        names = [difference.before.name for difference in differences]
        passed = [item.before.name for item in differences if item.before.outcome not in RED]
        self._say(f"running {tests_in_words(len(names))} again on both sides")
        first, again = self._both_again(names, before)
        if self._is_alone and failing(passed, first):
            # It may need others before it; where it fails after them too, it is flaky.
            self._say("running all tests again on both sides")
            self._is_alone = False
            first, again = self._both_again(names, before)
            self._is_alone = bool(failing(passed, first))
        require_again(passed, first)
        anew, noise = _kinds(first, again), [_kinds(before, first), _kinds(after, again)]
        return [
            difference
            for difference in differences
            if anew.get(difference.before.name) != _kind(difference)
            or any(kinds.get(difference.before.name) == _kind(difference) for kinds in noise)
        ]

    def _both_again(self, names: Iterable[str], before: SuiteRun) -> tuple[SuiteRun, SuiteRun]:
        """Return runs of these tests without the changes, and with them."""
        again = self._suite_run_again(names, before)
        self._write(None)
        first = self._suite_run_again(names, before)
        self._write(self._report)
        return first, again

    def _suite_run_again(self, names: Iterable[str], before: SuiteRun) -> SuiteRun:
        if before.observed:
            return self._run(names if self._is_alone else self._selected or ())
        return as_one_test(self._run())

    # -------------------------------------------------------------------------------------- blame
    def _fails(self, one: Difference) -> bool:
        """Whether a difference speaks against the changes, not for them."""
        if one.is_failure:
            return one.before.outcome not in RED
        # An announced change of an unsafe rewrite is not its failure.
        if one.after is None or self._unsafe is None or one.sql not in _WORSE:
            return False
        return one.after.lines.isdisjoint(self._unsafe)

    def _unsafe_lines(self, after: SuiteRun) -> set[Line] | None:
        """Return the lines of unsafe changes; None where they run on import, or there are none."""
        unsafe_lines: set[Line] = set()
        for root in self._report.roots:
            for change in root.changes:
                if change.level is not Level.SAFE:
                    own = self._lines[root.root].lines_of(change.id)
                    if not own or not own.isdisjoint(after.imported):
                        return None
                    unsafe_lines |= own
        return unsafe_lines

    def _guilty(self, failures: Sequence[Difference], after: SuiteRun) -> list[LeftOut]:
        # A test that never ended kept the others from running.
        ending = [failure for failure in failures if is_ended(failure)]
        asked = ending or failures
        names = [difference.before.name for difference in asked]
        self._say(f"looking for the change that {tests_in_words(len(names))} fail by")
        changes = {
            (root.root, change.id): change for root in self._report.roots for change in root.changes
        }
        lines: dict[Line, frozenset[ChangeKey]] = {}
        for each in self._lines.values():
            lines |= each.by_line
        requires = {
            key: [(key[0], other) for other in change.requires if (key[0], other) in changes]
            for key, change in changes.items()
        }
        first = [suspect for suspect in suspects(asked, lines) if suspect in changes]
        ids = guilty(list(changes), first, self._trial(changes, asked, after), requires)
        why = why_it_failed(asked[0], after)
        return [LeftOut(pair[0], changes[pair], tuple(asked), why) for pair in sorted(ids)]

    def _trial(
        self,
        changes: Mapping[ChangeKey, ChangeSummary],
        failures: Sequence[Difference],
        after: SuiteRun,
    ) -> Try:
        befores = {failure.before.name: failure.before for failure in failures}
        by_sql = {failure.before.name for failure in failures if not failure.is_failure}
        before = structs.replace(after, tests=befores)

        def attempt(made: frozenset[ChangeKey]) -> Trial:
            report = run_chosen(self._report, made, self._planned_without)
            sites = {
                (root.root, site)
                for root in report.roots
                for change in root.changes
                for site in change.sites
            }
            dropped = [
                key
                for key in made
                if all((key[0], site) not in sites for site in changes[key].sites)
            ]
            self._write(report)
            run = self._suite_run_again(befores, before)
            fails = any(
                item.is_failure or (item.before.name in by_sql and item.sql in _WORSE)
                for item in compare(before, run)
            )
            return Trial(fails, frozenset(dropped))

        return attempt

    def _planned_without(self, sites: Sites) -> Report:
        return self._without(joined_sites(self._excluded, sites))

    def _exclude(self, found: Iterable[LeftOut]) -> None:
        for item in found:
            own = {item.root: frozenset(item.change.sites)}
            self._excluded = joined_sites(self._excluded, own)

    def _is_whole(self, one: LeftOut) -> bool:
        """Whether a change is one of a program as a whole: a part of it must not be left out."""
        roots = (root for root in self._report.roots if root.root == one.root)
        return any(outline.change == one.change.id for root in roots for outline in root.outlines)

    def _not_exercised(self, after: SuiteRun) -> Iterable[NotExercised]:
        reached = set(after.imported).union(*(test.lines for test in after.tests.values()))
        for root in self._report.roots:
            yield from not_exercised(root, self._lines[root.root], reached)


def unread_settings(
    files: Mapping[str, tuple[bytes | None, bytes]], read: Collection[str]
) -> str | None:
    """Return the file to which changes add settings of asynchronous tests, if nothing read it.

    ``files`` are the texts before and after, ``read`` the files that gave pytest its settings.
    """
    for name, (before, after) in files.items():
        is_added = len(_ASYNC_MODE.findall(after)) > len(_ASYNC_MODE.findall(before or b""))
        if is_added and not name.endswith(".py") and name not in read:
            return name
    return None


def _changes_functions_alone(name: str, before: bytes | None, after: bytes) -> bool:
    """Whether a file runs as before until one of its functions is called, but for imports."""
    if before is None or not name.endswith(".py"):
        return False
    try:
        return _text_outside(before) == _text_outside(after)
    except (SyntaxError, ValueError):
        return False


def _text_outside(text: bytes) -> str:
    """Return what of a module runs when it is imported, without its imports."""
    tree = ast.parse(text, "")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = []
        elif isinstance(node, ast.Module | ast.ClassDef):
            node.body = [x for x in node.body if not isinstance(x, ast.Import | ast.ImportFrom)]
    return ast.dump(tree)


def _require_compared(result: Verification) -> Verification:
    """Raise UserError where all tests that could say something are flaky."""
    ran = result.before.tests if result.selected is None else result.selected
    if result.flaky and not set(ran) - set(result.flaky):
        raise UserError(
            f"nothing is compared, for {named_text(result.flaky)} did not do the same twice; "
            "verify by a test that does"
        )
    return result


def _kinds(before: SuiteRun, after: SuiteRun) -> dict[str, tuple[bool, Sql]]:
    return {difference.before.name: _kind(difference) for difference in compare(before, after)}


def _kind(one: Difference) -> tuple[bool, Sql]:
    return one.is_failure, one.sql
