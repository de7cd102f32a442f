"""The functions of awaken: the command line, and every other caller, comes in here."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from awaken.contract import UserError
from awaken.engine import run_projects
from awaken.engine.machine.memory import no_collections
from awaken.engine.planning.rule_discovery import all_rules
from awaken.engine.progress import Progress
from awaken.engine.report import Diagnostic, Report, RootReport
from awaken.engine.run_projects import Options
from awaken.engine.writing import undoing
from awaken.engine.writing.undoing import Undone, UndoStack
from awaken.kit.rule import Rule
from awaken.settings import Resolved, Settings
from awaken.settings.model import Said, VerifySettings
from awaken.settings.resolve import resolve
from awaken.workspace.discovery import find_roots, marker_of
from awaken.workspace.reading import overlaid, working_tree
from awaken.workspace.sources import FileProblem

if TYPE_CHECKING:
    from awaken.contract import Reason
    from awaken.engine.asking.chosen_changes import ChangeKey, Sites
    from awaken.engine.asking.staged_runs import StagedReport
    from awaken.engine.diagnosing.diagnosis import Diagnosis, RootDiagnosis
    from awaken.engine.explaining.explanation import AskedPlace, Explanation
    from awaken.engine.recipe_run import StepRun
    from awaken.engine.remembering.trusted_projects import TrustedProject
    from awaken.engine.root_run import RootRun
    from awaken.engine.run import Observer, StagedRun
    from awaken.engine.suppressing.baseline_writing import WrittenBaseline
    from awaken.engine.writing.applying import Applied, FileWrite
    from awaken.project import Project
    from awaken.settings.model import RecipeSettings
    from awaken.settings.recipe_tables import Recipe
    from awaken.workspace.outside import Repository

__all__ = [
    "Options",
    "apply",
    "distrust",
    "doctor",
    "explain",
    "listing",
    "passes",
    "recipe_hints",
    "recipe_report",
    "recipes",
    "rules",
    "run",
    "run_chosen",
    "run_recipe",
    "run_staged",
    "take_back_killed",
    "trust",
    "trusted",
    "undo",
    "undo_list",
    "verify_settings",
    "write_baseline",
]


class Listing(Struct, frozen=True):
    """The inputs of a run: absolute paths of files, sorted, and the settings of each root.

    ``problems`` are the paths that cannot be used.
    """

    files: tuple[Path, ...]
    settings: tuple[Resolved, ...]
    problems: tuple[Diagnostic, ...]


def rules() -> tuple[Rule, ...]:
    """Return every rule there is, by family and name."""
    return all_rules()


def reasons(rules: Iterable[Rule]) -> dict[str, tuple[Reason, Rule | None]]:
    """Return every reason by its full code, with its rule; those of the engine have none."""
    from awaken.engine.planning.engine_reasons import ENGINE_REASONS  # noqa: PLC0415  as in _run

    return {
        **{reason.code: (reason, None) for reason in ENGINE_REASONS},
        **{
            reason.full_code(rule.name): (reason, rule) for rule in rules for reason in rule.reasons
        },
    }


def passes(start: Path) -> tuple[Rule, ...]:
    """Return the passes that the settings around ``start`` name, also those that may not run.

    Nothing of them is loaded. None where the settings cannot be used.
    """
    roots, _ = find_roots([start])
    result: list[Rule] = []
    for root in roots:
        with suppress(UserError):
            resolved = resolve(
                root.path,
                Said(trusted=run_projects.trusted_values),
                rules=all_rules(),
                rule_of=partial(run_projects.rule_of_pass, None),
            )
            result += resolved.passes
    return tuple(result)


def trust(start: Path) -> list[TrustedProject]:
    """Let the passes run that the settings around ``start`` name, for as long as they are the same.

    Nothing of them is loaded. Projects in other repositories below ``start`` are not among them.
    Raises UserError where there is no pass, and where it cannot be remembered.
    """
    from awaken.engine.remembering import trusted_projects  # noqa: PLC0415  as in _trusted

    settings, projects, unusable = run_projects.projects_of([start], Options(), all_rules())
    if unusable:
        raise UserError(_sentence(unusable[0]))
    tree = working_tree(Path(os.path.realpath(start)))
    roots = [project.root.path for project in projects if working_tree(project.root.path) == tree]
    own = {root: settings[root].verify.command if settings[root].tests_of else "" for root in roots}
    named = [root for root in roots if settings[root].passes or own[root]]
    if not named:
        raise UserError(
            f"{start}: no settings here name a codemod or the tests, so there is nothing to trust"
        )
    return [trusted_projects.trust(root, settings[root].passes, own[root]) for root in named]


def verify_settings(
    paths: Sequence[Path], options: Options | None = None, *, has_command: bool = False
) -> VerifySettings:
    """Return how the tests of the projects at ``paths`` run, as their settings and ``options`` say.

    Raises UserError where two projects say different things, and for a command that a project's
    own file names and the user does not trust, unless the user ``has_command``.
    """
    from awaken.engine.remembering.trusted_projects import trusts_tests  # noqa: PLC0415  as in _run

    options = options or Options()
    settings, _, _ = run_projects.projects_of(
        paths, options, run_projects.known_rules(options, None)
    )
    said = {item.verify for item in settings.values()}
    if len(said) > 1:
        raise UserError("these projects name different tests; verify one of them")
    for root, setting in settings.items():
        if not has_command and setting.tests_of and not trusts_tests(root, setting.verify.command):
            raise UserError(
                f"{setting.tests_of} names the command of the tests ({setting.verify.command}); "
                "trust it with `awaken trust`, or name the command after --"
            )
    return next(iter(said), VerifySettings())


def distrust(start: Path) -> list[TrustedProject]:
    """Take the trust back in the projects at and below ``start``; return them."""
    from awaken.engine.remembering import trusted_projects  # noqa: PLC0415  as in _trusted

    return trusted_projects.distrust(Path(os.path.realpath(start)))


def trusted() -> list[TrustedProject]:
    """Return the projects whose passes the user trusts."""
    from awaken.engine.remembering import trusted_projects  # noqa: PLC0415  as in _trusted

    return trusted_projects.trusted_projects()


def run(
    paths: Sequence[Path],
    options: Options | None = None,
    rules: Sequence[Rule] | None = None,
    *,
    progress: Progress | None = None,
) -> Report:
    """Plan the chosen rules over the projects that ``paths`` touch; writes nothing.

    ``rules`` are those to choose from, None for all that are installed. ``progress`` gets the state
    of the run. A project that cannot be run is a diagnostic and costs the others nothing. Raises
    UserError for an unknown rule or a version that is none in ``options``, for what no project can
    be run with, while an apply that was killed is not undone, and where an apply or undo writes to
    these files while they are read.
    """
    return _run(paths, options, rules, progress, None)


def run_chosen(
    report: Report,
    chosen: Collection[ChangeKey],
    paths: Sequence[Path],
    options: Options | None = None,
    rules: Sequence[Rule] | None = None,
) -> Report:
    """Return the run that makes only ``chosen`` changes of ``report``; writes nothing.

    A change is named by its root and its id. The rules plan again around what is left out, and a
    change that they cannot make without it is left out too. ``report`` is what ``run`` gave for
    the same ``paths``, ``options`` and ``rules``. Raises KeyError for a change that it does not
    have, and UserError as ``run`` does.
    """
    from awaken.engine.asking import chosen_changes as choosing  # noqa: PLC0415  few runs leave out anything

    asked = options or Options()

    def run_without(sites: Sites) -> Report:
        excluded = choosing.joined_sites(asked.excluded_in, sites)
        return run(paths, structs.replace(asked, excluded_in=excluded), rules)

    return choosing.run_chosen(report, chosen, run_without)


def recipes(paths: Sequence[Path], options: Options | None = None) -> dict[str, Recipe]:
    """Return the recipes by name: those of awaken, and those of the projects at ``paths``.

    Raises UserError where two projects write different recipes of one name, and for what is wrong
    in ``options``.
    """
    options = options or Options()
    return _recipes(paths, options, run_projects.known_rules(options, None))


def _recipes(paths: Sequence[Path], options: Options, known: Sequence[Rule]) -> dict[str, Recipe]:
    from awaken.settings.recipe_tables import recipes_of  # noqa: PLC0415  few runs have one

    settings, _, _ = run_projects.projects_of(paths, options, known)
    own: dict[str, RecipeSettings] = {}
    for root, setting in settings.items():
        for name, recipe in setting.recipes.items():
            if own.setdefault(name, recipe) != recipe:
                raise UserError(f"{root} has another recipe named {name!r}; run one project")
    return recipes_of(own)


def run_recipe(
    name: str,
    paths: Sequence[Path],
    options: Options | None = None,
    *,
    steps: tuple[int, int] = (1, 0),
    progress: Progress | None = None,
) -> Iterator[StepRun]:
    """Yield the ``steps`` of a recipe from a first to a last one (0: all), with their reports.

    Each step works on what the one before would write; nothing is written. Raises UserError as
    ``run`` does, and for an unknown recipe or step.
    """
    from awaken.engine.recipe_run import run_steps  # noqa: PLC0415  as in _run
    from awaken.settings.recipe_tables import require_recipe  # noqa: PLC0415

    options = options or Options()
    known = run_projects.known_rules(options, None)
    recipe = require_recipe(name, _recipes(paths, options, known))
    first, last = steps
    if max(steps) > len(recipe.steps):
        raise UserError(f"{name!r} has {len(recipe.steps)} steps, and no step {max(steps)}")
    numbers = range(first, (last or len(recipe.steps)) + 1)
    projects: dict[Path, list[Project]] = {}

    def run_step(settings: Settings, files: Mapping[Path, bytes]) -> Report:
        overlay = {**options.overlay, **files}
        asked = structs.replace(options, settings=settings, overlay=overlay)
        return _run(paths, asked, known, progress, None, projects)

    yield from run_steps(recipe, options.settings, known, run_step, numbers)


def recipe_hints(paths: Sequence[Path]) -> list[Mapping[str, int]]:
    """Return for each project the recipes that may find something, with the number of files.

    Files are read and nothing is planned. None of a directory that nothing marks as a project, and
    of one that cannot be run.
    """
    from awaken.engine.answering import Reading  # noqa: PLC0415  as in _run

    roots, _ = find_roots(paths)
    if not all(marker_of(root).file for root in roots):
        return []
    options = Options()
    known = run_projects.known_rules(options, None)
    hints = []
    with suppress(UserError):
        settings, projects, _ = run_projects.projects_of(paths, options, known)
        for project in projects:
            reading = Reading(
                run_projects.root_run_of(project, settings[project.root.path], options, known)
            )
            hints.append(reading.hints())
    return hints


def recipe_report(
    recipe: Recipe, paths: Sequence[Path], *, progress: Progress | None = None
) -> Report:
    """Return what all rules of ``recipe`` find, in one run without its steps; writes nothing.

    It is what the recipe would come to, at the price of one run.
    """
    unsafe = {name for step in recipe.steps for name in step.unsafe}
    settings = Settings(select=recipe.names(), unsafe=tuple(sorted(unsafe)))
    return run(paths, Options(settings=settings), progress=progress)


def write_baseline(
    paths: Sequence[Path],
    options: Options | None = None,
    rules: Sequence[Rule] | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[Report, tuple[WrittenBaseline, ...]]:
    """List all sites of ``paths`` in the baselines of their roots; return the report after that.

    Entries of rules that do not run, and of other files, stay. Raises UserError as ``run`` does,
    and where a baseline cannot be read or written.
    """
    from awaken.engine.suppressing.baseline_writing import write_baselines  # noqa: PLC0415  as in _run

    asked = structs.replace(options or Options(), new_baseline=True)
    return write_baselines(lambda: _run(paths, asked, rules, progress, None))


def run_staged(
    paths: Sequence[Path],
    options: Options | None = None,
    rules: Sequence[Rule] | None = None,
    *,
    progress: Progress | None = None,
) -> StagedReport:
    """Run as ``run`` does, and keep what is needed to show any one change by itself.

    It never takes an earlier run's result, so it costs what a first run does.
    """
    from awaken.engine.asking.staged_runs import StagedReport  # noqa: PLC0415  as in _run

    runs: dict[Path, StagedRun] = {}
    return StagedReport(_run(paths, options, rules, progress, runs.__setitem__), runs)


def _run(  # noqa: PLR0913  all that runs differ in
    paths: Sequence[Path],
    options: Options | None,
    rules: Sequence[Rule] | None,
    progress: Progress | None,
    observer: Observer | None,
    before: dict[Path, list[Project]] | None = None,
) -> Report:
    from awaken.engine.answering import run_root  # noqa: PLC0415  help needs no engine

    options = options or Options()
    known = run_projects.known_rules(options, rules)
    # Begun before a file is read, and asked before and after: whatever an apply or undo writes
    # meanwhile would be half in the result.
    watch = undoing.Watch()
    settings, projects, unusable = run_projects.projects_of(paths, options, known)
    watch.require_settled(result.root.path for result in projects)
    reports: list[RootReport] = []
    user_errors: list[UserError] = []
    repositories: dict[Path, Repository] = {}
    with no_collections(), overlaid(options.overlay):
        for project in projects:
            setting = settings[project.root.path]
            with run_projects.standing_alone(setting, unusable, user_errors):
                root_run = run_projects.root_run_of(project, setting, options, known, progress)
                earlier = [] if before is None else before.setdefault(project.root.path, [])
                around = run_projects.outermost(project, projects)
                root_run = structs.replace(
                    root_run, around=around, projects=earlier, repositories=repositories
                )
                reports.append(run_root(root_run, observer))
    watch.require_settled(result.root.path for result in projects)
    unusable += run_projects.as_problems(user_errors, reports)
    ran = run_projects.rules_that_ran(known, settings.values())
    return Report(
        roots=tuple(reports),
        rules=tuple(rule.name for rule in ran),
        passes=tuple(rule for rule in ran if rule.is_foreign),
        diagnostics=tuple(
            Diagnostic(problem.path, problem.line, problem.message) for problem in unusable
        ),
    )


def explain(
    path: Path,
    line: int,
    column: int | None = None,
    options: Options | None = None,
    rules: Sequence[Rule] | None = None,
) -> Explanation:
    """Return why a place was, was not or could not be rewritten; writes nothing.

    ``line`` and ``column`` (in characters) count from 1. Raises UserError where there is no such
    place, and otherwise as ``run``.
    """
    from awaken.engine.explaining.explanation import (  # noqa: PLC0415  as in _run
        AskedPlace,
        require_file,
    )

    options = options or Options()
    known = run_projects.known_rules(options, rules)
    real = Path(os.path.realpath(path))
    if real not in options.overlay:
        require_file(path)
    asked = AskedPlace(real.name, line, column, str(path))
    if real.suffix != ".py":
        from awaken.engine.explaining.explainer import not_python  # noqa: PLC0415

        return not_python(asked)
    watch = undoing.Watch()
    settings, projects, unusable = run_projects.projects_of([real], options, known)
    if not projects:
        raise UserError(_sentence(unusable[0]))
    watch.require_settled(project.root.path for project in projects)
    root = projects[0].root.path
    asked = structs.replace(asked, path=real.relative_to(root).as_posix())
    with no_collections(), overlaid(options.overlay):
        explanation = _explanation(
            run_projects.root_run_of(projects[0], settings[root], options, known), asked
        )
    watch.require_settled([root])
    return explanation


def _explanation(run: RootRun, asked: AskedPlace) -> Explanation:
    from awaken.engine.answering import Reading  # noqa: PLC0415  as in _run
    from awaken.engine.explaining.explanation import Explanation  # noqa: PLC0415
    from awaken.engine.explaining.from_report import from_report  # noqa: PLC0415
    from awaken.engine.explaining.no_site import why_excluded  # noqa: PLC0415

    root = run.found.root
    # Before the run, which knows nothing of files that discovery left out.
    excluded = why_excluded(run, asked.path)
    if excluded is not None:
        return Explanation(asked=asked, root=root.path, whys=(excluded,))
    # About the whole project, so that no change is refused for the paths selected.
    whole = root if root.lone else structs.replace(root, selected=(".",))
    run = structs.replace(run, found=structs.replace(run.found, root=whole))
    reading = Reading(run)
    report = reading.recalled_report()
    told = None if report is None else from_report(report, run.rules, asked)
    if told is not None:
        return told
    # Remembered results lack part of the answer, so the engine is needed, which takes long to
    # import.
    from awaken.engine.explaining.explainer import explain_place  # noqa: PLC0415

    return explain_place(run, reading, asked)


def _sentence(problem: FileProblem) -> str:
    line = f":{problem.line}" if problem.line else ""
    return f"{problem.path}{line}: {problem.message}" if problem.path else problem.message


def doctor(
    paths: Sequence[Path], options: Options | None = None, rules: Sequence[Rule] | None = None
) -> Diagnosis:
    """Return what awaken sees of the machine and of the projects that ``paths`` touch, and where.

    Nothing is planned or written. ``rules`` are all that there are, None for those installed.
    Settings of a project that cannot be used are an error in what is returned. Raises UserError
    for those in ``options``.
    """
    from awaken.engine.diagnosing.diagnosis import Diagnosis, examine, machine  # noqa: PLC0415  as above
    from awaken.engine.diagnosing.remarks import errors, remarks  # noqa: PLC0415

    options = options or Options()
    # The data of rules is not kept either.
    known = all_rules() if rules is None else tuple(rules)
    settings, projects, unusable = run_projects.projects_of(paths, options, known)
    roots: list[RootDiagnosis] = []
    user_errors: list[UserError] = []
    for project in projects:
        setting = settings[project.root.path]
        with run_projects.standing_alone(setting, unusable, user_errors):
            own = (*known, *setting.passes)
            seen, targets = examine(project, setting, own)
            roots.append(structs.replace(seen, remarks=remarks(seen, project, targets, own)))
    unusable += run_projects.as_problems(user_errors, roots)
    return Diagnosis(
        machine(options.jobs, use_cache=options.use_cache), tuple(roots), errors(unusable)
    )


def listing(paths: Sequence[Path], options: Options | None = None) -> Listing:
    """Return which files of ``paths`` a run looks for sites in, and with which settings.

    Raises UserError as ``run``, but an apply that was killed does not stop it.
    """
    settings, projects, unusable = run_projects.projects_of(
        paths, options or Options(), all_rules()
    )
    listed = {
        result.root.path / path
        for result in projects
        for path in result.files
        if result.root.selects(path)
    }
    problems = [Diagnostic(problem.path, problem.line, problem.message) for problem in unusable]
    for project in projects:
        base = project.root.path
        problems += [Diagnostic(str(base / p.path), p.line, p.message) for p in project.problems]
    used = tuple(settings[result.root.path] for result in projects)
    return Listing(tuple(sorted(listed)), used, tuple(problems))


def apply(
    report: Report,
    command: str = "awaken apply",
    state: Path | None = None,
    *,
    by_verify: bool = False,
) -> Applied:
    """Write what ``report`` changed: all files of all its roots, or none.

    ``command`` goes into the journal, ``state`` is the state directory (None for the user's).
    Where an apply ``by_verify`` is killed, ``take_back_killed`` takes it back. Raises UserError
    where a file is no longer as it was read, or cannot be written.
    """
    from awaken.engine.writing import applying  # noqa: PLC0415  as in _run

    writes = [write for root in report.roots for write in _writes(root)]
    if not writes:
        return applying.Applied(None, ())
    top = Path(os.path.commonpath([root.root for root in report.roots if root.files]))
    return applying.apply(top, writes, command=command, by_verify=by_verify, state=state)


def _writes(root: RootReport) -> list[FileWrite]:
    from awaken.engine.writing.applying import FileWrite  # noqa: PLC0415  as in _run

    return [
        FileWrite(
            path=root.root / file.path,
            digest=b"" if file.before is None else file.before.digest,
            content=file.after.raw(),
        )
        for file in root.files
    ]


def undo(start: Path, *, state: Path | None = None, keep_edited: bool = False) -> Undone:
    """Take back the last apply of the project around ``start``.

    Raises UserError where there is none, or a file was edited since.
    """
    return undoing.undo(_undo_root(start, state), state=state, keep_edited=keep_edited)


def take_back_killed(paths: Sequence[Path]) -> list[Undone]:
    """Take back what verifications of the projects at ``paths`` wrote when they were killed.

    Raises UserError where a file cannot be put back; one that was edited since is left to ``undo``.
    """
    roots, _ = find_roots(paths)
    return [undone for root in roots for undone in undoing.take_back_killed(root.path)]


def undo_list(start: Path, *, state: Path | None = None) -> UndoStack:
    """Return the applies of the project around ``start``, the latest first."""
    return undoing.undo_list(_undo_root(start, state), state=state)


def _undo_root(start: Path, state: Path | None) -> Path:
    """Return the nearest directory at or above ``start``, or its project root, with an apply."""
    path = Path(os.path.realpath(start))
    roots, problems = find_roots([path])
    if not roots:
        raise UserError(f"{start}: {problems[0].message}")
    above = (path, *path.parents)
    applied = (item for item in above if undoing.undo_list(item, state=state).entries)
    return next(applied, roots[0].path)
