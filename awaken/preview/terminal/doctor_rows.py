"""The rows of a diagnosis: a value, what is said of it, and where that was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from awaken.engine.diagnosing.diagnosis import (
    FoundDriver,
    Library,
    PassStatus,
    RootDiagnosis,
    RuleStatus,
)
from awaken.kit.sites import joined_words
from awaken.preview.counts import plural
from awaken.preview.documents.settings_text import SettingRow, toml_value
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
