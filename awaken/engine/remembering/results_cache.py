"""Results kept between runs: a lost or broken cache costs time, never a wrong answer.

Cached results are written into programs, so only awaken's own entries are used: each carries a code
that only the holder of the user's key can make (``state.cache_key``). And what ``prune`` removes
are only files that awaken can have made: it follows no link, and looks at owner, name and first
bytes of each, in a directory that is marked as awaken's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from awaken.engine.machine.filesystem import NO_WAIT, WALKS, require_ours
from awaken.workspace.reading import NO_LINK

Result = TypeVar("Result", bound=Struct)

KEEP_DAYS = 30
"""Results that no run has used for so long are dropped. A choice: a month, as the journal."""

KEEP_BYTES = 500_000_000
"""The results of all projects together; a million lines take about 20 MB."""

_LARGEST_SHARD = 100_000_000
"""Bytes of one file: five times what a million lines take in all. A larger one is left alone."""

_FRESH_DAYS = 7
"""Days after which a result that is used is marked as used again. A choice: a run that only reads
then writes once a week, and still far more often than results are dropped."""
_DAY = 86_400
TOP = "results"
"""The directory in a cache directory that holds the results."""

_MARK = "CACHEDIR.TAG"
_IGNORE_FILES = {
    # bford.info/cachedir
    _MARK: "Signature: 8a477f597d28d172789f06886806bc55\n# Results that awaken keeps.\n",
    ".gitignore": "*\n",
}
_MAGIC = b"awaken results 1\n"
_CODE_BYTES = 32
"""Those of BLAKE2b that nobody guesses; as many as the key has."""
_PROJECT = re.compile(r"[0-9a-f]{16}")
_PRODUCER = re.compile(r"[a-z]+-[0-9.]+-[0-9a-f]{16}")
_SHARD = re.compile(r"[A-Za-z]+-[0-9a-f]\.msgpack(\.[0-9a-f]{16}\.new)?")


class _CachedResult(Struct, frozen=True, array_like=True):
    """One result, still encoded, and the day it was last used."""

    day: int
    result: Raw


_Shard = dict[bytes, _CachedResult]


class ResultsCache:
    """Structs by key, in sixteen files a kind, read when first asked for.

    ``directory`` None keeps nothing (``--no-cache``); ``key`` is the user's secret, and nothing is
    kept without one, nor where the system cannot open files without following links (Windows). A
    kind is a Struct type, identified by its name; an entry that does not decode counts as absent.
    """

    def __init__(self, directory: Path | None = None, key: bytes | None = None) -> None:
        usable = directory is not None and key is not None and WALKS
        self._directory = directory if usable else None
        self._base = directory.parents[2] if directory else Path()
        self._names = directory.parts[-3:] if directory else ()
        self._key = key or b""
        self._shards: dict[str, _Shard] = {}
        self._changed: set[str] = set()
        self._decoders: dict[type[Struct], msgspec.msgpack.Decoder[Any]] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._today = int(time.time() / _DAY)

    @property
    def keeps(self) -> bool:
        """Whether results are kept at all."""
        return self._directory is not None

    def get(self, kind: type[Result], key: bytes) -> Result | None:
        """Return the result of this kind under ``key``, or None."""
        if self._directory is None:
            return None
        name = _shard_name(kind, key)
        shard = self._shard(name)
        entry = shard.get(key)
        if entry is None:
            return None
        try:
            result: Result = self._decoder(kind).decode(entry.result)
        except msgspec.DecodeError:
            del shard[key]
            return None
        if entry.day < self._today - _FRESH_DAYS:
            shard[key] = _CachedResult(self._today, entry.result)
            self._changed.add(name)
        return result

    def put(self, key: bytes, result: Struct) -> None:
        """Keep ``result`` under ``key``, as one of its own type, if it can be written as bytes."""
        if self._directory is None:
            return
        try:
            encoded = Raw(self._encoder.encode(result))
        except (UnicodeEncodeError, OverflowError):
            # It shows half a surrogate pair of a program, or a path that has no UTF-8.
            return
        name = _shard_name(type(result), key)
        self._shard(name)[key] = _CachedResult(self._today, encoded)
        self._changed.add(name)

    def save(self) -> None:
        """Write what changed; a directory that cannot be written is left as it is."""
        if self._directory is None or not self._changed:
            return
        # without a cache awaken is slower, and that is all
        with suppress(OSError), made_directories(self._base, self._names) as descriptor:
            for name in sorted(self._changed):
                self._write(name, descriptor)
            self._changed.clear()
            prune(self._base)

    def _decoder(self, kind: type[Struct]) -> msgspec.msgpack.Decoder[Any]:
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = msgspec.msgpack.Decoder(kind)
        return decoder

    def _shard(self, name: str) -> _Shard:
        shard = self._shards.get(name)
        if shard is None and self._directory is not None:
            shard = {}
            with suppress(OSError), _opened_items(self._base, self._names) as descriptor:
                shard = self._read(name, descriptor)
            self._shards[name] = shard
        return {} if shard is None else shard

    def _read(self, name: str, directory: int) -> _Shard:
        """Return a shard's entries; none where it is not what awaken wrote with this key."""
        content = _content(name, directory)
        start = len(_MAGIC) + _CODE_BYTES
        payload = memoryview(content)[start:]
        code = content[len(_MAGIC) : start]
        # Nothing is decoded before its code is checked: the file may be anybody's.
        if not content.startswith(_MAGIC) or not hmac.compare_digest(
            code, self._code(name, payload)
        ):
            return {}
        try:
            return _SHARD_DECODER.decode(payload)
        except msgspec.DecodeError:
            return {}

    def _code(self, name: str, payload: memoryview | bytes) -> bytes:
        """Return the code of a shard, which holds for its place alone."""
        place = "/".join((*self._names, name))
        code = hashlib.blake2b(place.encode() + b"\0", key=self._key, digest_size=_CODE_BYTES)
        code.update(payload)
        return code.digest()

    def _write(self, name: str, directory: int) -> None:
        """Replace one shard, together with what another run has put into it meanwhile."""
        entries = self._shards[name]
        # Not locked: of two runs that write at once one's results are lost, and made again.
        with suppress(OSError):
            entries = {**self._read(name, directory), **entries}
        oldest = self._today - KEEP_DAYS
        payload = self._encoder.encode({k: e for k, e in entries.items() if e.day >= oldest})
        draft = f"{name}.{secrets.token_hex(8)}.new"
        try:
            create_file(draft, directory, _MAGIC + self._code(name, payload) + payload)
            os.replace(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft, dir_fd=directory)
            raise


