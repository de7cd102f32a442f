"""Plans, verifies and applies in a clone, and commits what held.

The result of a run in the words of pull requests and commits, and as counts.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parseaddr
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any

import msgspec
import tomlkit
from msgspec import Struct, structs

from awaken import api
from awaken.batch.manifest.campaign_settings import AUTO
from awaken.batch.state.records import Counts, Kind, State
from awaken.batch.working.cloning import Git
from awaken.batch.working.task_data import (
    BUNDLE,
    PATCH,
    REPORT,
    SUMMARY,
    ChildResult,
    Failure,
    Start,
    Summary,
    Task,
)
from awaken.contract import Finding, Level, SiteId
from awaken.engine.recipe_run import StepRun, combined_report
from awaken.engine.remembering.rule_table import installed_rules
from awaken.engine.report import Report, RootReport
from awaken.preview.counts import (
    changed_files,
    diagnostics,
    grouped_rows,
    level_words,
    needs_of,
    plural,
)
from awaken.preview.html.report_page import write
from awaken.preview.recipes.commit_message import listed_rows, unsafe_sentences
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import printable
from awaken.preview.verification import stops, verified_rows
from awaken.settings.typed_settings import settings_from
from awaken.verifying.sufficient_runs import NoTestsError, RedBeforeError
from awaken.verifying.verify_changes import Tests, Verification, verify_report

_SUBJECT = 72
"""Characters of a subject that git's own tools show whole."""
_MANUAL = 200
"""Places of the manual remainder that are kept for a pull request; the report has all."""
Sites = Mapping[Path, frozenset[SiteId]]
_SECONDS = 600.0
_UNUSUAL = ("-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", "-c", "core.attributesFile=")


def counts_of(report: Report, verified: Sequence[Verification]) -> Counts:
    """Return the numbers behind the table: sites that were rewritten, and those that were not."""
    levels: Counter[Level] = Counter()
    manual = 0
    for root in report.roots:
        for finding in root.findings:
            if finding.change in root.change_ids:
                levels[finding.level] += 1
            manual += finding.level is Level.MANUAL
    last = verified[-1] if verified else None
    first = verified[0] if verified else None
    return Counts(
        safe=levels[Level.SAFE],
        unsafe=levels[Level.UNSAFE],
        manual=manual,
        files=changed_files(report),
        tests_before=_outcomes(first, before=True),
        tests_after=_outcomes(last, before=False),
        not_exercised=sum(verification.unreached_sites for verification in verified),
    )


def _outcomes(verified: Verification | None, *, before: bool) -> str:
    if verified is None:
        return ""
    run = verified.before if before else verified.after
    counted = Counter(test.outcome for test in run.tests.values())
    return ", ".join(f"{number} {outcome}" for outcome, number in counted.most_common())


def describe(
    task: Task, report: Report, rows: Sequence[str], notes: Sequence[str], files: Sequence[str]
) -> Summary:
    """Return what a pull request says; ``rows`` are what the tests said."""
    by_rule: dict[str, list[Finding]] = {}
    unsafe: Counter[str] = Counter()
    manual: list[tuple[str, str]] = []
    # As the repository has them, wherever in it the project is.
    top = Path.cwd().parents[len(folders) - 1] if (folders := _folders(task)) else Path.cwd()
    places = Places(top)
    for root in report.roots:
        for finding in root.findings:
            if finding.change in root.change_ids:
                by_rule.setdefault(finding.rule, []).append(finding)
            elif finding.level is Level.MANUAL:
                manual.append((_where(root, finding, places), _what(finding)))
        unsafe.update(unsafe_sentences(root))
    left = len(manual) - _MANUAL
    more = [f"{left} more places are left to people; the report lists them"] if left > 0 else []
    return Summary(
        rules=tuple((name, level_words(findings)) for name, findings in sorted(by_rule.items())),
        unsafe=tuple((row.text, row.equal_sentences) for row in grouped_rows(unsafe.most_common())),
        manual=tuple(manual[:_MANUAL]),
        tests=tuple(rows),
        notes=(*notes, *more),
        again=command_again(task),
        version=version("awaken"),
        rewritten=sum(map(len, by_rule.values())),
        files=tuple(files),
    )


def _folders(task: Task) -> tuple[str, ...]:
    return PurePosixPath(task.subdirectory).parts


def _where(root: RootReport, finding: Finding, places: Places) -> str:
    path, region = places.location_of(root, finding.place)
    return f"{path}:{region.line}" if region.line else path


def _what(finding: Finding) -> str:
    return f"{finding.rule}: {finding.message} {finding.help}".strip()


