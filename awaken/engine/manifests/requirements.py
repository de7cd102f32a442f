"""Adds what changes require to a project's manifest, as text: comments, order and quotes stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os.path import commonprefix
from pathlib import PurePosixPath

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement

from awaken.contract import Place, Problem, Span
from awaken.contract import Requirement as RequirementEdit
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap, Splice, splice
from awaken.engine.manifests.editable import MANIFESTS
from awaken.engine.manifests.line_list import cfg_list, plain_list
from awaken.engine.manifests.requirement_lists import (
    CannotAdd,
    RequirementList,
    distribution_of,
    require,
)
from awaken.workspace.sources import LINE_END, Snapshot, SourceFile

_LARGEST = 100_000
"""Characters of a manifest that is edited; the largest of 20 programs has 22,191. What tomlkit and
ConfigUpdater take grows with the square of the keys: up to eight seconds at this size."""


class Required(Struct, frozen=True):
    """The manifests that changed, with the way back, and what could not be added."""

    files: dict[str, tuple[SourceFile, SpanMap]]
    problems: tuple[Problem, ...] = ()


class _Wanted(Struct, frozen=True):
    root: str
    group: str | None
    name: str


def add_requirements(snapshot: Snapshot, edits: Sequence[OwnedEdit[RequirementEdit]]) -> Required:
    """Return the manifests of ``snapshot`` with every requirement in them that is missing.

    A distribution that is required already keeps its specifier, and gains missing extras. A
    project without a manifest that awaken can edit gives a problem that names the changes.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for wanted, owned in _grouped(edits).items():
        changes = tuple(dict.fromkeys(one.change for one in owned))
        try:
            required = _combined(one.edit.requirement for one in owned)
            path, text = _with(snapshot, texts, wanted, required)
        except (CannotAdd, InvalidRequirement) as error:
            place = Place(_below(wanted.root, MANIFESTS[0]), Span(0, 0))
            what = f"cannot require {owned[0].edit.requirement}: {error}"
            problems.append(Problem(place, what, changes))
            continue
        texts[path] = text
    files = {}
    for path, text in texts.items():
        source = snapshot[path]
        written = text.replace("\n", _line_end(source.text.decode()))
        new, moved = splice(source.text, _difference(source.text, written.encode()))
        if moved:
            files[path] = (source.with_text(new), moved)
    return Required(files, tuple(problems))


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
    for path in found:
        before = snapshot[path].text.decode()
        texts.setdefault(path, before.replace(_line_end(before), "\n"))
    lists = {
        path: held
        for path in found
        if (held := _list_in(path, texts[path], wanted.group)) is not None
    }
    if not lists and wanted.group is not None and found and found[0].endswith(".toml"):
        lists[found[0]] = _new_group(texts[found[0]], wanted.group)
    if not lists:
        names = ", ".join(MANIFESTS)
        raise CannotAdd(f"there is no {names} that lists requirements: add it by hand")
    naming = [p for p, held in lists.items() if wanted.name in map(distribution_of, held.texts)]
    path = next(iter([*naming, *lists]))
    require(lists[path], required)
    return path, lists[path].manifest()


def _list_in(path: str, text: str, group: str | None) -> RequirementList | None:
    """Return the list of ``group`` (None: what is always required). Raises CannotAdd."""
    if len(text) > _LARGEST:
        raise CannotAdd(f"it has more than {_LARGEST:,} characters: add it by hand")
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


def _line_end(text: str) -> str:
    """Return how every line of ``text`` ends; a line feed where they do not all end alike."""
    ends = set(LINE_END.findall(text))
    return ends.pop() if len(ends) == 1 else "\n"


def _below(root: str, name: str) -> str:
    return str(PurePosixPath(root) / name)


def _difference(old: bytes, new: bytes) -> list[Splice]:
    """Return the one replacement that turns ``old`` into ``new``."""
    if old == new:
        return []
    start = len(commonprefix((old, new)))  # noqa: RUF071  bytes, no paths
    end = len(commonprefix((old[start:][::-1], new[start:][::-1])))  # noqa: RUF071  the same
    return [Splice(start, len(old) - end, new[start : len(new) - end])]
