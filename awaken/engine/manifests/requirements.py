"""Adds what changes require to a project's manifests, as text: comments, order and quotes stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from awaken.contract import ChangeId, Place, Problem, Span
from awaken.contract import Requirement as RequirementEdit
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap
from awaken.engine.manifests.editable import (
    MANIFESTS,
    is_for_development,
    is_requirements_file,
    manifests_in,
    path_below,
)
from awaken.engine.manifests.line_list import cfg_list, cfg_names, compiling, plain_list, written_to
from awaken.engine.manifests.requirement_lists import (
    RequirementList,
    TextList,
    distribution_of,
    require,
)
from awaken.engine.manifests.whole_texts import (
    CannotAdd,
    EditedFiles,
    editable_text,
    toml_tables,
    with_text,
)
from awaken.engine.report import LeftToDo
from awaken.workspace.formats.ini import NotIni, parse_ini
from awaken.workspace.formats.toml_text import value_at
from awaken.workspace.sources import Snapshot, SourceFile

_DEV = "dev"


_POETRY = ("tool", "poetry", "dependencies")
_PIPFILE = ((("packages",), ""), (("dev-packages",), _DEV))


_GROUPED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("dependency-groups",), ()),
    (("project", "optional-dependencies"), ()),
    (("tool", "poetry", "group"), ("dependencies",)),
    (("tool", "pdm", "dev-dependencies"), ()),
    (("tool", "hatch", "envs"), ("dependencies",)),
    (("tool", "hatch", "envs"), ("extra-dependencies",)),
)


class _Wanted(Struct, frozen=True):
    root: str
    group: str | None
    name: str


def add_requirements(
    snapshot: Snapshot, edits: Sequence[OwnedEdit[RequirementEdit]]
) -> EditedFiles:
    """Return the manifests of ``snapshot`` with every requirement in them that is missing.

    A distribution that is required already gains missing extras, and bounds that its own specifier
    lacks. Requirements that cannot be written are left to do. An invalid requirement is a problem
    of its changes.
    """
    work = _Work(snapshot)
    for wanted, owned in _grouped_owned_edits(edits).items():
        changes = tuple(dict.fromkeys(edit.change for edit in owned))
        try:
            required = _combined_requirement(edit.edit.requirement for edit in owned)
        except InvalidRequirement as error:
            place = Place(path_below(wanted.root, MANIFESTS[0]), Span(0, 0))
            what = f"cannot require {owned[0].edit.requirement}: {error}"
            work.problems.append(Problem(place, what, changes))
            continue
        beside = dict.fromkeys(canonicalize_name(name) for one in owned for name in one.edit.beside)
        may_replace = any(one.edit.may_replace for one in owned)
        work.add(wanted, required, tuple(beside), changes, may_replace=may_replace)
    return work.result()


class _Work:
    """The manifests as they change, and what goes wrong."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.problems: list[Problem] = []
        self._snapshot = snapshot
        self._texts: dict[str, str] = {}
        self._left: list[LeftToDo] = []
        self._asking: dict[str, list[ChangeId]] = {}
        self._compiled: dict[str, str] = {}

    def add(
        self,
        wanted: _Wanted,
        required: Requirement,
        beside: tuple[str, ...],
        changes: tuple[ChangeId, ...],
        *,
        may_replace: bool = False,
    ) -> None:
        """Add one requirement wherever it belongs."""
        try:
            listings = self._listings(wanted.root)
            places = _nearest(listings, wanted.name, wanted.group, beside)
            if not places and wanted.group is not None:
                places = list(self._new_group(wanted))
        except CannotAdd as error:
            self._leave(wanted, required, error, changes)
            return
        if not places:
            first = next(iter(beside), "requirements" if wanted.group is None else wanted.group)
            why = f"there is no {', '.join(MANIFESTS)} that lists {first}"
            self._leave(wanted, required, CannotAdd(why), changes)
        for listing, other in places:
            try:
                held = listing.open_list(self._text(listing.path))
                require(held, required, other, may_replace=may_replace)
                self._texts[listing.path] = held.manifest()
            except CannotAdd as error:
                error.path = listing.path
                self._leave(wanted, required, error, changes, listing)
            else:
                self._asking.setdefault(listing.path, []).extend(changes)
        if places:
            self._leave_computed(wanted, required, (wanted.name, *beside), changes)

    def result(self) -> EditedFiles:
        """Return what came of all of them."""
        written = {
            path: with_text(self._snapshot[path], text) for path, text in self._texts.items()
        }
        files = {path: (source, moved) for path, (source, moved) in written.items() if moved}
        if files:
            self._left += self._stale(files)
        return EditedFiles(files, tuple(dict.fromkeys(self._left)), tuple(self.problems))

    def _listings(self, root: str) -> list[Listing]:
        """Return the lists of all manifests, without those that tools make of others."""
        result: list[Listing] = []
        compiled: list[Listing] = []
        for path in manifests_in(self._snapshot, root):
            try:
                text = self._text(path)
                listings = list(_listings_in(path, text))
            except CannotAdd as error:
                error.path = path
                raise
            # Without a header a person may keep it, even next to the file of a tool.
            command = compiling(text) if path.endswith(".txt") else None
            if command is None:
                result += listings
            else:
                compiled += listings
                self._compiled[path] = written_to(command, path)
        return result or compiled

    def _text(self, path: str) -> str:
        if path not in self._texts:
            self._texts[path] = editable_text(self._snapshot[path])
        return self._texts[path]

    def _new_group(self, wanted: _Wanted) -> Iterator[tuple[Listing, str]]:
        """Yield the list of a new group, in the first manifest that has groups."""
        for path in (path_below(wanted.root, name) for name in MANIFESTS[:2]):
            if path in self._snapshot and wanted.group is not None:
                self._texts[path], made = _group_added(path, self._text(path), wanted.group)
                yield made, ""
                return

    def _stale(self, files: dict[str, tuple[SourceFile, SpanMap]]) -> Iterator[LeftToDo]:
        """Yield the requirements files that tools make of manifests which changed."""
        first = next(iter(files))
        changes = tuple(dict.fromkeys(one for path in files for one in self._asking.get(path, ())))
        for path, command in self._compiled.items():
            if path not in files:
                why = f"it does not contain the new requirements of {first}"
                why += "" if command else ": generate it again"
                yield LeftToDo(path, 0, "", "", why, changes, command)

    def _leave(
        self,
        wanted: _Wanted,
        required: Requirement,
        error: CannotAdd,
        changes: tuple[ChangeId, ...],
        listing: Listing | None = None,
    ) -> None:
        """Say what a user should write, and in which file."""
        path, line = error.path, error.line
        computed = path_below(wanted.root, "setup.py")
        if not path and computed in self._snapshot and _COMPUTED in self._snapshot[computed].text:
            text = self._snapshot[computed].text
            path, line = computed, text.count(b"\n", 0, text.index(_COMPUTED)) + 1
        if not path:
            manifests = manifests_in(self._snapshot, wanted.root)
            path = next(iter(manifests), path_below(wanted.root, "requirements.txt"))
        if listing is not None and listing.kind == "keys":
            from awaken.engine.manifests.toml_table import entry_line  # noqa: PLC0415  tomlkit

            table = f"[{'.'.join(listing.table)}]"
            left = LeftToDo(path, line, entry_line(required), table, str(error), changes)
        else:
            quoted = path.endswith((".toml", ".py"))
            add = f'"{required}",' if quoted else str(required)
            group = wanted.group if listing is None else listing.group
            left = LeftToDo(path, line, add, group or "", str(error), changes)
        self._left.append(left)

    def _leave_computed(
        self,
        wanted: _Wanted,
        required: Requirement,
        names: Iterable[str],
        changes: tuple[ChangeId, ...],
    ) -> None:
        """Note the requirement that a ``setup.py`` should list, next to the one that it lists."""
        path = path_below(wanted.root, "setup.py")
        text = self._snapshot[path].text.decode() if path in self._snapshot else ""
        for name in names if _COMPUTED.decode() in text else ():
            written = re.escape(name).replace(r"\-", "[-_.]+")
            match = re.search(rf"""(?i)["']{written}\s*(?=[\[<>=!~;"'])""", text)
            if match is not None:
                line = text.count("\n", 0, match.start()) + 1
                why = "awaken edits no code of a setup.py"
                self._left.append(LeftToDo(path, line, f'"{required}",', "", why, changes))
                return


