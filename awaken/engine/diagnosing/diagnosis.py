"""The facts of ``doctor``: the project and the machine as awaken sees them, each with its source.

Nothing is planned, written or run but git, and ``shutil.which`` for the formatter.
"""

from __future__ import annotations

import platform
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct, field

from awaken.contract import UserError
from awaken.engine.formatting.formatter import Formatting, formatting
from awaken.engine.machine import git
from awaken.engine.machine.state_directory import state_directory
from awaken.engine.machine.workers import available_cores
from awaken.engine.planning.rule_discovery import in_running_order
from awaken.engine.remembering.result_places import cache_directory
from awaken.engine.root_run import publication_of, targets_of, unmet_need
from awaken.engine.writing.undoing import pending, undo_list
from awaken.kit.rule import Rule
from awaken.knowledge.ecosystem import Driver, drivers
from awaken.knowledge.libraries import knowledge
from awaken.passes.foreign import ForeignPass
from awaken.settings import Resolved
from awaken.workspace.discovery import Found, marker_of
from awaken.workspace.ignores import DEFAULT_EXCLUDE, Patterns
from awaken.workspace.manifests.manifest_declarations import Declaration, Declarations
from awaken.workspace.manifests.project_marks import Marker
from awaken.workspace.manifests.publication import Publication
from awaken.workspace.manifests.pytest_setup import PytestSetup, pytest_setup
from awaken.workspace.manifests.targets import DistributionTarget, Targets

_SHOWN_PACKAGES = ("libcst", "msgspec", "rich", "typer")


class Severity(StrEnum):
    """How bad something is: with an error awaken cannot do its work, advice is worth acting on."""

    ERROR = "error"
    ADVICE = "advice"


class Remark(Struct, frozen=True):
    """Something to act on, and what to do; ``path`` is relative to the root of the remark."""

    severity: Severity
    message: str
    help: str = field(default="", name="cure")  # as JSON has it
    path: str = ""
    line: int = 0


class Library(Struct, frozen=True):
    """A library, or Python, as the rewrites are made for it.

    ``specifier`` is empty where nothing declares it; with ``assumed`` no version is named, and the
    current ones are used. ``declared`` are the statements that ``origin`` sums up.
    """

    name: str
    specifier: str
    origin: str
    assumed: bool
    declared: tuple[Declaration, ...]


class FoundDriver(Struct, frozen=True):
    """A database driver among the dependencies, under the name that the project uses."""

    name: str
    driver: Driver
    library: Library


class RuleStatus(Struct, frozen=True):
    """Whether a rule runs and rewrites here; ``why`` not is empty where it does both."""

    name: str
    runs: bool
    why: str


class PassStatus(Struct, frozen=True):
    """A pass: what it runs, who named it, and whether its code may be run."""

    name: str
    kind: str
    target: str
    origin: str
    trusted: bool


class ExcludedGroup(Struct, frozen=True):
    """The files that one cause excludes: ``default``, ``exclude`` settings, ``.gitignore`` files.

    ``names`` are the last parts of the paths, the most frequent first.
    """

    by: str
    files: int
    directories: int
    names: tuple[str, ...]


class RootDiagnosis(Struct, frozen=True, kw_only=True):
    """One project root; ``files`` is the number of Python files, ``selected`` of those in PATHS.

    ``pending`` is the sentence about an apply that was stopped half way (empty without one), and
    ``undoable`` the number of applies that can be taken back.
    """

    root: Path
    lone: bool
    marker: Marker
    settings: Resolved
    files: int
    selected: int
    excluded: tuple[ExcludedGroup, ...]
    nested: tuple[Path, ...]
    publication: Publication
    python: Library
    libraries: tuple[Library, ...]
    drivers: tuple[FoundDriver, ...]
    formatting: Formatting
    tests: PytestSetup
    repository: Repository | None
    rules: tuple[RuleStatus, ...]
    passes: tuple[PassStatus, ...]
    pending: str
    undoable: int
    remarks: tuple[Remark, ...] = ()


class Machine(Struct, frozen=True, kw_only=True):
    """The machine and its Python; ``packages`` are versions by name, ``processes`` their number."""

    awaken: str
    python: str
    executable: str
    platform: str
    packages: Mapping[str, str]
    processes: int
    processes_origin: str
    state: Path
    cache: Path | None


