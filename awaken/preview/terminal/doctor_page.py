"""A diagnosis on a console: per root what was detected and from where, then what to act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from rich.console import Console

from awaken.engine.diagnosing.diagnosis import (
    Diagnosis,
    ExcludedGroup,
    FoundDriver,
    Library,
    Machine,
    PassStatus,
    Remark,
    Repository,
    RootDiagnosis,
    RuleStatus,
    Severity,
)
from awaken.kit.sites import joined_words
from awaken.preview.console.page import Page, joined_text
from awaken.preview.console.text import Text, cell_len
from awaken.preview.counts import plural
from awaken.preview.documents.settings_text import SettingRow, patterns_in, setting_rows, toml_value
from awaken.preview.paths import relative
from awaken.preview.streams.visible import visible
from awaken.workspace.ignores import DEFAULT_EXCLUDE
from awaken.workspace.manifests.manifest_declarations import Declaration
from awaken.workspace.manifests.publication import Publication
from awaken.workspace.manifests.pytest_setup import AsyncPlugin, PytestSetup
from awaken.workspace.manifests.versions import ANY_VERSION

RUNS = "runs"


class Row(Struct, frozen=True):
    """A value in its own column, a specifier next to it, and its source."""

    value: str
    detail: str = ""
    note: str = ""


def aligned_rows(rows: Iterable[Row]) -> list[Row]:
    """Return ``rows``, those that have a detail with values and details of one width."""
    every = list(rows)
    detailed = [row for row in every if row.detail]
    value = max((len(row.value) for row in detailed), default=0)
    detail = max((len(row.detail) for row in detailed), default=0)
    return [
        Row(row.value.ljust(value), row.detail.ljust(detail), row.note) if row.detail else row
        for row in every
    ]


def setting_value(setting: SettingRow) -> str:
    """Return what a setting is set to, of what is left out only what is not usual."""
    usual = list(DEFAULT_EXCLUDE)
    if setting.key == "exclude" and setting.value[: len(usual)] == usual:
        more = setting.value[len(usual) :]
        return f"the default and {toml_value(more)}" if more else "the default"
    return toml_value(setting.value)


def no_file(files: Sequence[str]) -> str:
    """Return the note of settings that are in no file."""
    return "" if files else "no settings file"


def marker_of(root: RootDiagnosis) -> str:
    """Return what makes the directory a root."""
    marker = root.marker
    if not marker.file:
        return marker.why
    line = f":{marker.line}" if marker.line else ""
    return f"{marker.file}{line}, {marker.why}"


_VERBS = {"calls", "has", "is", "may", "says"}
"""How a reason of the build settings begins: its subject is the project."""


def publication_row(found: Publication) -> Row:
    """Return the row that says whether others may import from the project, and why."""
    answer = "yes" if found.published else "no"
    if found.why.split()[0] not in _VERBS:  # a setting says so, and this is its origin
        return Row(answer, "", found.why)
    line = f":{found.line}" if found.line else ""
    return Row(f"{answer}: it {found.why}", "", f"{found.path}{line}")


def library_row(library: Library, name: str) -> Row:
    """Return the row of a library: what is assumed of it, and which files say what."""
    said = list(_statements(library.declared, library.specifier))
    note = ", ".join(said)
    if library.assumed:
        note = f"assumed: {f'{note}' if said else 'nothing is declared'}"
    elif not _from_files(library):
        note = f"{library.origin}{f'; {note}' if said else ''}"
    return Row(name, library.specifier, note) if name else Row(library.specifier, "", note)


def _from_files(library: Library) -> bool:
    """Whether the files that declare the library are where its versions were read."""
    files = {declaration.path.rpartition("/")[2] for declaration in library.declared}
    files |= {declaration.path for declaration in library.declared}
    return bool(files) and set(library.origin.split(", ")) <= files


def _statements(declared: Sequence[Declaration], specifier: str) -> Iterator[str]:
    """Yield where versions are declared, by their text, if that differs from ``specifier``."""
    places: dict[str, list[str]] = {}
    for declaration in declared:
        line = f":{declaration.line}" if declaration.line else ""
        places.setdefault(declaration.specifier, []).append(f"{declaration.path}{line}")
    # Those that agree come first: they are what is assumed.
    for said in sorted(places, key=lambda said: said != specifier):
        where = joined_words(places[said])
        several = len(places[said]) > 1
        if said == specifier:
            yield where
        elif said == ANY_VERSION:
            yield f"{where} {'name' if several else 'names'} no version"
        else:
            yield f"{where} {'say' if several else 'says'} {said}"


def _declared_row(name: str, declared: Sequence[Declaration], *notes: str) -> Row:
    """Return the row of something of which only the declarations are known."""
    locked = [declaration.specifier for declaration in declared if declaration.locked]
    # A lock says what is installed, a manifest only what is allowed.
    said = locked or sorted({declaration.specifier for declaration in declared} - {ANY_VERSION})
    specifier = said[0] if len(said) == 1 else ""
    every = [*notes, ", ".join(_statements(declared, specifier or ANY_VERSION))]
    return Row(name, specifier, "; ".join(note for note in every if note))


def rule_row(status: RuleStatus) -> Row:
    """Return the result for the sites of a rule."""
    if status.runs and status.why:
        return Row(status.name, "finds sites, rewrites none: see below")
    return Row(status.name, RUNS if status.runs else f"off: {status.why}")


def pass_row(one: PassStatus) -> Row:
    """Return the row of foreign code: all its changes are unsafe, because nobody proves them."""
    trust = "" if one.trusted else "; not trusted"
    note = f"{one.origin}{trust}; its changes are unsafe: nothing of them is proved"
    return Row(one.name, f"{one.kind} {one.target}", note)


def driver_rows(found: Sequence[FoundDriver]) -> Iterator[Row]:
    """Yield the database drivers, and whether each blocks."""
    if not found:
        yield Row("none among the dependencies")
    for driver in found:
        kinds = [("sync", driver.driver.urls), ("async", driver.driver.async_urls)]
        kind = " and ".join(word for word, urls in kinds if urls)
        urls = dict.fromkeys((*driver.driver.urls, *driver.driver.async_urls))
        shown = ", ".join(f"{url}://" for url in urls)
        yield _declared_row(driver.name, driver.library.declared, f"{kind}, {shown}")


def formatter_rows(root: RootDiagnosis) -> Iterator[Row]:
    """Yield the formatters that are declared, and the length of lines."""
    result = root.formatting
    for item in result.declared:
        used = (
            item.executable
            if item == result.first_executable
            else "not used: awaken uses the one above"
        )
        yield Row(item.name, "", f"{item.origin}; {used if item.executable else 'not on PATH'}")
    if not result.declared:
        yield Row("none declared")
    yield Row(f"lines up to {result.line_length} characters", "", result.line_length_origin)


def test_rows(tests: PytestSetup) -> Iterator[Row]:
    """Yield the settings of pytest, and how coroutine tests are run."""
    if not tests.uses_pytest:
        yield Row("pytest is neither declared nor set up")
    else:
        settings = f"settings: {tests.settings}" if tests.settings else ""
        yield _declared_row("pytest", tests.pytest, settings)
    if tests.test_paths:
        yield Row(f"looked for in {', '.join(tests.test_paths)}", "", "testpaths")
    for plugin in tests.plugins:
        yield _plugin(plugin)
    scopes = [("fixtures", tests.fixture_loop_scope), ("tests", tests.test_loop_scope)]
    for what, scope in scopes:
        if scope:
            yield Row(f"event loop of {what}: one per {scope}")
    if tests.uses_pytest and not tests.plugins:
        yield Row("no plugin for coroutine tests is declared")


def _plugin(plugin: AsyncPlugin) -> Row:
    mode = f"{plugin.mode} mode, {plugin.mode_origin}" if plugin.mode else ""
    return _declared_row(plugin.name, plugin.declared, mode)


def git_row(root: RootDiagnosis) -> Row:
    """Return the state of the repository."""
    repository = root.repository
    if repository is None:
        return Row("no repository", "", "`awaken undo` works without one")
    counts = [(repository.changed, "changed"), (repository.untracked, "untracked")]
    state = ", ".join(f"{number:,} {word}" for number, word in counts if number)
    top = "of this directory" if repository.top == root.root else str(repository.top)
    return Row(state or "clean", "", f"repository {top}")


def undo_row(root: RootDiagnosis) -> Row:
    """Return what can be taken back."""
    if root.pending:
        return Row("an apply stopped half way", "", "see below")
    if root.undoable:
        return Row(f"{plural(root.undoable, 'apply').replace('applys', 'applies')} to take back")
    return Row("nothing to take back")


_INDENT = "  "
_LABEL = 12
"""Columns of the labels, the space behind them included."""
_NAMES_SHOWN = 4
"""Of left-out files and directories so many names are shown; --verbose shows all. A choice: as many
as fit on one row."""
_VALUE_SHARE = 2
"""A value wider than the page divided by this has its note on a row of its own: a note that folds
into less than half of the page is hard to read."""


def print_diagnosis(diagnosis: Diagnosis, console: Console, current: Path, *, every: bool) -> None:
    """Print ``diagnosis``, paths relative to ``current``.

    With ``every``, also what is usual or absent: default settings and all left-out names.
    """
    page = _Page(console, current, every=every)
    page.machine(diagnosis.machine)
    for root in diagnosis.roots:
        page.root(root)
    if diagnosis.remarks:
        page.blank()
        page.remarks(diagnosis.remarks, None)
    page.close(diagnosis)


_Labelled = tuple[str, Sequence[Row]]


class _Told(NamedTuple):
    """The facts that were printed for the first program: others only name those that are equal."""

    name: str
    rows: Sequence[_Labelled]
    advice: Sequence[Remark]


class _Page:
    def __init__(self, console: Console, current: Path, *, every: bool) -> None:
        self._page = Page(console)
        self._current = current
        self._every = every
        self._repository: Repository | None = None  # of the root before
        self._first: _Told | None = None

    def blank(self) -> None:
        self._page.row()

    def machine(self, machine: Machine) -> None:
        self._page.row((f"awaken {machine.awaken}", "path"), f" on {machine.python}")
        packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
        self._rows("Python", [Row(machine.executable)])
        self._rows("Platform", [Row(machine.platform)])
        self._rows("Packages", [Row(packages)])
        self._rows("Processes", [Row(f"{machine.processes}", "", machine.processes_origin)])
        self._rows("State", [Row(str(machine.state))])
        cache = Row("not used", "", "--no-cache") if machine.cache is None else None
        self._rows("Cache", [cache or Row(str(machine.cache))])

    def root(self, root: RootDiagnosis) -> None:
        self.blank()
        shown = relative(root.root, "", self._current)
        name = root.root.name if shown == "." else shown
        self._page.rule((name, "path"))
        self._rows("Root", [Row(str(root.root), "", marker_of(root))])
        self._rows("Files", self._files(root))
        rows = [(label, values) for label, values in self._told_items(root) if values]
        first = None if self._every else self._first
        same = [label for label, values in rows if first and (label, values) in first.rows]
        for label, values in rows:
            if label not in same:
                self._rows(label, values)
        remarks = [remark for remark in root.remarks if first is None or remark not in first.advice]
        if repeated := len(root.remarks) - len(remarks):
            same.append(f"{repeated} of advice")
        if first is not None and same:
            self._rows("Same", [Row(f"{', '.join(same)}: as in {first.name}")])
        if self._first is None and root.files:
            advice = [remark for remark in root.remarks if remark.severity is Severity.ADVICE]
            self._first = _Told(name, rows, advice)
        self._repository = root.repository
        if remarks:
            self.blank()
            self.remarks(remarks, root)

    def _told_items(self, root: RootDiagnosis) -> Iterator[_Labelled]:
        yield "Settings", self._settings(root)
        if root.files or self._every:
            yield from self._program(root)
        # Projects of one repository share it, so only the first one shows it.
        if root.repository is None or root.repository != self._repository or self._every:
            yield "Git", [git_row(root)]
        if root.pending or root.undoable or self._every:
            yield "Undo", [undo_row(root)]

    def _program(self, root: RootDiagnosis) -> Iterator[_Labelled]:
        yield "Published", [publication_row(root.publication)]
        yield "Python", [library_row(root.python, "")]
        yield "Libraries", aligned_rows(self._libraries(root.libraries))
        yield "Drivers", aligned_rows(driver_rows(root.drivers))
        yield "Formatter", list(formatter_rows(root))
        yield "Tests", aligned_rows(test_rows(root.tests))
        yield "Rules", aligned_rows(self._rules(root.rules))
        yield "Passes", aligned_rows(map(pass_row, root.passes))

    def _rules(self, rules: Sequence[RuleStatus]) -> Iterator[Row]:
        """Yield a row for each answer, with the rules that have it; for each rule on demand."""
        if self._every:
            yield from map(rule_row, rules)
            return
        answers: dict[str, list[str]] = {}
        for rule in sorted(rules, key=lambda rule_status: not rule_status.runs):
            answers.setdefault(rule_row(rule).detail, []).append(rule.name)
        for answer, names in answers.items():
            # Those that are off are many, and `awaken rules` lists them.
            shown = self._some(names) if answer.startswith("off") else ", ".join(names)
            what, _, why = answer.partition(": ")
            what = "run" if what == RUNS and len(names) > 1 else what
            yield Row(f"{len(names)} {what}{f' ({why})' if why else ''}: {shown}")

    def _rows(self, label: str, rows: Sequence[Row]) -> None:
        for index, row in enumerate(rows):
            head = joined_text([_INDENT, ((label if not index else "").ljust(_LABEL), "faint")])
            self._row(head, row)

    def _row(self, head: Text, row: Row) -> None:
        """Print a row; a note without room next to a wide value goes below it."""
        value = " ".join(part for part in (row.value, row.detail) if part.strip())
        width = self._page.width
        if not row.note:
            self._page.hanging(head, value.rstrip())
            return
        note = f"({row.note})"
        beside = joined_text([head, value, " "])
        # Without a width the output is no terminal, and nothing folds.
        fits = width is None or beside.cell_len + cell_len(visible(note)) <= width
        if fits or beside.cell_len <= (width or 0) // _VALUE_SHARE:
            self._page.hanging(beside, note, "faint")
            return
        self._page.hanging(head, value.rstrip())
        self._page.hanging(Text(" " * (head.cell_len + 2)), note, "faint")

    def _settings(self, root: RootDiagnosis) -> list[Row]:
        resolved = root.settings
        files = [relative(path.parent, path.name, self._current) for path in resolved.files]
        rows = [Row(", ".join(files) if files else "the defaults", "", no_file(files))]
        rows += [
            Row(f"{candidate.key} = {setting_value(candidate)}", "", candidate.origin or "default")
            for candidate in setting_rows(resolved)
            if candidate.origin or self._every
        ]
        for override in resolved.overrides:
            paths = patterns_in(override.paths, root.root)
            rows.append(Row(f"overrides for {', '.join(paths)}", "", override.origin))
        return rows

    def _files(self, root: RootDiagnosis) -> list[Row]:
        value = plural(root.files, "Python file")
        if root.selected != root.files:
            value += f", {root.selected:,} of them in the selected paths"
        rows = [Row(value)]
        rows += [Row(self._excluded_text(group)) for group in root.excluded]
        if root.nested:
            names = sorted(relative(path, "", root.root) for path in root.nested)
            rows.append(Row(f"{plural(len(names), 'project')} inside: {self._some(names)}"))
        return rows

    def _excluded_text(self, group: ExcludedGroup) -> str:
        by = {"default": "by default", "exclude": "by the exclude setting"}
        counts = [
            plural(group.directories, "directory").replace("directorys", "directories"),
            plural(group.files, "Python file"),
        ]
        numbers = (group.directories, group.files)
        what = " and ".join(name for name, number in zip(counts, numbers, strict=True) if number)
        where = by.get(group.by, f"by {group.by}")
        return f"{what} left out {where}: {self._some(group.names)}"

    def _some(self, names: Sequence[str]) -> str:
        if self._every or len(names) <= _NAMES_SHOWN:
            return ", ".join(names)
        return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN:,} more"

    def _libraries(self, libraries: Sequence[Library]) -> Iterator[Row]:
        yield from (library_row(item, item.name) for item in libraries if item.specifier)
        # On one row: most projects lack most of them.
        absent = [library.name for library in libraries if not library.specifier]
        if absent:
            yield Row(f"not declared: {', '.join(absent)}")

    def remarks(self, remarks: Iterable[Remark], root: RootDiagnosis | None) -> None:
        for remark in remarks:
            level = remark.severity.value
            head = joined_text([_INDENT, (level, level), ": "])
            where = _where(remark, root, self._current)
            self._page.hanging(head, f"{where}{remark.message}", "path")
            if remark.help:
                self._page.hanging(Text(" " * head.cell_len), remark.help)

    def close(self, diagnosis: Diagnosis) -> None:
        said = [plural(diagnosis.errors, "error")] if diagnosis.errors else []
        said += [f"{diagnosis.advice} of advice"] if diagnosis.advice else []
        projects = plural(len(diagnosis.roots), "project")
        self.blank()
        self._page.row(f"{projects}; {' and '.join(said) or 'nothing to act on'}.")


def _where(remark: Remark, root: RootDiagnosis | None, current: Path) -> str:
    if not remark.path:
        return ""
    path = remark.path if root is None else relative(root.root, remark.path, current)
    return f"{path}{f':{remark.line}' if remark.line else ''}: "
