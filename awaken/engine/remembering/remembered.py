"""Remembers what a run came to, so that the next run on the same files need not plan again.

``check``, then ``diff``, then ``apply`` is how people work: the analysis is done once. A remembered
result holds for the same versions, rules and options, and the same bytes of all files in
``evidence``; otherwise awaken plans again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct, structs

from awaken.engine.machine.filesystem import in_git_directory
from awaken.engine.machine.state_directory import cache_key
from awaken.engine.remembering.result_places import results_directory
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.report import Remembered
from awaken.workspace.file_reading import KnownFile
from awaken.workspace.sources import SourceFile

if TYPE_CHECKING:
    from awaken.engine.remembering.evidence import Evidence
    from awaken.engine.remembering.known_texts import KnownTexts

_FILES = hashlib.sha256(b"files").digest()
"""The key of the one table of files that a project has."""


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
        return recall if recall.digest == digest else self._proved(asked, recall, digest, state)

    def _proved(
        self, asked: bytes, recall: Remembered, digest: bytes, state: State
    ) -> Remembered | None:
        """Return the answer for files with the digest ``digest``; None if it may be another one."""
        proof = self._cache.get(Proof, asked)
        if proof is None or proof.answer != recall.digest:
            return None
        if proof.proved_for == digest:
            return recall
        # Only an edit needs it, and it needs much that is about programs.
        from awaken.engine.remembering.evidence import Evidence, still_holds  # noqa: PLC0415
        from awaken.engine.remembering.moved_answers import moved_answer  # noqa: PLC0415

        evidence = msgspec.msgpack.decode(proof.evidence, type=Evidence)
        held = still_holds(evidence, state.made_from, state.digests, state.source_of, self.texts)
        answer = None if held is None else moved_answer(recall, held.moved)
        if held is None or answer is None:
            return None
        if held.moved:
            answer = structs.replace(answer, digest=digest)
            self._cache.put(asked, answer)
        self._cache.put(asked, Proof(answer.digest, digest, _encoded_text(held.evidence)))
        return answer

    @cached_property
    def texts(self) -> KnownTexts:
        """The texts that answers and units were made from, each compared once with a file."""
        from awaken.engine.remembering.known_texts import KnownTexts  # noqa: PLC0415  as above

        return KnownTexts(self._cache)

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
