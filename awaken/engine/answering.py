"""The run over one project root: reads its files, recalls the answer or plans it, and reports."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from awaken.contract import Finding
from awaken.engine.baseline import DEFAULT_NAME, read_baseline
from awaken.engine.formatting.formatter import detect
from awaken.engine.machine.memory import with_room
from awaken.engine.manifests.editable import read_manifests
from awaken.engine.progress import READING, report_progress
from awaken.engine.remembering.remembered import Memory, State, digest_of
from awaken.engine.report import (
    BaselineUse,
    Diagnostic,
    Remembered,
    RootReport,
    TargetVersion,
    UnmetNeed,
)
from awaken.engine.root_run import (
    RootRun,
    Surroundings,
    entries_about,
    evidence_of,
    publication_of,
    targets_of,
    unmet_need,
)
from awaken.engine.suppressing.changed_lines import changed_lines
from awaken.engine.suppressing.suppressed import SuppressionSources
from awaken.kit.rule import Rule
from awaken.settings.model import COMMAND_LINE, Resolved
from awaken.settings.recipe_tables import recognised_recipes
from awaken.settings.settings_files import names_nothing
from awaken.settings.typed_settings import is_default
from awaken.workspace.file_reading import FileReader
from awaken.workspace.manifests.pytest_settings import PYTEST_READS, settings_above
from awaken.workspace.manifests.targets import Targets, own_locks
from awaken.workspace.outside import Outside, declared_above, read_outside
from awaken.workspace.parsing import Unparsable, parse
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.reading import Enclosure, enclosure_of, read_named
from awaken.workspace.sources import FileProblem, is_python
from awaken.workspace.text_files import read_texts

if TYPE_CHECKING:
    from pathlib import Path

    from awaken.engine.run import Observer
    from awaken.engine.units.known_units import UnitMemory
    from awaken.workspace.discovery import Root


@with_room
def run_root(asked: RootRun, observer: Observer | None = None) -> RootReport:
    """Run the rules over one project root; nothing is written.

    With a ``observer`` nothing is recalled: there is always something to tell it.
    """
    return Reading(asked).answer_report(observer)


class Reading:
    """One project root as it was read, and all that decides the answer about it."""

    def __init__(self, asked: RootRun) -> None:
        self._started = time.perf_counter()
        self._asked = asked
        root = asked.found.root
        self._suppression_sources = _suppression_sources(asked)
        self._targets = targets_of(asked.found, asked.settings)
        self._formatter = detect(root.path)
        self._memory = _memory(asked)
        paths = report_progress(asked.found.files, READING, asked.progress)
        known = self._memory.files
        self._reader = FileReader(root.path, paths, known, recognise=recognised_recipes)
        asked_for = read_texts(Enclosure(root.path), root.path, asked.found.texts)
        members = asked.found.members
        self._texts = {**asked_for.files, **read_manifests(root.path, root.selected, members)}
        publication = publication_of(root, asked.settings)
        self._project_settings = ProjectSettings(
            publication.published,
            asked.reads(),
            (*asked.found.unread_texts, *asked_for.unread),
            own_locks(root.path, members),
            settings_above(root.path) if set(PYTEST_READS) <= set(asked.reads()) else None,
            evidence_of(publication, asked.settings),
            asked.settings.source_folders(),
            _files_outside(asked),
            () if root.lone else declared_above(root.path, asked.around),
        )
        self._question = digest_of(_question(asked), {})
        digests = self._reader.digests() | {path: file.digest for path, file in self._texts.items()}
        parts = (
            self._formatter.fingerprint(asked.found.files),
            self._suppression_sources.fingerprint(),
        )
        made_from = digest_of((self._targets.all(), self._project_settings, *parts), {})
        self._state = State(made_from, digests, self._reader.source)

    def for_file(self, path: str) -> Reading:
        """Return the same for a question about the sites of one file."""
        other = copy(self)
        other._asked = structs.replace(self._asked, sites_in=frozenset({path}))  # noqa: SLF001  of the same class
        return other

    def answer_report(self, observer: Observer | None = None) -> RootReport:
        """Return the report of the answer, recalled if nobody observes the run."""
        report = self.recalled_report() if observer is None else None
        return self._report(self._planned_answer(observer)) if report is None else report

    def hints(self) -> Mapping[str, int]:
        """Return the recipes that may find something, each with the number of files."""
        return dict(sorted(self._reader.signs().items()))

    def recalled_report(self) -> RootReport | None:
        """Return the report of an earlier answer; None if there is none that holds."""
        answer = self._memory.recall(self._question, self._state)
        return None if answer is None else self._report(answer)

    def _planned_answer(self, observer: Observer | None) -> Remembered:
        """Return the answer, worked out; it is kept for the next run."""
        # The engine is imported here: a run that is answered from memory needs nothing of it.
        from awaken.engine.run import plan_root  # noqa: PLC0415

        files = self._reader.sources() | self._texts
        # As they were read: a file may have changed since it was looked at.
        digests = {path: file.digest for path, file in files.items()}
        read = structs.replace(self._state, digests=digests)
        surroundings = Surroundings(
            read.made_from,
            read.digest(),
            self._targets,
            self._project_settings,
            self._formatter,
            self._suppression_sources,
        )
        units = self._units()
        planned = plan_root(self._asked, files, surroundings, units)
        if units is not None:
            units.keep()
        if observer is not None:
            observer(self._asked.found.root.path, planned.staged)
        # A part of the sites answers another question.
        is_whole = self._asked.sites_in is None or planned.staged.tools.site_scope is None
        # The same bytes give the same diagnostics, except for failures of awaken itself.
        if is_whole and not any(diagnostic.internal for diagnostic in planned.answer.diagnostics):
            self._memory.keep(self._question, planned.answer, planned.evidence)
        return planned.answer

    def _units(self) -> UnitMemory | None:
        """Return the kept plans of units; None where nothing is kept."""
        from awaken.engine.units.known_units import UnitMemory  # noqa: PLC0415  as above

        cache = self._memory.cache
        made_from = digest_of((self._targets.all(), self._project_settings), {})
        if cache is None:
            return None
        return UnitMemory(cache, self._question, made_from, self._memory.texts)

    def _report(self, answer: Remembered) -> RootReport:
        """Return the report of an answer, and keep the facts of the files."""
        asked, root = self._asked, self._asked.found.root
        self._memory.keep_files(self._reader.known_files())
        self._memory.save()
        problems = tuple(
            Diagnostic(problem.path, problem.line, problem.message)
            for problem in (
                *asked.found.problems,
                *self._reader.problems(),
                *self._targets.problems,
            )
        )
        problems += unparsable_named(root, self._reader, {item.path for item in answer.diagnostics})
        unmet = tuple(_unmet(asked.running_rules(), self._targets, answer.explained_only))
        unusable = frozenset(problem.path for problem in (*problems, *answer.diagnostics))
        return RootReport(
            root=root.path,
            targets=tuple(
                TargetVersion(t.name, t.specifier, t.origin) for t in self._targets.origins()
            ),
            findings=answer.findings,
            changes=answer.changes,
            pending=answer.pending,
            files=answer.files,
            sources=answer.sources,
            diagnostics=(*problems, *answer.diagnostics),
            files_read=len(asked.found.files),
            seconds=time.perf_counter() - self._started,
            notes=(
                *_trust_notes(asked.settings),
                *_preview_notes(asked.settings),
                *map(_unmet_note, unmet),
                *_baseline_notes(self._suppression_sources, answer.unmatched),
                *_link_notes(asked.found.broken_links),
                *_line_notes(self._targets.skipped),
            ),
            suppressed=answer.suppressed,
            baseline=_baseline_use(asked, self._suppression_sources, unusable),
            left_to_do=answer.left_to_do,
            outlines=answer.outlines,
            edited=answer.edited,
            hints=self.hints(),
            unmet=unmet,
            explained_only=answer.explained_only,
            settings=asked.settings,
        )


def _link_notes(links: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on symbolic links that lead to no file, if there are any."""
    if len(links) == 1:
        yield f"{links[0]} is a symbolic link that leads nowhere, so it is not read"
    elif links:
        names = ", ".join(links)
        yield f"{len(links):,} symbolic links lead nowhere, so they are not read: {names}"


