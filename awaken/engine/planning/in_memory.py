"""Changes applied to a snapshot in memory: a pure function, with a problem for what cannot be made.

Nothing is rolled back here: the caller (``conflicts``) leaves out the changes that problems name
and calls again; imports and files that several changes share are computed from those that remain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from awaken.contract import (
    ByHand,
    Change,
    ChangeId,
    CreateFile,
    InsertStatements,
    NeedImport,
    NodeEdit,
    Place,
    Problem,
    ReleaseImport,
    ReplaceStatements,
    Requirement,
    SetKey,
    Span,
    TextEdit,
)
from awaken.engine.edits.owned_edits import OVERLAP, EditT, OwnedEdit, of_kind
from awaken.engine.edits.splices import SpanMap, Splice, clashes, splice
from awaken.engine.formatting.edited_statements import format_edited
from awaken.engine.formatting.formatter import Formatter
from awaken.engine.machine.workers import Died, run_many, start_method
from awaken.engine.manifests.requirements import add_requirements
from awaken.engine.manifests.setting_keys import set_keys
from awaken.engine.manifests.whole_texts import EditedFiles
from awaken.engine.planning.exports import NamesTaken, may_release, names_taken
from awaken.engine.progress import REWRITING, Progress, silent
from awaken.engine.report import LeftToDo
from awaken.engine.rewriting.rewritten import FileContext, KnownRewritings, Rewriters, RewrittenFile
from awaken.project.names.module_layout import Layout
from awaken.project.source.looked_at import LookedAt
from awaken.project.source.modules import Module
from awaken.workspace.sources import Snapshot, SourceFile, is_python

_SECONDS_PER_EDIT = 3e-3
_SECONDS_PER_BYTE = 0.8e-6
"""What rewriting takes: 830 edits in 1.1 MB of ctfd 3.5 s, 407 in 5 MB of litellm 5.4 s. They only
decide whether processes are worth starting."""


class Processing(Struct, frozen=True):
    """The number of processes that rewrite files (None: one per core), and who gets progress.

    ``layout`` names the modules of the program, those of its files alone if it is None. ``known``
    are the rewritten files of earlier runs. ``looked_at`` notes who takes names from edited files.
    ``parsed`` returns a file of the snapshot whose tree is kept.
    """

    jobs: int | None = None
    progress: Progress = silent
    layout: Layout | None = None
    known: KnownRewritings = KnownRewritings()
    looked_at: LookedAt = field(default_factory=LookedAt)
    parsed: Callable[[SourceFile], Module | None] = lambda source: None  # noqa: ARG005


class EditedSnapshot(Struct, frozen=True):
    """A snapshot after its changes were applied in memory.

    ``maps`` lead back to the old text, per changed file; ``created`` are the paths that did not
    exist before. Any problem names the changes that could not be made; ``left_to_do`` are lines of
    settings files that could not be written, which costs no change.
    """

    snapshot: Snapshot
    maps: Mapping[str, SpanMap]
    problems: tuple[Problem, ...] = ()
    created: frozenset[str] = frozenset()
    left_to_do: tuple[LeftToDo, ...] = ()


def apply_in_memory(
    snapshot: Snapshot,
    changes: Sequence[Change],
    rewriters: Rewriters,
    formatter: Formatter | None = None,
    processing: Processing | None = None,
) -> EditedSnapshot:
    """Return ``snapshot`` with all ``changes`` applied, in their order, and what could not be.

    ``rewriters`` are those of each rule by name; ``formatter`` is the project's own. The result
    is the same for any number of processes.
    """
    processing = processing or Processing()
    work = _Work(snapshot, formatter or Formatter())
    # Requirements before text edits: both may touch one manifest, and the anchors of the latter
    # are then moved over what the former did (``edit_text``).
    work.create(changes)
    work.edit(add_requirements(snapshot, _owned_edits(changes, Requirement)))
    work.edit(set_keys(_owned_edits(changes, SetKey), work.current))
    work.left_to_do += _by_hand(changes)
    by_file = _by_file(changes)
    rewritten = work.rewrite(by_file, rewriters, processing)
    for path, edits in by_file.items():
        if snapshot.get(path) is None:
            work.reject(path, "there is no such file to edit", edits)
        elif is_python(path):
            work.take(path, edits, rewritten[path])
        else:
            work.edit_text(path, edits)
    return work.result()


class _Work:
    """The files as they change, and what goes wrong."""

    def __init__(self, snapshot: Snapshot, formatter: Formatter) -> None:
        self.problems: list[Problem] = []
        self.left_to_do: list[LeftToDo] = []
        self._snapshot = snapshot
        self._formatter = formatter
        self._created: dict[str, SourceFile] = {}
        self._files: dict[str, SourceFile] = {}
        self._maps: dict[str, SpanMap] = {}

    def current(self, path: str) -> SourceFile | None:
        """Return a file as it is after what was done so far; None where there is none."""
        return self._created.get(path) or self._files.get(path, self._snapshot.get(path))

    def edit(self, edited: EditedFiles) -> None:
        self.problems += edited.problems
        self.left_to_do += edited.left
        for path, (source, moved) in edited.files.items():
            self.put(path, source, moved)

    def put(self, path: str, source: SourceFile, moved: SpanMap) -> None:
        if path not in self._snapshot:
            self._created[path] = source
        elif moved:
            self._files[path] = source
            self._maps[path] = self._maps.get(path, SpanMap()).then(moved)

    def reject(self, path: str, message: str, edits: Sequence[OwnedEdit[Any]]) -> None:
        changes = tuple(dict.fromkeys(owned.change for owned in edits))
        self.problems.append(Problem(Place(path, Span(0, 0)), message, changes))

    def create(self, changes: Sequence[Change]) -> None:
        for owned in _owned_edits(changes, CreateFile):
            path = owned.edit.path
            made = SourceFile(path, owned.edit.text.encode())
            if path in self._snapshot:
                self.reject(path, "the file to create exists already", [owned])
            elif self._created.setdefault(path, made) != made:
                self.reject(path, "another change creates this file with other text", [owned])

    def rewrite(
        self,
        files: Mapping[str, Sequence[OwnedEdit[Any]]],
        rewriters: Rewriters,
        processing: Processing,
    ) -> dict[str, RewrittenFile | Died]:
        """Return what comes of the Python files among ``files``."""
        paths = [path for path in files if is_python(path) and path in self._snapshot]
        if not paths:
            return {}
        snapshot, formatter = self._snapshot, self._formatter
        layout = processing.layout or Layout(snapshot)
        # A new file is imported like its neighbors.
        created = {path.rpartition("/")[2].removesuffix(".py") for path in self._created}

        releasing = {
            path: None
            for path in paths
            if may_release(path) and of_kind(files[path], ReleaseImport)
        }
        taken = names_taken(snapshot, releasing, processing.looked_at)

        def contexts(paths: Collection[str], taken: NamesTaken) -> dict[str, FileContext]:
            return {
                path: FileContext(
                    name=layout.name_of(path),
                    first_party=layout.top_packages | created,
                    line_length=formatter.line_length,
                    is_length_assumed=formatter.is_length_assumed,
                    taken=taken.names_from(path) if path in releasing else frozenset(),
                )
                for path in paths
            }

        result = self._rewritten(files, contexts(paths, taken), rewriters, processing)
        texts = {path: item.source for path, item in result.items() if not isinstance(item, Died)}
        held_back = {
            path: _held_back(taken, texts[path], files[path]) for path in releasing if path in texts
        }
        if any(held_back.values()):
            # Other files may have taken a name from this one, and take another one now.
            after = taken.for_snapshot(snapshot.replace(texts))
            again = [path for path, names in held_back.items() if names - after.names_from(path)]
            result |= self._rewritten(files, contexts(again, after), rewriters, processing)
        return result

    def _rewritten(
        self,
        files: Mapping[str, Sequence[OwnedEdit[Any]]],
        contexts: Mapping[str, FileContext],
        rewriters: Rewriters,
        processing: Processing,
    ) -> dict[str, RewrittenFile | Died]:
        """Return what comes of the files with ``contexts``, recalled where it is known."""
        snapshot, known, progress = self._snapshot, processing.known, processing.progress
        keys = {
            path: known.key(snapshot[path], files[path], context)
            for path, context in contexts.items()
        }
        result: dict[str, RewrittenFile | Died] = {
            path: recalled
            for path, key in keys.items()
            if (recalled := known.recall(key, snapshot[path])) is not None
        }
        new = [path for path in contexts if path not in result]
        # Nothing is said of a stage that has nothing to do.
        if not new:
            return result
        # LibCST takes a tenth of a second to import, and most commands never rewrite.
        from awaken.engine.rewriting.light_nodes import import_libcst  # noqa: PLC0415

        import_libcst()
        from awaken.engine.rewriting.file_rewriting import rewrite_file  # noqa: PLC0415

        # Before processes start: they share what is loaded.
        rules = {owned.rule for path in new for owned in files[path]}
        loaded = {name: rewriters[name] for name in sorted(rules) if name in rewriters}

        def rewritten(path: str) -> RewrittenFile:
            parsed = processing.parsed(snapshot[path])
            return rewrite_file(snapshot[path], files[path], loaded, contexts[path], parsed)

        progress(REWRITING, 0, len(new))
        results = run_many(
            rewritten,
            new,
            jobs=processing.jobs,
            # A spawned worker would have to be sent the rewriters, which may be closures.
            estimated_seconds=self._seconds(files, new) if start_method() == "fork" else 0,
            arrived=lambda done: progress(REWRITING, done, len(new)),
        )
        for path, item in zip(new, results, strict=True):
            result[path] = item
            if not isinstance(item, Died):
                known.keep(keys[path], item)
        return result

    def _seconds(
        self, files: Mapping[str, Sequence[OwnedEdit[Any]]], paths: Sequence[str]
    ) -> float:
        edits = sum(len(of_kind(files[path], NodeEdit)) for path in paths)
        size = sum(len(self._snapshot[path].text) for path in paths)
        return edits * _SECONDS_PER_EDIT + size * _SECONDS_PER_BYTE

    def take(
        self, path: str, edits: Sequence[OwnedEdit[Any]], rewritten: RewrittenFile | Died
    ) -> None:
        """Take what came of a Python file; one that ended its worker keeps none of its edits."""
        if isinstance(rewritten, Died):
            self.reject(path, f"its rewriting {rewritten.message}", edits)
            return
        self.problems += rewritten.problems
        self.put(path, rewritten.source, rewritten.moved)

    def edit_text(self, path: str, edits: Sequence[OwnedEdit[Any]]) -> None:
        """Make the text edits of a file that is not Python, after what the engine did to it."""
        source = self._files.get(path, self._snapshot[path])
        done = self._maps.get(path, SpanMap())
        splices: dict[Splice, ChangeId] = {}
        for owned in edits:
            if not isinstance(owned.edit, TextEdit):
                self.reject(path, "only text can be edited in a file that is not Python", [owned])
                continue
            span = done.to_after(owned.edit.anchor)
            new = Splice(span.start, span.end, owned.edit.text.encode())
            if clashing := {change for item, change in splices.items() if clashes(item, new)}:
                own = owned.change in clashing
                message = OVERLAP if own else "another change already edits this text"
                self.reject(path, message, [owned])
            else:
                splices.setdefault(new, owned.change)  # two changes may ask for the very same edit
        text, moved = splice(source.text, list(splices))
        self.put(path, source.with_text(text), moved)

    def result(self) -> EditedSnapshot:
        # All files with one call: a formatter takes longer to start than to format.
        formatted = format_edited(self._snapshot, self._files, self._maps, self._formatter)
        for path, (source, moved) in formatted.items():
            self._files[path], self._maps[path] = source, moved
        return EditedSnapshot(
            self._snapshot.replace({**self._files, **self._created}),
            self._maps,
            tuple(self.problems),
            frozenset(self._created),
            tuple(self.left_to_do),
        )


def _held_back(before: NamesTaken, now: SourceFile, edits: Sequence[OwnedEdit[Any]]) -> set[str]:
    """Return the names that were to go from a file, and stay because others import them."""
    released = {owned.edit.name or owned.edit.module for owned in of_kind(edits, ReleaseImport)}
    left = {name for name in released if re.search(rf"\b{re.escape(name)}\b".encode(), now.text)}
    return left & before.names_from(now.path) if left else set()


def _owned_edits(changes: Sequence[Change], kind: type[EditT]) -> list[OwnedEdit[EditT]]:
    return of_kind(
        (
            OwnedEdit(change.id, change.rule, edit, change.level)
            for change in changes
            for edit in change.edits
        ),
        kind,
    )


def _by_hand(changes: Sequence[Change]) -> list[LeftToDo]:
    """Return what is left to users, each thing once."""
    change_ids: dict[tuple[str, int, str], list[ChangeId]] = {}
    for owned in _owned_edits(changes, ByHand):
        key = owned.edit.file, owned.edit.line, owned.edit.what
        change_ids.setdefault(key, []).append(owned.change)
    return [
        LeftToDo(path, line, "", "", what, tuple(dict.fromkeys(named)))
        for (path, line, what), named in sorted(change_ids.items())
    ]


def _by_file(changes: Sequence[Change]) -> dict[str, list[OwnedEdit[Any]]]:
    kinds = (NodeEdit, InsertStatements, NeedImport, ReleaseImport, ReplaceStatements, TextEdit)
    owned_edits: dict[str, list[OwnedEdit[Any]]] = {}
    for change in changes:
        for edit in change.edits:
            if isinstance(edit, kinds):
                owned = OwnedEdit(change.id, change.rule, edit, change.level)
                owned_edits.setdefault(edit.path, []).append(owned)
    return owned_edits