def command_again(task: Task) -> str:
    """Return the command that makes the same diff in a clone at the same commit."""
    settings = dict(task.settings)
    words = ["awaken", *(("migrate", task.recipe) if task.recipe else ("apply",))]
    for key in ("select", "extend-select", "ignore", "unsafe"):
        names = settings.pop(key, None)
        words += [f"--{key}", ",".join(names)] if names else []
    if settings.get("unsafe-fixes") is True:
        settings.pop("unsafe-fixes")
        words.append("--unsafe-fixes")
    for key, value in _flat(settings):
        words += ["--config", f"{key} = {tomlkit.item(value).as_string()}"]
    words += [task.subdirectory] if task.subdirectory else []
    return shlex.join(words)


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{before}{tomlkit.key(key).as_string()}"
        rows += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return rows


def commit_text(title: str, summary: Summary) -> str:
    """Return subject and body of the commit."""
    subject = shorten(title, _SUBJECT, placeholder=" ...")
    sites = plural(summary.rewritten, "site")
    lines = [subject, "", f"{sites} rewritten by awaken {summary.version}.", ""]
    lines += [f"- {name}: {words}" for name, words in summary.rules]
    for heading, sentences in (
        (
            "What may change:",
            [f"{text} ({n} places)" if n > 1 else text for text, n in summary.unsafe],
        ),
        ("Verified by the tests:", list(summary.tests)),
    ):
        if sentences:
            lines += ["", heading, *listed_rows(sentences)]
    return printable("\n".join(lines)) + "\n"


def write_page(path: Path, report: Report, project: Path, command: str, compiled: bytes) -> None:
    """Write the report of one repository as a page; ``compiled`` is the template of it."""
    asked = Asked("diff", project, again=command)
    with path.open("wb") as file:
        file.writelines(write(report, asked, compiled))


class Made(Struct):
    """The changes in the clone: the reports of the written steps, and the notes.

    ``left`` are reports of steps that were not, ``files`` the paths that were written.
    """

    reports: list[Report]
    left: list[Report]
    files: list[Path]
    verified: list[Verification]
    notes: list[str]
    stopped: str = ""


def change(start: Start, place: Path) -> ChildResult:
    """Make the changes of a task in the clone below ``place``, whose project we are in.

    Raises UserError.
    """
    task = start.task
    project = Path.cwd()
    settings = settings_from(task.settings, installed_rules(None, use=True))
    options = api.Options(settings=settings, jobs=1)
    made = Made([], [], [], [], [])
    try:
        tests = _tests(task, project, options, made)
        if task.recipe:
            _run_recipe(task, project, options, tests, made)
        else:
            _run_rules(task, project, options, tests, made)
    except RedBeforeError as error:
        return ChildResult(state=State.RED_BEFORE, message=str(error))
    except NoTestsError as error:
        advice = "in [verify], `environment` makes what tests need, and `command` runs them"
        failure = Failure(kind=Kind.CODE, message=f"{error.why}; {advice}")
        return ChildResult(state=State.ERROR, failure=failure)
    report = _joined_report([*made.reports, *made.left])
    problems = [diagnostic.message for _, diagnostic in diagnostics(report)]
    needs = needs_of(report)
    made.notes += [f"{needs}, which the project does not require"] if needs else []
    result = ChildResult(
        state=State.NOTHING, counts=counts_of(report, made.verified), message=needs
    )
    if made.stopped and not made.files:
        result = structs.replace(result, state=State.VERIFY_FAILED, message=made.stopped)
    elif made.files:
        result = _committed_child_result(task, place, made, report, result)
    elif problems and not any(root.files_read for root in report.roots):
        failure = Failure(kind=Kind.CODE, message=problems[0])
        result = structs.replace(result, state=State.ERROR, failure=failure)
    notes = [*made.notes, *([made.stopped] if made.stopped else [])]
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        notes.append(f"awaken could not read everything: {problems[0]}{more}")
    rows = [row for verified in made.verified for row in verified_rows(verified)]
    summary = describe(task, report, rows, notes, [_shown_text(path, place) for path in made.files])
    (place / "out" / SUMMARY).write_bytes(msgspec.json.encode(summary))
    write_page(place / "out" / REPORT, report, project, summary.again, start.page)
    return result


def _committed_child_result(
    task: Task, place: Path, made: Made, report: Report, result: ChildResult
) -> ChildResult:
    rows = [row for verified in made.verified for row in verified_rows(verified)]
    summary = describe(task, report, rows, made.notes, [])
    commit = Commit(
        top=place / "repository",
        files=tuple(made.files),
        title=task.title,
        body=summary,
        author=task.author,
        date=task.date,
        branch=task.branch,
    )
    number = _commit_all(commit, place / "out" / PATCH, place / "out" / BUNDLE)
    if not number:
        return result
    state = State.VERIFIED if made.verified else State.CHANGED
    message = made.stopped or ("" if made.verified or not task.tests else "; ".join(made.notes))
    return structs.replace(result, state=state, commit=number, message=message)


def _tests(task: Task, project: Path, options: api.Options, made: Made) -> Tests | None:
    """Return how the tests run; None where they do not, with a note where they should."""
    if not task.tests:
        return None
    carry = list(task.carry)
    if task.tests != AUTO:
        return Tests(shlex.split(task.tests), carry)
    roots = api.doctor([project], options).roots
    if any(root.tests.uses_pytest for root in roots):
        return Tests(["pytest"], carry)
    if any((project / name).is_dir() for name in ("tests", "test")):
        return Tests(["pytest"], carry)
    made.notes.append("nothing was verified: no tests were found here")
    return None


