"""Asks a rule for its plan: whole, or file by file in several processes where it allows that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct, structs

from awaken.contract import Constraints, Plan
from awaken.engine.machine.work_limits import SECONDS_PER_RULE
from awaken.engine.machine.workers import Died, available_cores, run_here, run_many, start_method
from awaken.engine.progress import PLANNING, Progress, silent
from awaken.engine.report import Diagnostic
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.looked_at import LookedAt
from awaken.project.source.memo import RECORDER, Record
from awaken.settings.rule_data import with_code
from awaken.workspace.parsing import deep_recursion

_SECONDS_PER_BYTE = 1.5e-6
"""Planning ``query-to-select``: apache-superset's 2.1 MB of files with a trigger take 3 s. It only
decides whether processes are worth starting."""
_SECONDS_PER_WORKER = 2.5
"""Each worker works out for itself what its files share, and sends the evidence of each file."""


class Planned(Struct, frozen=True):
    """A rule's plan with its diagnostics.

    looked_at: its evidence; None if it has none of its own.
    """

    plan: Plan
    diagnostics: tuple[Diagnostic, ...] = ()
    looked_at: LookedAt | None = None


class Processes(Struct, frozen=True):
    """How plans are made: in how many ``jobs``, and who hears of their ``progress``."""

    jobs: int | None = 1
    progress: Progress = silent


def internal_error(rules: str, what: str, path: str = "") -> Diagnostic:
    """Return the diagnostic of a failure that is awaken's own."""
    what = " ".join(what.split())
    sentence = f"internal error in {rules}: {what}; its changes were left out, please report this"
    return Diagnostic(path=path, line=0, message=sentence, internal=True)


def raised_diagnostic(rule: Rule, error: Exception, path: str = "") -> Diagnostic:
    """Return the diagnostic of an exception that ``rule`` let through."""
    # Where it was raised is of use to those alone who write the rule: their tests listen.
    import logging  # noqa: PLC0415  hardly ever needed

    logging.getLogger("awaken").debug("%s raised", rule.name, exc_info=error)
    return internal_error(rule.name, f"{type(error).__name__}: {error}", path)


class Planner(Protocol):
    """Plans the rules of one stage of a run."""

    def plan(self, rule: Rule, project: Project, constraints: Constraints) -> Planned:
        """Return what ``rule`` plans for ``project``."""


class PlainPlanner(Struct, frozen=True):
    """Plans everything, in ``processes``."""

    processes: Processes = Processes()

    def plan(self, rule: Rule, project: Project, constraints: Constraints) -> Planned:
        """Return what ``rule`` plans for ``project``."""
        return plan_rule(rule, project, constraints, self.processes)


def plan_rule(
    rule: Rule,
    project: Project,
    constraints: Constraints,
    processes: Processes = Processes(),  # noqa: B008  it is frozen
) -> Planned:
    """Return what ``rule`` plans for ``project``; the same for any number of processes.

    A rule that decides file by file loses only the file in which it fails, ends its process, or
    comes to a limit (``awaken.engine.machine.work_limits``).
    """
    if not may_have_sites(rule, project):
        return Planned(Plan())
    rule = with_code(rule)
    if not rule.per_file:
        whole = run_here(partial(_plan_recorded, rule, constraints), project, SECONDS_PER_RULE)
        return _given_up(rule, whole) if isinstance(whole, Died) else whole
    files = project.site_files(rule.triggers)
    return join_plans(plan_by_file(rule, project, constraints, files, processes))


def plan_by_file(
    rule: Rule,
    project: Project,
    constraints: Constraints,
    files: Sequence[str],
    processes: Processes,
) -> list[Planned]:
    """Return what ``rule`` plans for the sites of each of ``files``.

    The last item is no plan. It has the diagnostics of a failure of what the files share.
    """
    failed = prepared_diagnostics(rule, project, files) if files else ()
    plan = partial(plan_file, rule, constraints, project)
    parts = plan_files(rule, project, files, plan, processes)
    add_evidence(project, parts)
    return [*parts, Planned(Plan(), failed)]


def add_evidence(project: Project, parts: Iterable[Planned]) -> None:
    """Add the evidence of ``parts`` to that of ``project``."""
    for part in parts:
        if part.looked_at is not None:
            project.looked_at.add(part.looked_at)


