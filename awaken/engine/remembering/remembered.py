"""Remembers what a run came to, so that the next run on the same files need not plan again.

``check``, then ``diff``, then ``apply`` is how people work: the analysis is done once. A remembered
result holds for the same versions, rules and options, and the same bytes of all files in
``evidence``; otherwise awaken plans again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct, structs

from awaken.contract import Finding, Outline
from awaken.engine.machine.filesystem import in_git_directory
from awaken.engine.machine.state_directory import cache_key
from awaken.engine.remembering.result_places import results_directory
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.report import (
    ChangeSummary,
    Diagnostic,
    EditedPlace,
    FileChange,
    LeftToDo,
    SuppressedSite,
)
from awaken.workspace.file_reading import KnownFile
from awaken.workspace.sources import SourceFile

if TYPE_CHECKING:
    from awaken.engine.remembering.evidence import Evidence

_FILES = hashlib.sha256(b"files").digest()
"""The key of the one table of files that a project has."""


class Remembered(Struct, frozen=True):
    """The result of a run, and the ``digest`` of all its inputs.

    ``unmatched`` is the number of entries of the baseline that match nothing any more;
    ``diagnostics`` are those of planning, a file that does not parse for instance.
    """

    digest: bytes
    findings: tuple[Finding, ...]
    changes: tuple[ChangeSummary, ...]
    pending: tuple[ChangeSummary, ...]
    files: tuple[FileChange, ...]
    sources: dict[str, SourceFile]
    suppressed: tuple[SuppressedSite, ...]
    unmatched: int
    diagnostics: tuple[Diagnostic, ...]
    left_to_do: tuple[LeftToDo, ...] = ()
    outlines: tuple[Outline, ...] = ()
    edited: tuple[EditedPlace, ...] = ()
    explained_only: tuple[Finding, ...] = ()

    def files_shown(self) -> set[str]:
        """Return the files of which it shows the text, or says something."""
        named = {*self.sources, *(change.path for change in self.files)}
        return named | {diagnostic.path for diagnostic in self.diagnostics}

    def encoded_text(self) -> bytes:
        """Return all that it says as text, without the texts of files."""
        said = structs.replace(self, files=(), sources={})
        return repr(said).encode("utf-8", "backslashreplace")


class Proof(Struct, frozen=True):
    """The evidence of the result with the digest ``answer``, encoded.

    ``proved_for`` is the digest of the last state of the files for which it was looked through.
    """

    answer: bytes
    proved_for: bytes
    evidence: Raw


class State(Struct, frozen=True):
    """The inputs of a run: the digest of all but the files, and the files.

    ``digests`` are those of the files by project-relative path; ``source_of`` gives one decoded.
    """

    made_from: bytes
    digests: Mapping[str, bytes]
    source_of: Callable[[str], SourceFile | None]

    def digest(self) -> bytes:
        """Return one digest of it all."""
        return digest_of([self.made_from], self.digests)


class KnownFiles(Struct, frozen=True):
    """Known facts about the files of a project, by project-relative path."""

    files: dict[str, KnownFile]


class Memory:
    """The last result for each way of asking, and what is known of the files of one project.

    ``base`` is the cache directory, None for the user's; without ``use`` nothing is kept, nor
    where there is no state directory for the key. ``files`` is what the last run knew of them.
    """

    def __init__(self, root: Path, base: Path | None, *, use: bool) -> None:
        key = cache_key() if use else None
        place = None if key is None else results_directory(root, base, key)
        self._cache = ResultsCache(place, key)
        known_files = self._cache.get(KnownFiles, _FILES)
        self.files: Mapping[str, KnownFile] = {} if known_files is None else known_files.files

    def recall(self, asked: bytes, state: State) -> Remembered | None:
        """Return what the last run that was ``asked`` the same came to, if it still holds.

        That is, if it was made from the same, or nothing that it looked at has changed. No other
        files than those of ``state`` are rewritten, and nothing new is made outside of the project.
        """
        # One per question, not per digest: the result before is of no use once the files changed.
        recall = self._cache.get(Remembered, asked)
        if recall is None or not _is_about(recall, state.digests):
            return None
        digest = state.digest()
        if recall.digest == digest or self._is_proved(asked, recall.digest, digest, state):
            return recall
        return None

    def _is_proved(self, asked: bytes, answer: bytes, digest: bytes, state: State) -> bool:
        proof = self._cache.get(Proof, asked)
        if proof is None or proof.answer != answer:
            return False
        if proof.proved_for == digest:
            return True
        # Only an edit needs it, and it needs much that is about programs.
        from awaken.engine.remembering.evidence import Evidence, still_holds  # noqa: PLC0415
        from awaken.engine.remembering.known_texts import KnownTexts  # noqa: PLC0415

        evidence = msgspec.msgpack.decode(proof.evidence, type=Evidence)
        texts = KnownTexts(self._cache)
        newer = still_holds(evidence, state.made_from, state.digests, state.source_of, texts)
        if newer is None:
            return False
        self._cache.put(asked, Proof(answer, digest, _encoded_text(newer)))
        return True

    def keep(self, asked: bytes, remembered: Remembered, evidence: Evidence) -> None:
        """Keep the result for the next run, in place of the one before."""
        self._cache.put(asked, remembered)
        proof = Proof(remembered.digest, remembered.digest, _encoded_text(evidence))
        self._cache.put(asked, proof)

    @property
    def cache(self) -> ResultsCache | None:
        """Where results are kept; None where nothing is."""
        return self._cache if self._cache.keeps else None

    def keep_files(self, files: dict[str, KnownFile]) -> None:
        """Keep the facts of the files for the next run, in place of the old ones."""
        if files != self.files:
            self._cache.put(_FILES, KnownFiles(files))

    def save(self) -> None:
        """Write what was kept to disk."""
        self._cache.save()


def _encoded_text(evidence: Evidence) -> Raw:
    return Raw(msgspec.msgpack.encode(evidence))


def _is_about(remembered: Remembered, files: Collection[str]) -> bool:
    made = (PurePosixPath(change.path) for change in remembered.files if change.before is None)
    return (
        all(change.path in files for change in remembered.files if change.before is not None)
        and all(path in files for path in remembered.sources)
        and not any(
            path.is_absolute() or ".." in path.parts or in_git_directory(path) for path in made
        )
    )


def digest_of(parts: Iterable[object], files: Mapping[str, bytes]) -> bytes:
    """Return a digest of ``parts`` (by their text) and of the files' paths and digests."""
    digest = hashlib.sha256(repr(list(parts)).encode())
    # Sorted, for the order in which a directory is listed differs by file system.
    for path, content in sorted(files.items()):
        digest.update(path.encode("utf-8", "surrogateescape") + b"\0" + content)
    return digest.digest()