def _run_rules(
    task: Task, project: Path, options: api.Options, tests: Tests | None, made: Made
) -> None:
    def without(sites: Sites) -> Report:
        asked = structs.replace(options, excluded_in=sites, use_cache=not sites)
        return api.run([project], asked)

    _step(task, api.run([project], options), without, tests, made)


def _run_recipe(
    task: Task, project: Path, options: api.Options, tests: Tests | None, made: Made
) -> None:
    """Make the steps of a recipe until one is blocked or does not hold."""
    steps = len(api.recipes([project], options)[task.recipe].steps)
    for number in range(1, steps + 1):

        def planned(sites: Sites, step: int = number) -> list[StepRun]:
            asked = structs.replace(options, excluded_in=sites, use_cache=not sites)
            return list(api.run_recipe(task.recipe, [project], asked, steps=(step, step)))

        def without(sites: Sites, plan: Callable[[Sites], list[StepRun]] = planned) -> Report:
            return combined_report(plan(sites))

        runs = planned({})
        report = combined_report(runs)
        if any(run.is_blocked for run in runs):
            made.left.append(report)
            made.notes.append(f"step {number} of {task.recipe} is blocked, so nothing after it ran")
            return
        if any(run.step.rules for run in runs):
            _step(task, report, without, tests, made)
            if made.stopped:
                return
        else:
            made.left.append(report)


def _step(
    task: Task,
    report: Report,
    without: Callable[[Sites], Report],
    tests: Tests | None,
    made: Made,
) -> None:
    """Verify and write one report, or say why it is not."""
    if not any(root.files for root in report.roots):
        made.left.append(report)
        return
    if tests is not None:
        verified = verify_report(report, without, tests, _say)
        if verified is not None:
            made.verified.append(verified)
            report = verified.report
            if verified.unexplained:
                made.left.append(report)
                made.stopped = stops(verified).replace(" Nothing was written.", "")
                return
    if not any(root.files for root in report.roots):
        made.left.append(report)
        guilty = made.verified[-1].left_out[0]
        made.stopped = f"With {guilty.change.rule} a test fails: {guilty.tests[0].before.name}"
        return
    applied = api.apply(report, f"awaken batch ({task.campaign})")
    made.files += [path for path in applied.files if path not in made.files]
    made.reports.append(report)


def _say(clause: str) -> None:
    print(f"awaken: {clause} ...", flush=True)  # noqa: T201  the log of the child


def _joined_report(reports: list[Report]) -> Report:
    roots: list[RootReport] = [root for report in reports for root in report.roots]
    return Report(
        roots=tuple(roots),
        rules=tuple(dict.fromkeys(name for report in reports for name in report.rules)),
        diagnostics=tuple(dict.fromkeys(d for report in reports for d in report.diagnostics)),
        passes=tuple(rule for report in reports for rule in report.passes),
    )


def _shown_text(path: Path, place: Path) -> str:
    return Path(os.path.relpath(path, Path(os.path.realpath(place / "repository")))).as_posix()


class Commit(Struct, frozen=True, kw_only=True):
    """A commit in the clone at ``top``: absolute ``files``, its message, author and date."""

    top: Path
    files: tuple[Path, ...]
    title: str
    body: Summary
    author: str
    date: int
    branch: str


def _commit_all(commit: Commit, patch: Path, bundle: Path) -> str:
    """Commit, and write ``patch`` and ``bundle``; return the commit, empty where nothing differs.

    No hook runs, nothing is signed, and no other file of the clone is part. The same changes at the
    same ``date`` give the same commit. Raises GitFailedError.
    """
    git = Git(commit.top, _SECONDS, environment=_environment(commit))
    names = b"\0".join(map(os.fsencode, commit.files))
    listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
    base = git.say("rev-parse", "HEAD")
    git.say("--literal-pathspecs", "add", "--force", *listed, given=names)
    if not git.ask("diff", "--cached", "--quiet", "HEAD").returncode:
        return ""
    text = commit_text(commit.title, commit.body)
    words = ("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--only", f"--message={text}")
    git.say("--literal-pathspecs", *_UNUSUAL, *words, *listed, given=names)
    number = git.say("rev-parse", "HEAD")
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--binary")
    written = ("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "diff", *plain)
    git.say(*written, f"--output={patch}", base, number)
    branch = f"refs/heads/{commit.branch}"
    git.say("update-ref", branch, number)
    git.say("bundle", "create", "--quiet", str(bundle), f"{base}..{branch}")
    return number


def _environment(commit: Commit) -> Mapping[str, str]:
    name, address = parseaddr(commit.author)
    date = f"{commit.date} +0000"
    return {
        **os.environ,
        "LC_ALL": "C",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
        "GIT_COMMITTER_DATE": date,
    }