def _line_notes(lines: Sequence[FileProblem]) -> Iterator[str]:
    """Yield a sentence on lines of manifests that are not read, if there are any."""
    places = ", ".join(f"{line.path}:{line.line}" for line in lines)
    if lines:
        are = (
            "is no requirement, so it is" if len(lines) == 1 else "are no requirements, so they are"
        )
        yield f"{places} {are} skipped"


def _files_outside(asked: RootRun) -> Outside:
    """Return the files next to the project if a rule that runs asks for them."""
    root = asked.found.root
    if root.lone or not any(rule.looks_outside for rule in asked.running_rules()):
        return Outside()
    return read_outside(root.path, asked.found.files, asked.around, asked.repositories)


def _memory(asked: RootRun) -> Memory:
    # The digest of what makes a result covers awaken's own code, and no plug-in's.
    own = all(
        type(rule).__module__.startswith("awaken.") and not rule.is_foreign
        for rule in asked.running_rules()
    )
    return Memory(asked.found.root.path, asked.settings.cache_dir, use=asked.use_cache and own)


def _trust_notes(settings: Resolved) -> list[str]:
    """Return which codemods of the project do not run because nobody trusts them."""
    named: dict[str, list[str]] = {}
    for name, code in settings.untrusted.items():
        named.setdefault(code, []).append(name)
    return [
        (
            f"{', '.join(names)} {'does' if len(names) == 1 else 'do'} not run: {code}; read "
            "it, then pass --trust-passes, or run `awaken trust` once"
        )
        for code, names in named.items()
    ]


