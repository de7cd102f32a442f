"""A diagnosis on a console: per root what was detected and from where, then what to act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from awaken.engine.diagnosing.diagnosis import (
    Diagnosis,
    ExcludedGroup,
    FoundDriver,
    Library,
    Machine,
    PassStatus,
    Remark,
    RootDiagnosis,
    RuleStatus,
)
from awaken.engine.machine.repository import Repository
from awaken.preview.console.page import Page, joined
from awaken.preview.counts import plural
from awaken.preview.documents.settings_text import SettingRow, patterns_in, setting_rows, toml_value
from awaken.preview.paths import relative
from awaken.preview.streams.visible import visible
from awaken.workspace.ignores import DEFAULT_EXCLUDE
from awaken.workspace.manifests.declarations import Declaration
from awaken.workspace.manifests.publication import Publication
from awaken.workspace.manifests.pytest_setup import AsyncPlugin, PytestSetup
from awaken.workspace.manifests.versions import ANY_VERSION

_INDENT = "  "
_LABEL = 12
"""Columns of the labels, the space behind them included."""
_NAMES_SHOWN = 4
"""Of left-out files and directories so many names are shown; --verbose shows all. A choice: as many
as fit on one row."""
_VALUE_SHARE = 2
"""A value wider than the page divided by this has its note on a row of its own: a note that folds
into less than half of the page is hard to read."""


class _Row(Struct, frozen=True):
    """A value in its own column, a specifier beside it, and where that was read."""

    value: str
    detail: str = ""
    note: str = ""


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


class _Page:
    def __init__(self, console: Console, current: Path, *, every: bool) -> None:
        self._page = Page(console)
        self._current = current
        self._every = every
        self._repository: Repository | None = None  # of the root before

    def blank(self) -> None:
        self._page.row()

    def machine(self, machine: Machine) -> None:
        self._page.row((f"awaken {machine.awaken}", "path"), f" on {machine.python}")
        packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
        self._rows("Python", [_Row(machine.executable)])
        self._rows("Platform", [_Row(machine.platform)])
        self._rows("Packages", [_Row(packages)])
        self._rows("Processes", [_Row(f"{machine.processes}", "", machine.processes_origin)])
        self._rows("State", [_Row(str(machine.state))])
        cache = _Row("not used", "", "--no-cache") if machine.cache is None else None
        self._rows("Cache", [cache or _Row(str(machine.cache))])

    def root(self, root: RootDiagnosis) -> None:
        self.blank()
        shown = relative(root.root, "", self._current)
        self._page.rule((root.root.name if shown == "." else shown, "path"))
        self._rows("Root", [_Row(str(root.root), "", _marker(root))])
        self._rows("Files", self._files(root))
        self._rows("Settings", self._settings(root))
        if root.files or self._every:
            self._program(root)
        # Projects of one repository say the same of it, so it is told at the first one.
        if root.repository is None or root.repository != self._repository or self._every:
            self._rows("Git", [_git(root)])
        self._repository = root.repository
        if root.pending or root.undoable or self._every:
            self._rows("Undo", [_undo(root)])
        if root.remarks:
            self.blank()
            self.remarks(root.remarks, root)

    def _program(self, root: RootDiagnosis) -> None:
        self._rows("Published", [_publication(root.publication)])
        self._rows("Python", [_library_row(root.python, "")])
        self._rows("Libraries", _aligned(self._libraries(root.libraries)))
        self._rows("Drivers", _aligned(_drivers(root.drivers)))
        self._rows("Formatter", list(_formatter(root)))
        self._rows("Tests", _aligned(_tests(root.tests)))
        self._rows("Rules", _aligned(map(_rule, root.rules)))
        self._rows("Passes", _aligned(map(_pass, root.passes)))

    def _rows(self, label: str, rows: Sequence[_Row]) -> None:
        for index, row in enumerate(rows):
            head = joined([_INDENT, ((label if not index else "").ljust(_LABEL), "faint")])
            self._row(head, row)

    def _row(self, head: Text, row: _Row) -> None:
        """Print a row; a note that finds no room beside a wide value stands below it."""
        value = " ".join(part for part in (row.value, row.detail) if part.strip())
        width = self._page.width
        if not row.note:
            self._page.hanging(head, value.rstrip())
            return
        note = f"({row.note})"
        beside = joined([head, value, " "])
        # Without a width the output is no terminal, and nothing folds.
        fits = width is None or beside.cell_len + cell_len(visible(note)) <= width
        if fits or beside.cell_len <= (width or 0) // _VALUE_SHARE:
            self._page.hanging(beside, note, "faint")
            return
        self._page.hanging(head, value.rstrip())
        self._page.hanging(Text(" " * (head.cell_len + 2)), note, "faint")

    def _settings(self, root: RootDiagnosis) -> list[_Row]:
        resolved = root.settings
        files = [relative(path.parent, path.name, self._current) for path in resolved.files]
        rows = [_Row(", ".join(files) if files else "the defaults", "", _no_file(files))]
        rows += [
            _Row(f"{one.key} = {_value(one)}", "", one.origin or "default")
            for one in setting_rows(resolved)
            if one.origin or self._every
        ]
        for override in resolved.overrides:
            paths = patterns_in(override.paths, root.root)
            rows.append(_Row(f"overrides for {', '.join(paths)}", "", override.origin))
        return rows

    def _files(self, root: RootDiagnosis) -> list[_Row]:
        value = plural(root.files, "Python file")
        if root.selected != root.files:
            value += f", {root.selected:,} of them in the paths that were named"
        rows = [_Row(value)]
        rows += [_Row(self._excluded(group)) for group in root.excluded]
        if root.nested:
            names = sorted(relative(path, "", root.root) for path in root.nested)
            rows.append(_Row(f"{plural(len(names), 'project')} inside: {self._some(names)}"))
        return rows

    def _excluded(self, group: ExcludedGroup) -> str:
        by = {"default": "by default", "exclude": "by the exclude setting"}
        counts = [
            plural(group.directories, "directory").replace("directorys", "directories"),
            plural(group.files, "Python file"),
        ]
        numbers = (group.directories, group.files)
        what = " and ".join(one for one, number in zip(counts, numbers, strict=True) if number)
        where = by.get(group.by, f"by {group.by}")
        return f"{what} left out {where}: {self._some(group.names)}"

    def _some(self, names: Sequence[str]) -> str:
        if self._every or len(names) <= _NAMES_SHOWN:
            return ", ".join(names)
        return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN:,} more"

    def _libraries(self, libraries: Sequence[Library]) -> Iterator[_Row]:
        yield from (_library_row(one, one.name) for one in libraries if one.specifier)
        # On one row: most projects lack most of them.
        absent = [one.name for one in libraries if not one.specifier]
        if absent:
            yield _Row(f"not declared: {', '.join(absent)}")

    def remarks(self, remarks: Iterable[Remark], root: RootDiagnosis | None) -> None:
        for remark in remarks:
            level = remark.severity.value
            head = joined([_INDENT, (level, level), ": "])
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


def _aligned(rows: Iterable[_Row]) -> list[_Row]:
    """Return ``rows``, those that have a detail with values and details of one width."""
    every = list(rows)
    detailed = [row for row in every if row.detail]
    value = max((len(row.value) for row in detailed), default=0)
    detail = max((len(row.detail) for row in detailed), default=0)
    return [
        _Row(row.value.ljust(value), row.detail.ljust(detail), row.note) if row.detail else row
        for row in every
    ]


def _value(setting: SettingRow) -> str:
    usual = list(DEFAULT_EXCLUDE)
    if setting.key == "exclude" and setting.value[: len(usual)] == usual:
        more = setting.value[len(usual) :]
        return f"the default and {toml_value(more)}" if more else "the default"
    return toml_value(setting.value)


def _no_file(files: Sequence[str]) -> str:
    return "" if files else "no settings file"


def _marker(root: RootDiagnosis) -> str:
    marker = root.marker
    if not marker.file:
        return marker.why
    line = f":{marker.line}" if marker.line else ""
    return f"{marker.file}{line}, {marker.why}"


def _publication(found: Publication) -> _Row:
    """Return the row that says whether others may import from the project, and why."""
    line = f":{found.line}" if found.line else ""
    note = f"{found.path}{line}, {found.why}" if found.path else found.why
    return _Row("yes" if found.published else "no: nobody imports from it", "", note)


def _library_row(library: Library, name: str) -> _Row:
    """Return the row of a library: what is assumed of it, and which files say what."""
    said = list(_statements(library.declared, library.specifier))
    note = ", ".join(said)
    if library.assumed:
        note = f"assumed: {f'{note}' if said else 'nothing is declared'}"
    elif not _from_files(library):
        note = f"{library.origin}{f'; {note}' if said else ''}"
    return _Row(name, library.specifier, note) if name else _Row(library.specifier, "", note)


def _from_files(library: Library) -> bool:
    """Whether the files that declare the library are where its versions were read."""
    files = {one.path.rpartition("/")[2] for one in library.declared}
    files |= {one.path for one in library.declared}
    return bool(files) and set(library.origin.split(", ")) <= files


def _statements(declared: Sequence[Declaration], specifier: str) -> Iterator[str]:
    """Yield where versions are declared, by what is said: what differs from ``specifier`` is."""
    places: dict[str, list[str]] = {}
    for one in declared:
        line = f":{one.line}" if one.line else ""
        places.setdefault(one.specifier, []).append(f"{one.path}{line}")
    # Those that agree come first: they are what is assumed.
    for said in sorted(places, key=lambda said: said != specifier):
        where = _listed(places[said])
        several = len(places[said]) > 1
        if said == specifier:
            yield where
        elif said == ANY_VERSION:
            yield f"{where} {'name' if several else 'names'} no version"
        else:
            yield f"{where} {'say' if several else 'says'} {said}"


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _declared_row(name: str, declared: Sequence[Declaration], *notes: str) -> _Row:
    """Return the row of something of which only the declarations are known."""
    locked = [one.specifier for one in declared if one.locked]
    # A lock says what is installed, a manifest only what is allowed.
    said = locked or sorted({one.specifier for one in declared} - {ANY_VERSION})
    specifier = said[0] if len(said) == 1 else ""
    every = [*notes, ", ".join(_statements(declared, specifier or ANY_VERSION))]
    return _Row(name, specifier, "; ".join(note for note in every if note))


def _rule(status: RuleStatus) -> _Row:
    if status.runs and status.why:
        return _Row(status.name, "finds sites, rewrites none: see below")
    return _Row(status.name, "runs" if status.runs else f"off: {status.why}")


def _pass(one: PassStatus) -> _Row:
    """Return the row of foreign code: all that it changes is unsafe, for nobody proves it."""
    trust = "" if one.trusted else "; not trusted"
    note = f"{one.origin}{trust}; its changes are unsafe: nothing of them is proved"
    return _Row(one.name, f"{one.kind} {one.target}", note)


def _drivers(found: Sequence[FoundDriver]) -> Iterator[_Row]:
    if not found:
        yield _Row("none among the dependencies")
    for one in found:
        kinds = [("sync", one.driver.urls), ("async", one.driver.async_urls)]
        kind = " and ".join(word for word, urls in kinds if urls)
        urls = dict.fromkeys((*one.driver.urls, *one.driver.async_urls))
        shown = ", ".join(f"{url}://" for url in urls)
        yield _declared_row(one.name, one.library.declared, f"{kind}, {shown}")


def _formatter(root: RootDiagnosis) -> Iterator[_Row]:
    found = root.formatting
    for one in found.declared:
        used = one.executable if one == found.chosen else "not used: the one above is"
        yield _Row(one.name, "", f"{one.origin}; {used if one.executable else 'not on PATH'}")
    if not found.declared:
        yield _Row("none declared")
    yield _Row(f"lines up to {found.line_length} characters", "", found.line_length_origin)


def _tests(tests: PytestSetup) -> Iterator[_Row]:
    if not tests.uses_pytest:
        yield _Row("pytest is neither declared nor set up")
    else:
        settings = f"settings: {tests.settings}" if tests.settings else ""
        yield _declared_row("pytest", tests.pytest, settings)
    if tests.test_paths:
        yield _Row(f"looked for in {', '.join(tests.test_paths)}", "", "testpaths")
    for plugin in tests.plugins:
        yield _plugin(plugin)
    scopes = [("fixtures", tests.fixture_loop_scope), ("tests", tests.test_loop_scope)]
    for what, scope in scopes:
        if scope:
            yield _Row(f"event loop of {what}: one per {scope}")
    if tests.uses_pytest and not tests.plugins:
        yield _Row("no plugin for coroutine tests is declared")


def _plugin(plugin: AsyncPlugin) -> _Row:
    mode = f"{plugin.mode} mode, {plugin.mode_origin}" if plugin.mode else ""
    return _declared_row(plugin.name, plugin.declared, mode)


def _git(root: RootDiagnosis) -> _Row:
    repository = root.repository
    if repository is None:
        return _Row("no repository", "", "`awaken undo` works without one")
    counts = [(repository.changed, "changed"), (repository.untracked, "untracked")]
    state = ", ".join(f"{number:,} {word}" for number, word in counts if number)
    top = "of this directory" if repository.top == root.root else str(repository.top)
    return _Row(state or "clean", "", f"repository {top}")


def _undo(root: RootDiagnosis) -> _Row:
    if root.pending:
        return _Row("an apply was stopped half way", "", "see below")
    if root.undoable:
        return _Row(f"{plural(root.undoable, 'apply').replace('applys', 'applies')} to take back")
    return _Row("nothing to take back")


def _where(remark: Remark, root: RootDiagnosis | None, current: Path) -> str:
    if not remark.path:
        return ""
    path = remark.path if root is None else relative(root.root, remark.path, current)
    return f"{path}{f':{remark.line}' if remark.line else ''}: "