_COMPUTED = b"install_requires"
"""The argument of setup() that a ``setup.py`` may put together in any way."""


def _grouped_owned_edits(
    edits: Iterable[OwnedEdit[RequirementEdit]],
) -> dict[_Wanted, list[OwnedEdit[RequirementEdit]]]:
    owned_edits: dict[_Wanted, list[OwnedEdit[RequirementEdit]]] = {}
    for owned in edits:
        name = distribution_of(owned.edit.requirement)
        key = _Wanted(owned.edit.root, owned.edit.group, name)
        owned_edits.setdefault(key, []).append(owned)
    return owned_edits


def _combined_requirement(texts: Iterable[str]) -> Requirement:
    """Return one requirement with the extras and the specifiers of all."""
    first, *others = [Requirement(text) for text in texts]
    for other in others:
        first.extras |= other.extras
        first.specifier &= other.specifier
    return first


class Listing(Struct, frozen=True):
    """A list of requirements: in the file at ``path``, below the keys ``table``.

    ``group`` is empty for what is always required. ``names`` are canonical.
    """

    path: str
    table: tuple[str, ...]
    kind: Literal["array", "keys", "lines", "option"]
    group: str
    names: tuple[str, ...]

    def open_list(self, text: str) -> RequirementList:
        """Return the list, to be edited; ``text`` is that of the file. Raises CannotAdd."""
        if self.kind == "lines":
            return TextList(plain_list(text))
        if self.kind == "option":
            section, key = self.table
            return TextList(cfg_list(text, section, key))
        # tomlkit takes as long to import as a small program to check, and few changes need it.
        if self.kind == "keys":
            from awaken.engine.manifests.toml_table import TomlTable  # noqa: PLC0415

            return TomlTable(text, self.table)
        from awaken.engine.manifests.toml_table import toml_list  # noqa: PLC0415

        return TextList(toml_list(text, self.table))