def _preview_notes(settings: Resolved) -> list[str]:
    """Return what families and ``ALL`` leave out."""
    number = len({name for names in settings.left_out.values() for name in names})
    if not number:
        return []
    rules, them = ("rules", "them") if number > 1 else ("rule", "it")
    words = " and ".join(settings.left_out)
    leave = "leave" if len(settings.left_out) > 1 else "leaves"
    return [f"{words} {leave} out {number} {rules} in preview: add --preview, or name {them}"]


def _unmet(
    rules: Sequence[Rule], targets: Targets, sites: Sequence[Finding]
) -> Iterator[UnmetNeed]:
    """Yield the rules that would rewrite what they found with other versions."""
    counts = Counter(site.rule for site in sites)
    for rule in rules:
        unmet = unmet_need(rule, targets) if counts[rule.name] else None
        if unmet is not None:
            yield UnmetNeed(rule.name, counts[rule.name], *unmet)


def _unmet_note(unmet: UnmetNeed) -> str:
    sites = f"{unmet.sites} site{'' if unmet.sites == 1 else 's'}"
    return (
        f"{unmet.rule} rewrites nothing here ({sites}): it needs {unmet.needs}, but the "
        f"project declares {unmet.declared}; raise the requirement, or pass the version "
        "with --target"
    )


def _suppression_sources(asked: RootRun) -> SuppressionSources:
    """Return what holds sites of this root back. Raises UserError."""
    root, settings = asked.found.root.path, asked.settings
    file = _baseline_file(asked)
    # A file that the user named may lie anywhere; one that a project's settings name, only inside.
    read = read_named if settings.says_user("baseline") else enclosure_of(root).read
    expected = settings.baseline is not None and not asked.new_baseline
    if expected and not os.path.lexists(file):
        why = "does not exist; awaken check --write-baseline writes one"
        shown = os.path.relpath(file)
        raise names_nothing(settings, [(("baseline",), f"the baseline {shown} {why}")])
    return SuppressionSources(
        asked.rules,
        settings.ignoring_overrides,
        read_baseline(file, root, read) if expected or file.exists() else None,
        None if asked.since is None else changed_lines(root, asked.since, asked.overlay),
    )


def _baseline_file(asked: RootRun) -> Path:
    return asked.settings.baseline or asked.found.root.path / DEFAULT_NAME


def _baseline_use(
    asked: RootRun, suppression_sources: SuppressionSources, unread: frozenset[str]
) -> BaselineUse:
    origin = asked.settings.origins.get("baseline", "")
    named = origin == COMMAND_LINE or origin.startswith("--config")
    if suppression_sources.baseline is None:
        return BaselineUse(_baseline_file(asked), named=named)
    concerned = set(entries_about(suppression_sources.baseline, asked, unread))
    kept = (entry for entry in suppression_sources.baseline.entries if entry not in concerned)
    return BaselineUse(suppression_sources.baseline.file, tuple(kept), named)


def _baseline_notes(suppression_sources: SuppressionSources, unmatched: int) -> list[str]:
    if suppression_sources.baseline is None or not unmatched:
        return []
    file = suppression_sources.baseline.file
    option = "" if file.name == DEFAULT_NAME else f" --baseline {os.path.relpath(file)}"
    entries = "1 entry" if unmatched == 1 else f"{unmatched} entries"
    gone = f"{entries} of {file.name} no longer {'matches' if unmatched == 1 else 'match'} anything"
    return [f"{gone}; write it again with awaken check --write-baseline{option}"]


def _question(asked: RootRun) -> tuple[object, ...]:
    """Return all that decides the result in addition to the files and their versions."""
    # Defaults are part of the code: to say one is to say nothing.
    said = {name: item for name, item in asked.settings.options.items() if not is_default(item)}
    return (
        asked.settings.rules,
        asked.settings.unsafe_fixes,
        asked.settings.unsafe,
        msgspec.to_builtins(said, order="deterministic", enc_hook=repr),
        asked.settings.overrides,
        asked.settings.baseline,
        asked.since,
        sorted(asked.excluded),
        asked.found.root.selected,
    )


def unparsable_named(
    root: Root, reader: FileReader, said: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Return why files of ``root`` that were named do not parse, without those in ``said``."""
    diagnostics = []
    for path in root.selected:
        source = reader.source(path) if is_python(path) and path not in said else None
        try:
            if source is not None:
                parse(source)
        except Unparsable as error:
            why, never_runs = str(error), error.never_runs
            diagnostics.append(Diagnostic(path, error.line, why, never_runs=never_runs))
    return tuple(diagnostics)
