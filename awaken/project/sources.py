"""Source files as values: how bytes on disk become text, and back, without losing a byte."""

from __future__ import annotations

import codecs
import hashlib
import io
import tokenize
from collections.abc import Iterator, Mapping

from msgspec import Struct


class Undecodable(ValueError):
    """The bytes are not text in the encoding that the file declares (PEP 263)."""


class SourceFile(Struct, frozen=True):
    """One file of a snapshot.

    ``text`` is UTF-8 without BOM, newlines as in the file; ``path`` is relative to the project
    root with ``/``. ``digest`` is the SHA-256 of the bytes on disk, empty for a file that a
    change creates.
    """

    path: str
    text: bytes
    encoding: str = "utf-8"
    bom: bool = False
    digest: bytes = b""

    def raw(self) -> bytes:
        """Return the bytes to write to disk.

        Raises UnicodeEncodeError where the text no longer fits the file's own encoding.
        """
        if self.encoding == "utf-8":
            return codecs.BOM_UTF8 + self.text if self.bom else self.text
        return self.text.decode("utf-8").encode(self.encoding)

    def with_text(self, text: bytes) -> SourceFile:
        """Return the same file holding ``text``."""
        return SourceFile(self.path, text, self.encoding, self.bom, self.digest)


def decode(path: str, raw: bytes) -> SourceFile:
    """Return the Python source file with the bytes ``raw``, decoded as PEP 263 says.

    Raises Undecodable with one clear sentence (unknown cookie, wrong bytes, NUL bytes).
    """
    digest = hashlib.sha256(raw).digest()
    bom = raw.startswith(codecs.BOM_UTF8)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    except SyntaxError as error:
        raise Undecodable(str(error)) from error
    encoding = codecs.lookup(encoding).name
    if encoding in {"utf-8", "utf-8-sig", "ascii"}:
        text = raw[len(codecs.BOM_UTF8) :] if bom else raw
        encoding = "utf-8"
    try:
        text = text.decode("utf-8").encode() if encoding == "utf-8" else _recode(raw, encoding)
    except UnicodeDecodeError as error:
        message = f"not {encoding} text: {error.reason} at byte {error.start}"
        raise Undecodable(message) from error
    if b"\0" in text:
        raise Undecodable(f"holds a NUL byte at byte {text.index(0)}")
    return SourceFile(path, text, encoding, bom, digest)


def _recode(raw: bytes, encoding: str) -> bytes:
    text = raw.decode(encoding)
    if text.encode(encoding) != raw:
        raise Undecodable(f"does not come back byte for byte from {encoding}")
    return text.encode("utf-8")


class Snapshot:
    """The files of one project at one moment; immutable, a later one shares the unchanged files."""

    def __init__(self, files: Mapping[str, SourceFile]) -> None:
        self._files = dict(files)

    def __getitem__(self, path: str) -> SourceFile:
        return self._files[path]

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def get(self, path: str) -> SourceFile | None:
        """Return the file at ``path``, or None."""
        return self._files.get(path)

    def replace(self, files: Mapping[str, SourceFile]) -> Snapshot:
        """Return a snapshot in which ``files`` stand in place of, or beside, these ones."""
        return Snapshot({**self._files, **files})