def _listings_in(path: str, text: str) -> Iterator[Listing]:
    """Yield the lists of a manifest. Raises CannotAdd if it is not what its name says."""
    name = PurePosixPath(path).name
    if name == "setup.cfg":
        yield from _of_cfg(path, text)
    elif is_requirements_file(path):
        lines = (distribution_of(line.strip()) for line in text.splitlines())
        named = tuple(filter(None, lines))
        yield Listing(path, (), "lines", _DEV if is_for_development(path) else "", named)
    else:
        tables = toml_tables(text)
        keys = _PIPFILE if name == "Pipfile" else _pyproject(tables)
        for table, group in keys:
            held = value_at(tables, table)
            if isinstance(held, list):
                names = [distribution_of(item) for item in held if isinstance(item, str)]
                yield Listing(path, table, "array", group, tuple(names))
            elif isinstance(held, dict):
                names = [canonicalize_name(item) for item in held]
                yield Listing(path, table, "keys", group, tuple(names))
            elif table == _POETRY and _is_poetry(tables):
                yield Listing(path, table, "keys", group, ())


def _pyproject(tables: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys below which a ``pyproject.toml`` may list requirements, and their groups."""
    if not isinstance(value_at(tables, ("project", "dependencies")), list | None):
        raise CannotAdd("awaken does not find the list of dependencies")
    yield ("project", "dependencies"), ""
    yield _POETRY, ""
    for holder, inner in _GROUPED:
        groups = value_at(tables, holder)
        for group in groups if isinstance(groups, dict) else ():
            yield (*holder, group, *inner), group
    yield ("tool", "uv", "dev-dependencies"), _DEV
    yield ("tool", "poetry", "dev-dependencies"), _DEV


def _is_poetry(tables: Mapping[str, Any]) -> bool:
    """Whether a project lists its requirements as Poetry alone reads them."""
    return value_at(tables, _POETRY[:-1]) is not None and "project" not in tables


def _of_cfg(path: str, text: str) -> Iterator[Listing]:
    try:
        sections = parse_ini(text)
    except NotIni as error:
        raise CannotAdd(f"it is not a valid INI file: {error}", error.line) from error
    for section, key in cfg_names(sections):
        lines = sections[section][key].replace(";", "\n").splitlines()
        names = tuple(filter(None, (distribution_of(line.strip()) for line in lines)))
        yield Listing(path, (section, key), "option", "" if section == "options" else key, names)


def _group_added(path: str, text: str, group: str) -> tuple[str, Listing]:
    """Return a manifest of TOML with an empty list for a group."""
    tables = toml_tables(text)
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    gap = "\n" if text.strip() else ""
    table: tuple[str, ...]
    if PurePosixPath(path).name == "Pipfile":
        table = ("dev-packages",)
    elif _is_poetry(tables):
        table = ("tool", "poetry", "group", group, "dependencies")
    else:
        from awaken.engine.manifests.toml_table import new_group  # noqa: PLC0415  as above

        table = ("dependency-groups", group)
        return new_group(text, group).manifest(), Listing(path, table, "array", group, ())
    return f"{ended}{gap}[{'.'.join(table)}]\n", Listing(path, table, "keys", group, ())


def _nearest(
    listings: Sequence[Listing], name: str, group: str | None, beside: Sequence[str]
) -> list[tuple[Listing, str]]:
    """Return the lists that a requirement of ``name`` goes into, each with its neighbour.

    Where it is listed already it stays. Else it goes wherever the first of ``beside`` is listed
    that any list names, else into the first list of its ``group``.
    """
    naming = [listing for listing in listings if name in listing.names]
    if any(not listing.group for listing in naming) or (naming and group is not None):
        return [(listing, name) for listing in naming]
    for other in beside:
        near = [listing for listing in listings if other in listing.names]
        if near:
            return [(one, other) for one in (*near, *(item for item in naming if item not in near))]
    if group is None:
        first = next((listing for listing in listings if not listing.group), None)
    else:
        first = next((listing for listing in listings if listing.group == group), None)
    return [(listing, "") for listing in (*([first] if first else []), *naming)]
