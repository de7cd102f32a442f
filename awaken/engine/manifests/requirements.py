"""Adds what changes require to a project's manifest, as text: comments, order and quotes stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement

from awaken.contract import Place, Problem, Span
from awaken.contract import Requirement as RequirementEdit
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap, Splice, splice
from awaken.engine.manifests.manifest_text import (
    CannotAdd,
    distribution_of,
    extended,
    new_group,
    requirements_in,
)
from awaken.workspace.sources import Snapshot, SourceFile

MANIFESTS = ("pyproject.toml", "requirements.txt", "setup.cfg")
"""The manifests that awaken edits, relative to a project root, in the order it looks at them."""


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
        new, moved = splice(source.text, _difference(source.text, text.encode()))
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
        texts.setdefault(path, snapshot[path].text.decode())
    lists = {
        path: held
        for path in found
        if (held := requirements_in(path, texts[path], wanted.group)) is not None
    }
    naming = [path for path, held in lists.items() if wanted.name in {e.name for e in held.entries}]
    for path in [*naming, *lists]:
        text = extended(path, texts[path], required, wanted.group)
        if text is not None:
            return path, text
    if wanted.group is not None and found and found[0].endswith(MANIFESTS[0]):
        return found[0], new_group(texts[found[0]], wanted.group, required)
    raise CannotAdd(f"there is no {', '.join(MANIFESTS)} that lists requirements: add it by hand")


def _below(root: str, name: str) -> str:
    return str(PurePosixPath(root) / name)


def _difference(old: bytes, new: bytes) -> list[Splice]:
    """Return the one replacement that turns ``old`` into ``new``."""
    if old == new:
        return []
    start = _shared(old, new)
    rest = min(len(old), len(new)) - start
    end = _shared(old[::-1][:rest], new[::-1][:rest])
    return [Splice(start, len(old) - end, new[start : len(new) - end])]


def _shared(one: bytes, other: bytes) -> int:
    """Return how many bytes the two texts have in common at their start."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
