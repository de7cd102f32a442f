"""The Python files of one project as they are now; of files known already only the state is read.

A file whose state (times, size, inode) is the one it had when it was read has the same bytes, as in
git's index. So a run of which nothing changed opens no source file.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from awaken.workspace.reading import SOURCE_LIMIT, Enclosure, FileState, why_unread
from awaken.workspace.sources import FileProblem, SourceFile, Undecodable, decode

TICK = 2_000_000_000
"""Nanoseconds in which a file may be written twice without a later time: FAT counts in 2 s."""


class KnownFile(Struct, frozen=True, array_like=True):
    """The result of reading a file in this ``state``: its digest, or why it is not Python text.

    ``signs`` are what the reader was to recognise in the text.
    """

    state: FileState
    digest: bytes = b""
    message: str = ""
    line: int = 0
    signs: tuple[str, ...] = ()


class FileReader:
    """The files at project-relative ``paths``, looked at once, in that order.

    ``known`` is what an earlier reader knew; ``recognise`` returns the signs of a text. A file that
    vanished, cannot be read or decoded, or holds more than ``size_limit`` bytes is one problem.
    """

    def __init__(
        self,
        root: Path,
        paths: Iterable[str],
        known: Mapping[str, KnownFile] = MappingProxyType({}),
        size_limit: int = SOURCE_LIMIT,
        recognise: Callable[[bytes], tuple[str, ...]] = lambda _text: (),
    ) -> None:
        # Before any read: later writes have a later time.
        self._started = time.time_ns()
        self._enclosure = Enclosure(root)
        self._base = f"{root}/".replace("//", "/")
        self._limit = size_limit
        self._recognise = recognise
        self._signs: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, KnownFile] = {}
        self._sources: dict[str, SourceFile] = {}
        self._digests: dict[str, bytes] = {}
        self._problems: dict[str, FileProblem] = {}
        self._paths: list[str] = []
        for path in paths:
            self._paths.append(path)
            self._look_at(path, known.get(path))

    def digests(self) -> dict[str, bytes]:
        """Return the SHA-256 of the bytes of each file that is Python text."""
        return {path: self._digests[path] for path in self._paths if path in self._digests}

    def problems(self) -> tuple[FileProblem, ...]:
        """Return why the other files cannot be used."""
        return tuple(self._problems[path] for path in self._paths if path in self._problems)

    def source(self, path: str) -> SourceFile | None:
        """Return the decoded file at ``path``; None where it cannot be used."""
        if path in self._digests and path not in self._sources:
            self._read(path)
        return self._sources.get(path)

    def sources(self) -> dict[str, SourceFile]:
        """Return all decoded files. One that changed since it was looked at counts as it is now."""
        result = ((path, self.source(path)) for path in self._paths)
        return {path: source for path, source in result if source is not None}

    def signs(self) -> Counter[str]:
        """Return in how many files each sign is."""
        return Counter(sign for path in self._paths for sign in self._signs.get(path, ()))

    def known_files(self) -> dict[str, KnownFile]:
        """Return what the next reader need not read again.

        Files written just now are missing: the next write may leave them the same times.
        """
        oldest = self._started - TICK
        return {path: item for path, item in self._known.items() if item.state.latest < oldest}

    def _look_at(self, path: str, known: KnownFile | None) -> None:
        if known is not None and known.state == self._enclosure.state(self._base + path):
            self._note(path, known)
        elif not self._read(path) and known is not None:
            # Of the file on disk nothing was seen, so whatever was known of it still is.
            self._known[path] = known

    def _note(self, path: str, known: KnownFile) -> None:
        self._known[path] = known
        if known.message:
            self._problems[path] = FileProblem(path, known.line, known.message)
        else:
            self._digests[path] = known.digest
            self._signs[path] = known.signs

    def _read(self, path: str) -> bool:
        """Read the file at ``path``; return whether that on disk was looked at."""
        for result in (self._known, self._digests, self._problems, self._signs):
            result.pop(path, None)
        state, is_overlaid = None, False
        try:
            content, state = self._enclosure.read_with_state(self._base + path, self._limit)
            is_overlaid = state is None
            source = self._sources[path] = decode(path, content)
        except Undecodable as error:
            self._problems[path] = FileProblem(path, error.line, str(error))
            if state is not None:
                self._known[path] = KnownFile(state, message=str(error), line=error.line)
        except OSError as error:
            self._problems[path] = FileProblem(path, 0, why_unread(error))
        else:
            self._digests[path] = source.digest
            signs = self._signs[path] = self._recognise(content)
            if state is not None:
                self._known[path] = KnownFile(state, source.digest, signs=signs)
        return not is_overlaid
