"""The result of a run in the words of pull requests and commits, and as counts."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any

import tomlkit

from awaken.batch.state.records import Counts
from awaken.batch.working.task_data import Summary, Task
from awaken.contract import Finding, Level
from awaken.engine.report import Report, RootReport
from awaken.preview.counts import changed_files, grouped_rows, level_words, plural
from awaken.preview.html.report_page import write
from awaken.preview.recipes.commit_message import listed_rows, unsafe_sentences
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import printable
from awaken.verifying.verify_changes import Verification

_SUBJECT = 72
"""Characters of a subject that git's own tools show whole."""
_MANUAL = 200
"""Places of the manual remainder that are kept for a pull request; the report has all."""


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