def _shard_name(kind: type[Struct], key: bytes) -> str:
    return f"{kind.__name__}-{key[0] >> 4:x}.msgpack"


_SHARD_DECODER = msgspec.msgpack.Decoder(_Shard)


def _content(name: str, directory: int) -> bytes:
    """Return the bytes of a file of awaken in the open ``directory``. Raises OSError."""
    descriptor = os.open(name, os.O_RDONLY | NO_LINK | NO_WAIT, dir_fd=directory)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        require_ours(status)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_SHARD:
            return b""
        return file.read(_LARGEST_SHARD)


def create_file(name: str, directory: int, content: bytes) -> None:
    """Write a new file in the open ``directory``. Raises OSError, also where it exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        file.write(content)


def _descriptor_inside(name: str, directory: int) -> int:
    """Return a descriptor of our directory ``name`` in the open ``directory``. Raises OSError."""
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | NO_LINK, dir_fd=directory)
    try:
        require_ours(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _made_inside(name: str, directory: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=directory)
    return _descriptor_inside(name, directory)


@contextmanager
def _opened_items(
    base: Path, names: Sequence[str], enter: Callable[[str, int], int] = _descriptor_inside
) -> Iterator[int]:
    """Open the directories ``names``, each in the one before, and give the last one.

    ``base`` is the user's word, and may be a link; nothing in it is followed through one.
    """
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names:
            outer, descriptor = descriptor, enter(name, descriptor)
            os.close(outer)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def made_directories(base: Path, names: Sequence[str]) -> Iterator[int]:
    """Open directories as ``_opened`` does, and make those that are missing. Raises OSError.

    Backups and git are configured to skip the cache.
    """
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened_items(base, names[:1], _made_inside) as top:
        for name, text in _IGNORE_FILES.items():
            with suppress(FileExistsError):
                create_file(name, top, text.encode())
    with _opened_items(base, names, _made_inside) as descriptor:
        yield descriptor


def prune(base: Path, keep_bytes: int = KEEP_BYTES) -> None:
    """Remove from the cache in ``base`` what is old, then the oldest until the rest fits.

    Files that awaken cannot have made stay, and so do those without the mark of its cache.
    """
    with suppress(OSError), _opened_items(base, [TOP]) as top:
        if _content(_MARK, top) != _IGNORE_FILES[_MARK].encode():
            return
        kept = 0
        oldest = time.time() - KEEP_DAYS * _DAY
        for modified, size, project, producer in sorted(_producers(top), reverse=True):
            kept += size
            if modified < oldest or kept > keep_bytes:
                _remove(top, project, producer)


def _producers(top: int) -> Iterator[tuple[float, int, str, str]]:
    """Yield when each directory of shards was last written, its size, and where it is."""
    for project in _listed_names(top, _PROJECT):
        with suppress(OSError), _entered_items(project, top) as outer:
            for producer in _listed_names(outer, _PRODUCER):
                with suppress(OSError), _entered_items(producer, outer) as inner:
                    statuses = [
                        os.stat(name, dir_fd=inner, follow_symlinks=False)
                        for name in _shards(inner)
                    ]
                    modified = max((status.st_mtime for status in statuses), default=0.0)
                    yield modified, sum(status.st_size for status in statuses), project, producer


def _remove(top: int, project: str, producer: str) -> None:
    with suppress(OSError), _entered_items(project, top) as outer:
        with _entered_items(producer, outer) as inner:
            for name in _shards(inner):
                os.unlink(name, dir_fd=inner)
        # Not empty where it holds something else: that is not ours to remove.
        os.rmdir(producer, dir_fd=outer)
        os.rmdir(project, dir_fd=top)


@contextmanager
def _entered_items(name: str, directory: int) -> Iterator[int]:
    descriptor = _descriptor_inside(name, directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _shards(directory: int) -> list[str]:
    """Return the names of the files in the open ``directory`` that awaken made."""
    return [name for name in _listed_names(directory, _SHARD) if _is_shard(name, directory)]


def _listed_names(directory: int, names: re.Pattern[str]) -> list[str]:
    # Path has no descriptors.
    return [name for name in os.listdir(directory) if names.fullmatch(name)]


def _is_shard(name: str, directory: int) -> bool:
    with suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | NO_LINK | NO_WAIT, dir_fd=directory)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            require_ours(status)
            # A write that was killed may have left less than the first bytes.
            return stat.S_ISREG(status.st_mode) and _MAGIC.startswith(file.read(len(_MAGIC)))
    return False