def plan_files(
    rule: Rule,
    project: Project,
    files: Sequence[str],
    plan: Callable[[str], Planned],
    processes: Processes,
) -> list[Planned]:
    """Return what ``plan`` gives for each of ``files``, in processes where that is worth it."""
    progress = processes.progress
    # No answer depends on it, so it is no look at the files.
    size = sum(len(project.snapshot.file_to_search(path).text) for path in files)
    progress(PLANNING, 0, len(files))
    seconds = size * _SECONDS_PER_BYTE
    results = run_many(
        plan,
        files,
        jobs=min(processes.jobs or available_cores(), max(1, int(seconds / _SECONDS_PER_WORKER))),
        # A spawned worker would have to be sent the whole project. Files of other rules share most
        # of their facts, and processes share none.
        estimated_seconds=seconds if rule.per_file and start_method() == "fork" else 0,
        arrived=lambda done: progress(PLANNING, done, len(files)),
    )
    return [
        _given_up(rule, result, path) if isinstance(result, Died) else result
        for path, result in zip(files, results, strict=True)
    ]


def may_have_sites(rule: Rule, project: Project) -> bool:
    """Whether the files asked for hold a trigger of ``rule``, and the program all its anchors."""
    if rule.triggers and not project.site_files(rule.triggers):
        return False
    return all(project.files_with(words) for words in rule.anchors)


def prepared_diagnostics(
    rule: Rule, project: Project, files: Sequence[str]
) -> tuple[Diagnostic, ...]:
    """Let ``rule`` work out what the plans of ``files`` share; return what went wrong."""
    try:
        with deep_recursion():
            rule.prepare(project, files)
    except Exception as error:  # noqa: BLE001  a rule may fail in any way; the run goes on
        return (raised_diagnostic(rule, error),)
    return ()


def _given_up(rule: Rule, died: Died, path: str = "") -> Planned:
    """Return no plan, and why there is none for ``path``, or for the whole project."""
    if not died.by_limit:
        return Planned(Plan(), (internal_error(rule.name, died.message, path),))
    what = "exclude the file" if path else "ignore the rule, or exclude files"
    sentence = f"{rule.name} {died.message} here, and was stopped; {what}, and please report this"
    # A limit of time or memory depends on the machine, so its result is not remembered.
    given_up = Diagnostic(path=path, line=0, message=sentence, internal=True)
    return Planned(Plan(), (given_up,))


def plan_file(rule: Rule, constraints: Constraints, project: Project, path: str) -> Planned:
    """Return what ``rule`` plans for the sites of one file, with its evidence."""
    project = project.with_site_scope(frozenset({path}))
    with RECORDER.separate_record():  # the evidence of all files together is of no use
        return _plan_recorded(rule, constraints, project, path)


def _plan_recorded(
    rule: Rule, constraints: Constraints, project: Project, path: str = ""
) -> Planned:
    with RECORDER.with_record(Record()) as record:
        planned = _attempt(rule, constraints, project, path)
    looked_at = LookedAt.of_record(record)
    unparsable = _unparsable(project, looked_at)
    return structs.replace(
        planned, diagnostics=(*planned.diagnostics, *unparsable), looked_at=looked_at
    )


def _attempt(rule: Rule, constraints: Constraints, project: Project, path: str = "") -> Planned:
    try:
        with deep_recursion():  # a chain of calls may be as long as the program
            plan = rule.plan(project, _with_options(constraints, rule))
            return Planned(plan, tuple(_told_diagnostics(plan, project)))
    except Exception as error:  # noqa: BLE001  a rule may fail in any way; the run goes on
        return Planned(Plan(), (raised_diagnostic(rule, error, path),))


def _with_options(constraints: Constraints, rule: Rule) -> Constraints:
    """Return ``constraints`` with options that ``rule`` understands: its defaults unless given."""
    if isinstance(constraints.options, rule.options):
        return constraints
    return structs.replace(constraints, options=rule.options())


def _told_diagnostics(plan: Plan, project: Project) -> Iterator[Diagnostic]:
    """Yield what a rule says that it could not do."""
    for problem in plan.problems:
        source = project.snapshot.get(problem.place.path)
        line = 0
        if source is not None and problem.place.span.start:
            # With text after it: the first node of a line is in that line.
            line = len((source.text[: problem.place.span.start] + b".").splitlines())
        yield Diagnostic(path=problem.place.path, line=line, message=problem.message)


def _unparsable(project: Project, looked_at: LookedAt) -> Iterator[Diagnostic]:
    for path, failure in sorted(project.parse_failures.items()):
        if path in looked_at.read:
            yield Diagnostic(path, failure.line, str(failure), never_runs=failure.never_runs)


def join_plans(parts: Sequence[Planned]) -> Planned:
    """Join the plans of several files; each contains the parts that span files."""
    # Backwards twice: of equal ones the first stays, at its place in the order of the files.
    findings = {one.site: one for part in reversed(parts) for one in reversed(part.plan.findings)}
    changes = {item.id: item for part in reversed(parts) for item in reversed(part.plan.changes)}
    return Planned(
        Plan(tuple(reversed(findings.values())), tuple(reversed(changes.values()))),
        tuple(dict.fromkeys(diagnostic for part in parts for diagnostic in part.diagnostics)),
    )
