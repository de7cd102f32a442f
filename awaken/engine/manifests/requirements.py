"""Adds what changes require to a project's manifest, as text: comments, order and quotes stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement

from awaken.contract import ChangeId, Place, Problem, Span
from awaken.contract import Requirement as RequirementEdit
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap
from awaken.engine.manifests.editable import MANIFESTS
from awaken.engine.manifests.line_list import cfg_list, plain_list
from awaken.engine.manifests.requirement_lists import (
    RequirementList,
    distribution_of,
    require,
)
from awaken.engine.manifests.whole_texts import CannotAdd, editable_text, with_text
from awaken.engine.report import LeftToDo
from awaken.workspace.sources import Snapshot, SourceFile


class Required(Struct, frozen=True):
    """The manifests that changed, with the way back; what is left to do, and what is no
    requirement.
    """

    files: dict[str, tuple[SourceFile, SpanMap]]
    left: tuple[LeftToDo, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Wanted(Struct, frozen=True):
    root: str
    group: str | None
    name: str


def add_requirements(snapshot: Snapshot, edits: Sequence[OwnedEdit[RequirementEdit]]) -> Required:
    """Return the manifests of ``snapshot`` with every requirement in them that is missing.

    A distribution that is required already keeps its specifier, and gains missing extras. What
    cannot be written is left to do. A requirement that is none is a problem of its changes.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    left: list[LeftToDo] = []
    for wanted, owned in _grouped(edits).items():
        changes = tuple(dict.fromkeys(one.change for one in owned))
        try:
            required = _combined(one.edit.requirement for one in owned)
        except InvalidRequirement as error:
            place = Place(_below(wanted.root, MANIFESTS[0]), Span(0, 0))
            what = f"cannot require {owned[0].edit.requirement}: {error}"
            problems.append(Problem(place, what, changes))
            continue
        try:
            path, text = _with(snapshot, texts, wanted, required)
            texts[path] = text
        except CannotAdd as error:
            left.append(_left(snapshot, wanted, required, error, changes))
    written = {path: with_text(snapshot[path], text) for path, text in texts.items()}
    files = {path: (source, moved) for path, (source, moved) in written.items() if moved}
    return Required(files, tuple(left), tuple(problems))


def _left(
    snapshot: Snapshot,
    wanted: _Wanted,
    required: Requirement,
    error: CannotAdd,
    changes: tuple[ChangeId, ...],
) -> LeftToDo:
    """Return what a user should write, and in which file."""
    path, line = error.path, error.line
    setup = _below(wanted.root, "setup.py")
    if not path and setup in snapshot and _COMPUTED in snapshot[setup].text:
        text = snapshot[setup].text
        path, line = setup, text.count(b"\n", 0, text.index(_COMPUTED)) + 1
    if not path:
        found = [one for name in MANIFESTS if (one := _below(wanted.root, name)) in snapshot]
        path = next(iter(found), _below(wanted.root, "requirements.txt"))
    if error.table:
        line_for_poetry, table = _poetry_line(required), f"[{error.table}]"
        return LeftToDo(path, line, line_for_poetry, table, str(error), changes)
    quoted = path.endswith((".toml", ".py"))
    add = f'"{required}",' if quoted else str(required)
    return LeftToDo(path, line, add, wanted.group or "", str(error), changes)


def _poetry_line(required: Requirement) -> str:
    """Return a requirement as Poetry has it."""
    version = f'"{required.specifier or "*"}"'
    if not required.extras and required.marker is None:
        return f"{required.name} = {version}"
    extras = ", ".join(f'"{one}"' for one in sorted(required.extras))
    parts = [f"version = {version}", *([f"extras = [{extras}]"] if extras else [])]
    parts += [f"markers = {str(required.marker)!r}"] if required.marker is not None else []
    return f"{required.name} = {{ {', '.join(parts)} }}"


_COMPUTED = b"install_requires"
"""The argument of setup() that a ``setup.py`` may put together in any way."""


def _grouped(
    edits: Iterable[OwnedEdit[RequirementEdit]],
) -> dict[_Wanted, list[OwnedEdit[RequirementEdit]]]:
    found: dict[_Wanted, list[OwnedEdit[RequirementEdit]]] = {}
    for owned in edits:
        name = distribution_of(owned.edit.requirement)
        key = _Wanted(owned.edit.root, owned.edit.group, name)
        found.setdefault(key, []).append(owned)
    return found


def _combined(texts: Iterable[str]) -> Requirement:
    """Return one requirement with the extras and the specifiers of all."""
    first, *others = [Requirement(text) for text in texts]
    for other in others:
        first.extras |= other.extras
        first.specifier &= other.specifier
    return first


def _with(
    snapshot: Snapshot, texts: dict[str, str], wanted: _Wanted, required: Requirement
) -> tuple[str, str]:
    """Return the manifest to edit and its new text. Raises CannotAdd."""
    found = [path for name in MANIFESTS if (path := _below(wanted.root, name)) in snapshot]
    lists: dict[str, RequirementList] = {}
    for path in found:
        try:
            if path not in texts:
                texts[path] = editable_text(snapshot[path])
            held = _list_in(path, texts[path], wanted.group)
        except CannotAdd as error:
            error.path = path
            raise
        if held is not None:
            lists[path] = held
    if not lists and wanted.group is not None and found and found[0].endswith(".toml"):
        lists[found[0]] = _new_group(texts[found[0]], wanted.group)
    if not lists:
        names = ", ".join(MANIFESTS)
        raise CannotAdd(f"there is no {names} that lists requirements")
    naming = [p for p, held in lists.items() if wanted.name in map(distribution_of, held.texts)]
    path = next(iter([*naming, *lists]))
    try:
        require(lists[path], required)
        return path, lists[path].manifest()
    except CannotAdd as error:
        error.path = path
        raise


def _list_in(path: str, text: str, group: str | None) -> RequirementList | None:
    """Return the list of ``group`` (None: what is always required). Raises CannotAdd."""
    if path.endswith(".toml"):
        from awaken.engine.manifests.toml_list import toml_list  # noqa: PLC0415  as in _new_group

        return toml_list(text, group)
    if group is not None:
        return None
    return cfg_list(text) if path.endswith(".cfg") else plain_list(text)


def _new_group(text: str, group: str) -> RequirementList:
    # tomlkit takes as long to import as a small program to check, and few changes require anything.
    from awaken.engine.manifests.toml_list import new_group  # noqa: PLC0415

    return new_group(text, group)


def _below(root: str, name: str) -> str:
    return str(PurePosixPath(root) / name)
