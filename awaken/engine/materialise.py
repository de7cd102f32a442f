"""Carries out changes on a snapshot: pure, all or nothing for none, a problem for what cannot be.

The caller (``phases``) leaves out the changes that problems name and calls again; imports and
files that several changes share are computed from the changes that remain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Change, CreateFile, Edit, Place, Problem, Requirement, Span
from awaken.engine.formatter import Formatter
from awaken.engine.formatting import format_edited
from awaken.engine.owned_edits import OwnedEdit
from awaken.engine.splices import SpanMap
from awaken.project.layout import Layout
from awaken.project.sources import Snapshot, SourceFile

if TYPE_CHECKING:
    from awaken.engine.file_rewriting import Rewriters


class Materialised(Struct, frozen=True):
    """A snapshot after its changes.

    ``maps`` lead back to the old text, per changed file; ``created`` are the paths that did not
    exist before. Any problem names the changes that could not be made.
    """

    snapshot: Snapshot
    maps: Mapping[str, SpanMap]
    problems: tuple[Problem, ...] = ()
    created: frozenset[str] = frozenset()


def materialise(
    snapshot: Snapshot,
    changes: Sequence[Change],
    rewriters: Rewriters,
    formatter: Formatter | None = None,
) -> Materialised:
    """Return ``snapshot`` with all ``changes`` made, in their order, and what could not be."""
    # LibCST takes a sixth of a second to import, and most commands never rewrite.
    from awaken.engine.file_rewriting import FileContext, rewrite_file  # noqa: PLC0415

    formatter = formatter or Formatter()
    layout = Layout(snapshot)
    first_party = frozenset(
        layout.name_of(p).partition(".")[0] for p in snapshot if p.endswith((".py", ".pyi"))
    )
    per_file: dict[str, list[OwnedEdit[Edit]]] = _by_file(changes)
    created, problems = _created(snapshot, changes)
    files: dict[str, SourceFile] = dict(created)
    maps: dict[str, SpanMap] = {}
    for path, edits in per_file.items():
        source = snapshot.get(path)
        if source is None:
            place = Place(path, Span(0, 0))
            names = tuple(dict.fromkeys(owned.change for owned in edits))
            problems.append(Problem(place, "there is no such file to edit", names))
            continue
        rewritten = rewrite_file(
            source,
            edits,
            rewriters,
            FileContext(layout.name_of(path), first_party, formatter.line_length),
        )
        problems += rewritten.problems
        if rewritten.moved:
            files[path] = rewritten.source
            maps[path] = rewritten.moved
    for path, (source, moved) in format_edited(snapshot, files, maps, formatter).items():
        files[path], maps[path] = source, moved
    return Materialised(snapshot.replace(files), maps, tuple(problems), frozenset(created))


def _by_file(changes: Sequence[Change]) -> dict[str, list[OwnedEdit[Edit]]]:
    found: dict[str, list[OwnedEdit[Edit]]] = {}
    for change in changes:
        for edit in change.edits:
            if not isinstance(edit, CreateFile | Requirement):
                found.setdefault(edit.path, []).append(OwnedEdit(change.id, change.rule, edit))
    return found


def _created(
    snapshot: Snapshot, changes: Sequence[Change]
) -> tuple[dict[str, SourceFile], list[Problem]]:
    files: dict[str, SourceFile] = {}
    problems: list[Problem] = []
    for change in changes:
        for edit in change.edits:
            if not isinstance(edit, CreateFile):
                continue
            made = SourceFile(edit.path, edit.text.encode())
            place = Place(edit.path, Span(0, 0))
            if edit.path in snapshot:
                problems.append(Problem(place, "the file to create exists already", (change.id,)))
            elif files.setdefault(edit.path, made) != made:
                what = "another change creates this file with other text"
                problems.append(Problem(place, what, (change.id,)))
    return files, problems
