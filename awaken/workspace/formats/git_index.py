"""The paths in an index of git, of each version and both hashes; git is not started for them."""

from __future__ import annotations

from collections.abc import Iterator

LARGEST = 50_000_000
"""Bytes of an index, and of the paths in it; that of Linux, of 90,000 files, has 9 MB."""

_HASH_SIZES = (20, 32)
"""Bytes of a SHA-1 and of a SHA-256: an index does not say which of them it has."""

_EXTENDED = 0x4000
_LENGTH = 0xFFF
_WITH_PREFIXES = 4
"""The version in which a path leaves out what it shares with the path before."""


def paths_of_index(raw: bytes) -> tuple[bytes, ...]:
    """Return the paths in an index, sorted; none of one that is torn, or in an unknown format."""
    for hash_size in _HASH_SIZES:
        try:
            return tuple(sorted(_paths(raw, hash_size)))
        except (IndexError, ValueError):
            continue
    return ()


def _paths(raw: bytes, hash_size: int) -> Iterator[bytes]:
    """Yield the path of each entry. Raises ValueError or IndexError if ``raw`` is no index."""
    version, count = (int.from_bytes(raw[at : at + 4]) for at in (4, 8))
    if raw[:4] != b"DIRC" or version not in {2, 3, _WITH_PREFIXES}:
        raise ValueError
    at, path, room = 12, b"", LARGEST
    for _ in range(count):
        flags_at = at + 40 + hash_size
        flags = raw[flags_at] << 8 | raw[flags_at + 1]
        begin = flags_at + (4 if flags & _EXTENDED else 2)
        shared = b""
        if version == _WITH_PREFIXES:
            dropped, begin = _number(raw, begin)
            if dropped > len(path):
                raise ValueError
            shared = path[: len(path) - dropped]
        end = raw.index(0, begin)
        path = shared + raw[begin:end]
        # Entries of the older versions take a multiple of eight bytes.
        at = end + 1 if version == _WITH_PREFIXES else at + (end - at + 8) // 8 * 8
        # A small file can share so much that its paths fill the memory.
        room -= len(path)
        if min(len(path), _LENGTH) != flags & _LENGTH or room < 0:
            raise ValueError
        yield path
    while at < len(raw) - hash_size:
        # This extension names a file that has the other paths.
        if raw[at : at + 4] == b"link":
            raise ValueError
        at += 8 + int.from_bytes(raw[at + 4 : at + 8])
    if at != len(raw) - hash_size:
        raise ValueError


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """Return a number of several bytes, as git writes them, and where it ends."""
    value = raw[at] & 0x7F
    while raw[at] & 0x80 and value <= LARGEST:
        at += 1
        value = (value + 1 << 7) | (raw[at] & 0x7F)
    return value, at + 1