class Diagnosis(Struct, frozen=True):
    """The machine and every project root; ``remarks`` are those about no root."""

    machine: Machine
    roots: tuple[RootDiagnosis, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def errors(self) -> int:
        """The number of remarks that say that awaken cannot do its work."""
        return self._count(Severity.ERROR)

    @property
    def advice(self) -> int:
        """The number of remarks that are advice."""
        return self._count(Severity.ADVICE)

    def _count(self, severity: Severity) -> int:
        every = (*self.remarks, *(remark for root in self.roots for remark in root.remarks))
        return sum(remark.severity is severity for remark in every)


def machine(jobs: int | None, *, use_cache: bool) -> Machine:
    """Return what runs awaken; ``jobs`` is the number of processes asked for, None for all."""
    return Machine(
        awaken=version("awaken"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=sys.executable,
        # platform.platform() would run `uname` from the PATH, where a project may have its own.
        platform=f"{platform.system()}-{platform.release()}-{platform.machine()}",
        packages={name: version(name) for name in _SHOWN_PACKAGES},
        processes=jobs or available_cores(),
        processes_origin="--jobs" if jobs else "one per core",
        state=state_directory(),
        cache=cache_directory() if use_cache else None,
    )


def examine(
    found: Found, settings: Resolved, rules: Sequence[Rule]
) -> tuple[RootDiagnosis, Targets]:
    """Return what is seen of one project root, without remarks, and the versions it runs on.

    ``rules`` are all that there are. Raises UserError for an invalid version in ``settings``.
    """
    root = found.root.path
    targets = targets_of(found, settings)
    declarations = Declarations(root)
    unfinished, undoable = _journal(root)
    diagnosis = RootDiagnosis(
        root=root,
        lone=found.root.lone,
        marker=marker_of(found.root),
        settings=settings,
        files=len(found.files),
        selected=sum(found.root.selects(path) for path in found.files),
        excluded=tuple(_excluded_groups(found)),
        nested=tuple(inner.path for inner in found.nested),
        publication=publication_of(found.root, settings),
        python=_library("python", targets, declarations),
        libraries=tuple(
            _library(name, targets, declarations)
            for name in _library_names(settings, rules, targets)
        ),
        drivers=tuple(_drivers(targets, declarations)),
        formatting=formatting(root),
        tests=pytest_setup(root, declarations),
        repository=repository_of(root),
        rules=tuple(_status(rule, settings, targets) for rule in in_running_order(rules)),
        passes=tuple(_passes(settings)),
        pending=unfinished,
        undoable=undoable,
    )
    return diagnosis, targets


def _excluded_groups(found: Found) -> Iterator[ExcludedGroup]:
    groups: dict[str, list[str]] = {}
    usual = Patterns(f"{found.root.path}/", DEFAULT_EXCLUDE)
    for item in found.excluded:
        # The last part with its slash, by which patterns tell a directory.
        name = item.path[item.path.rstrip("/").rfind("/") + 1 :]
        by_default = item.by == "exclude" and usual.decision(f"{usual.base}{item.path}", name)
        groups.setdefault("default" if by_default else item.by, []).append(item.path)
    for by, paths in sorted(groups.items()):
        directories = sum(path.endswith("/") for path in paths)
        names = Counter(path.rstrip("/").rpartition("/")[2] for path in paths)
        ordered = sorted(names, key=lambda name: (-names[name], name))
        yield ExcludedGroup(by, len(paths) - directories, directories, tuple(ordered))


def _library_names(settings: Resolved, rules: Sequence[Rule], targets: Targets) -> list[str]:
    """Return the libraries that running rules need, and those in use that awaken knows."""
    needed = {name for rule in rules if rule.name in settings.rules for name in rule.needs}
    known = {library.distribution for library in knowledge().libraries}
    used = {name for name in known if targets.distribution(name) is not None}
    return sorted((used | needed) - {"python"})


def _library(name: str, targets: Targets, declarations: Declarations) -> Library:
    target = targets.distribution(name)
    declared = declarations.statements_about(name)
    if target is None:
        return Library(name, "", "", assumed=False, declared=declared)
    return Library(name, target.specifier, target.origin, target.is_assumed, declared)


def _drivers(targets: Targets, declarations: Declarations) -> Iterator[FoundDriver]:
    for driver in drivers():
        present: list[DistributionTarget] = [
            target
            for name in driver.distributions
            if (target := targets.distribution(name)) is not None
        ]
        if present:  # psycopg and psycopg-binary are one driver
            library = _library(present[0].name, targets, declarations)
            yield FoundDriver(present[0].name, driver, library)


def _status(rule: Rule, settings: Resolved, targets: Targets) -> RuleStatus:
    if rule.name not in settings.rules:
        return RuleStatus(rule.name, runs=False, why=settings.rules_off[rule.name])
    unmet = unmet_need(rule, targets)
    return RuleStatus(rule.name, runs=True, why=f"rewrites nothing: {unmet}" if unmet else "")


def _passes(settings: Resolved) -> Iterator[PassStatus]:
    for rule in settings.passes:
        if isinstance(rule, ForeignPass):
            said, place = rule.settings, rule.place
            yield PassStatus(rule.name, said.kind, said.target, place.origin, place.is_trusted)


def _journal(root: Path) -> tuple[str, int]:
    try:
        unfinished = pending(root)
        applies = undo_list(root).entries
    except UserError as error:
        return str(error), 0
    return ("" if unfinished is None else unfinished.message), len(applies)


class Repository(Struct, frozen=True):
    """A git working tree: its top, and how many entries ``git status`` lists.

    ``changed`` are files that git tracks, ``untracked`` are new files and directories.
    """

    top: Path
    changed: int
    untracked: int


def repository_of(directory: Path) -> Repository | None:
    """Return the git working tree that holds ``directory``; None without one that git can read."""
    try:
        with git.open_repository(directory) as repository:
            if repository is None:
                return None
            status = repository.ask(directory, *git.STATUS)
    except git.GitError:
        return None
    if status.returncode:
        return None
    listed = [entry for entry in status.stdout.split(b"\0") if entry]
    untracked = sum(entry.startswith(b"??") for entry in listed)
    return Repository(repository.top, len(listed) - untracked, untracked)
