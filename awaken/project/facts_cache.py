"""Facts of files kept between runs: a lost or broken cache costs time, never a wrong answer."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
import zlib
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Raw, Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaken.project.sources import SourceFile

Facts = TypeVar("Facts", bound=Struct)

KEEP_DAYS = 30
"""Facts that no run has used for so long are dropped."""

KEEP_BYTES = 500_000_000
"""The facts of all projects together; a million lines take about 20 MB."""

_FRESH_DAYS = 7
_DAY = 86_400
_IGNORE_FILES = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",  # bford.info/cachedir
    ".gitignore": "*\n",
}


class _Entry(Struct, frozen=True, array_like=True):
    """One file's facts, still encoded, and the day they were last used."""

    day: int
    facts: Raw


_Shard = dict[bytes, _Entry]


def facts_key(source: SourceFile, module_name: str) -> bytes:
    """Return the key for facts that depend on a file's bytes and on its module's name alone."""
    return hashlib.sha256(source.digest + module_name.encode()).digest()


def facts_directory(root: Path, base: Path | None = None) -> Path:
    """Return where the facts of the project in ``root`` are kept, for this Python and this awaken.

    ``base`` is ``--cache-dir``; by default the user's cache directory.
    """
    if base is None:
        import platformdirs  # noqa: PLC0415 - a run without cache does not need it

        base = platformdirs.user_cache_path("awaken")
    project = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return base / "facts" / project / _producer()


@cache
def _producer() -> str:
    """Return the name of what makes the facts: the Python, and a digest of awaken's own code."""
    digest = hashlib.sha256()
    own = Path(str(resources.files("awaken")))
    for file in sorted(path for path in own.rglob("*") if path.suffix in {".py", ".toml"}):
        digest.update(file.relative_to(own).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{sys.implementation.name}-{python}-{digest.hexdigest()[:16]}"


class FactsCache:
    """Structs by key, in sixteen files a kind, read when first asked for.

    ``directory`` None keeps nothing (``--no-cache``). A kind is a Struct type, told apart by its
    name; what does not decode as it is as good as absent.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._shards: dict[str, _Shard] = {}
        self._changed: set[str] = set()
        self._decoders: dict[type[Struct], msgspec.msgpack.Decoder[Any]] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._today = int(time.time() / _DAY)

    def get(self, kind: type[Facts], key: bytes) -> Facts | None:
        """Return the facts of this kind under ``key``, or None."""
        if self._directory is None:
            return None
        name = _shard_name(kind, key)
        shard = self._shard(name)
        entry = shard.get(key)
        if entry is None:
            return None
        try:
            facts: Facts = self._decoder(kind).decode(entry.facts)
        except msgspec.DecodeError:
            del shard[key]
            return None
        if entry.day < self._today - _FRESH_DAYS:
            shard[key] = _Entry(self._today, entry.facts)
            self._changed.add(name)
        return facts

    def put(self, key: bytes, facts: Struct) -> None:
        """Keep ``facts`` under ``key``, as facts of their own type."""
        if self._directory is not None:
            name = _shard_name(type(facts), key)
            self._shard(name)[key] = _Entry(self._today, Raw(self._encoder.encode(facts)))
            self._changed.add(name)

    def save(self) -> None:
        """Write what changed; a directory that cannot be written is left as it is."""
        if self._directory is None or not self._changed:
            return
        # without a cache awaken is slower, and that is all
        with suppress(OSError):
            _prepare(self._directory)
            for name in sorted(self._changed):
                self._write(name, self._directory / name)
            self._changed.clear()
            prune(self._directory.parents[1])

    def _decoder(self, kind: type[Struct]) -> msgspec.msgpack.Decoder[Any]:
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = msgspec.msgpack.Decoder(kind)
        return decoder

    def _shard(self, name: str) -> _Shard:
        shard = self._shards.get(name)
        if shard is None and self._directory is not None:
            shard = self._shards[name] = _read_shard(self._directory / name)
        return {} if shard is None else shard

    def _write(self, name: str, path: Path) -> None:
        """Replace one shard, together with what another run has put into it meanwhile."""
        entries = {**_read_shard(path), **self._shards[name]}
        oldest = self._today - KEEP_DAYS
        payload = self._encoder.encode({k: e for k, e in entries.items() if e.day >= oldest})
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(zlib.crc32(payload).to_bytes(4, "big") + payload)
        Path(file.name).replace(path)


def _shard_name(kind: type[Struct], key: bytes) -> str:
    return f"{kind.__name__}-{key[0] >> 4:x}.msgpack"


_SHARD_DECODER = msgspec.msgpack.Decoder(_Shard)


def _read_shard(path: Path) -> _Shard:
    """Return a shard's entries; none where the file is absent, cut short or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return {}
    payload = memoryview(content)[4:]
    if zlib.crc32(payload) != int.from_bytes(content[:4], "big"):
        return {}
    try:
        return _SHARD_DECODER.decode(payload)
    except msgspec.DecodeError:
        return {}


def _prepare(directory: Path) -> None:
    """Make the directory, and tell backups and git to pass over the cache."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in _IGNORE_FILES.items():
        path = directory.parents[1] / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")


def prune(facts: Path, keep_bytes: int = KEEP_BYTES) -> None:
    """Remove from the directory ``facts`` what is old, then the oldest until the rest fits."""
    kept = 0
    oldest = time.time() - KEEP_DAYS * _DAY
    for modified, size, directory in sorted(_producers(facts), reverse=True):
        kept += size
        if modified < oldest or kept > keep_bytes:
            shutil.rmtree(directory, ignore_errors=True)
            with suppress(OSError):  # other producers' facts are in it
                directory.parent.rmdir()


def _producers(facts: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield each directory of shards with the time it was last written and its size."""
    for directory in facts.glob("*/*/"):
        statuses = [path.stat() for path in directory.iterdir()]
        modified = max((status.st_mtime for status in statuses), default=0.0)
        yield modified, sum(status.st_size for status in statuses), directory
