"""Restores text that LibCST loses between reading and writing a file."""

from __future__ import annotations

from difflib import SequenceMatcher


def with_lost_bytes(before: bytes, read: bytes, after: bytes) -> bytes:
    """Return ``after`` with what ``before`` has and ``read``, the same tree written out, has not.

    LibCST drops a form feed before a statement, and the end of the last line where lines end in
    carriage returns. The author of the codemod never asked for that.
    """
    if after == read:
        return before
    old, plain, new = (one.splitlines(keepends=True) for one in (before, read, after))
    if before == read or len(old) != len(plain):
        return after
    found: list[bytes] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, plain, new).get_opcodes():
        if tag == "equal":
            found += old[start:end]
        elif end - start == new_end - new_start:
            found += map(_restore_edge, old[start:end], plain[start:end], new[new_start:new_end])
        else:
            found += new[new_start:new_end]
    return b"".join(found)


def _restore_edge(old: bytes, read: bytes, new: bytes) -> bytes:
    """Return a new line with what was lost at one of the edges of the old one."""
    if old.endswith(read):
        return old.removesuffix(read) + new
    return new + old.removeprefix(read) if old.startswith(read) else new
