"""The run of a recipe: step by step, each over what the steps before left, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from awaken.engine.report import Diagnostic, FileChange, Report, RootReport
from awaken.kit.rule import Rule
from awaken.settings.model import RecipeStep, Settings
from awaken.settings.recipe_tables import Recipe
from awaken.settings.selection import names_of_rules

RunStep = Callable[[Settings, Mapping[Path, bytes]], Report]
"""Runs the rules that the settings select over the files, by real path, of the steps before."""


class StepRun(Struct, frozen=True):
    """The result of a step of a recipe; ``number`` counts from 1.

    The places in ``report`` are those of the files as the step before left them. ``before`` are
    the files that earlier steps would change, by real path.
    """

    number: int
    step: RecipeStep
    report: Report
    before: Mapping[Path, bytes] = {}

    @property
    def files(self) -> Mapping[Path, bytes]:
        """The files that this step and those before it would change, by real path."""
        after = _changed_pairs(self.report) if self.step.rules else ()
        return {**self.before, **dict(after)}

    @property
    def writes(self) -> bool:
        """Whether the step has changes to make."""
        return bool(self.step.rules) and any(root.files for root in self.report.roots)

    @property
    def is_blocked(self) -> bool:
        """Whether the step changes nothing although a rule plans for the program as a whole."""
        outlines = (outline for root in self.report.roots for outline in root.outlines)
        return bool(self.step.rules) and not self.writes and any(not o.change for o in outlines)

    @property
    def causes(self) -> int:
        """How many causes keep parts of the program as they are: each may stop many places."""
        return causes(self.report)


def causes(report: Report) -> int:
    """Return how many causes keep parts of the programs as they are."""
    outlines = (outline for root in report.roots for outline in root.outlines if not outline.change)
    return sum(part.total for outline in outlines for part in outline.parts if part.key == "stops")


def run_steps(
    recipe: Recipe, settings: Settings, rules: Sequence[Rule], run: RunStep, numbers: range
) -> Iterator[StepRun]:
    """Yield the steps with these ``numbers``, each with what ``run`` returns for it.

    A step whose rules ``settings`` ignore does not run. A step that takes back what an earlier one
    wrote is an error of the recipe, and the last that runs.
    """
    ignored = set(names_of_rules(rules, settings.ignore))
    whole = {name for step in recipe.steps for name in step.names}
    files: Mapping[Path, bytes] = {}
    texts: dict[Path, list[bytes]] = {}
    for number in numbers:
        step = recipe.steps[number - 1]
        names = tuple(name for name in step.names if name not in ignored)
        if not names:
            continue
        unsafe = () if settings.unsafe_fixes is False else step.unsafe
        admitted = tuple(name for name in unsafe if name not in ignored)
        # An option of a rule of another step is no slip, and that of a rule of no step is one.
        options = {
            name: table
            for name, table in settings.rules.items()
            if name in names or name not in whole
        }
        chosen = structs.replace(settings, select=names, unsafe=admitted, rules=options)
        report = run(chosen, files)
        undone = _undone(report, texts) if step.rules else []
        if undone:
            report = structs.replace(report, diagnostics=(*report.diagnostics, *undone))
        run_of_step = StepRun(number, step, report, files)
        yield run_of_step
        if undone:
            return
        files = run_of_step.files


def combined_report(runs: Sequence[StepRun]) -> Report:
    """Return one report of all ``runs``; each root is in it once for each step."""
    return Report(
        roots=tuple(
            structs.replace(root, step=run.number) for run in runs for root in run.report.roots
        ),
        rules=tuple(dict.fromkeys(name for run in runs for name in run.report.rules)),
        diagnostics=tuple(dict.fromkeys(item for run in runs for item in run.report.diagnostics)),
        passes=tuple({rule.name: rule for run in runs for rule in run.report.passes}.values()),
    )


def written_report(runs: Sequence[StepRun]) -> Report:
    """Return one report of what ``runs`` write: each root once, its files from first to last."""
    roots: dict[Path, RootReport] = {}
    for run in runs:
        for root in run.report.roots if run.step.rules else ():
            known = roots.get(root.root)
            roots[root.root] = root if known is None else _joined_root_report(known, root)
    return structs.replace(combined_report(runs), roots=tuple(roots.values()))


def _joined_root_report(first: RootReport, then: RootReport) -> RootReport:
    files = {file.path: file for file in first.files}
    for file in then.files:
        before = files[file.path].before if file.path in files else file.before
        files[file.path] = FileChange(file.path, before, file.after)
    return structs.replace(
        then,
        files=tuple(files[path] for path in sorted(files)),
        findings=(*first.findings, *then.findings),
        changes=(*first.changes, *then.changes),
        left_to_do=tuple(dict.fromkeys((*first.left_to_do, *then.left_to_do))),
    )


def _changed_pairs(report: Report) -> Iterator[tuple[Path, bytes]]:
    for root in report.roots:
        for file in root.files:
            yield Path(os.path.realpath(root.root / file.path)), file.after.raw()


def _undone(report: Report, texts: dict[Path, list[bytes]]) -> list[Diagnostic]:
    """Note what ``report`` writes in ``texts``, and return the files that are as they once were."""
    undone = []
    for root in report.roots:
        for file in root.files:
            path = Path(os.path.realpath(root.root / file.path))
            before = texts.setdefault(path, [file.before.raw() if file.before else b""])
            after = file.after.raw()
            if after in before[:-1]:
                why = "a step of the recipe reverts an earlier step; change the recipe"
                undone.append(Diagnostic(str(path), 0, why))
            before.append(after)
    return undone
