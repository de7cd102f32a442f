r"""The patch: what ``git apply`` takes, byte for byte.

git ends a line at ``\n`` only, so a carriage return is part of its line here. Names are quoted
as git does (``core.quotePath``); paths are relative to what ``paths.patch_base`` says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from awaken.engine.report import Report
from awaken.preview.diffs.hunks import CONTEXT, Hunk, hunks
from awaken.preview.paths import patch_base, relative
from awaken.preview.streams.output import Asked

_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_PLAIN = frozenset(range(0x20, 0x7F)) - _ESCAPES.keys()
_HASH = ord("#")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form."""
    yield patch(report, asked.current, asked.context)


def patch(report: Report, current: Path, context: int = CONTEXT) -> bytes:
    """Return every change of ``report`` as one patch, for a user in the directory ``current``.

    ``context`` is the number of unchanged lines around each; git takes a patch without any with
    ``git apply --unidiff-zero``.
    """
    base = patch_base((root.root for root in report.roots), current)
    return b"".join(
        file_patch(
            relative(root.root, file.path, base),
            # The bytes as they are on disk: git compares the BOM and line ends too.
            None if file.before is None else file.before.raw(),
            file.after.raw(),
            context,
        )
        for root in report.roots
        for file in root.files
    )


def file_patch(path: str, before: bytes | None, after: bytes, context: int = CONTEXT) -> bytes:
    """Return the patch of one file; ``before`` is None for a new one. Nothing if it is the same."""
    if before == after:  # a header alone is no patch
        return b""
    header = b"diff --git %s %s\n" % (quoted_path("a/" + path), quoted_path("b/" + path))
    if before is None:
        header += b"new file mode 100644\n"
    old, new = _LINE.findall(before or b""), _LINE.findall(after)
    body = b"".join(piece for hunk in hunks(old, new, context) for piece in _hunk(hunk, old, new))
    if not body:
        return header
    return (
        header
        + _name("---", "a/" + path, exists=before is not None)
        + (_name("+++", "b/" + path, exists=True) + body)
    )


def quoted_path(path: str) -> bytes:
    """Return ``path`` as git writes it: in C quotes if it holds more than plain characters.

    ``##``, which may begin a command to a CI system, is no plain one here.
    """
    raw = os.fsencode(path)
    plain = _PLAIN - {_HASH} if b"##" in raw else _PLAIN
    if plain.issuperset(raw):
        return raw
    return b'"' + b"".join(_quoted_byte(byte, plain) for byte in raw) + b'"'


def _quoted_byte(byte: int, plain: frozenset[int]) -> bytes:
    if byte in _ESCAPES:
        return b"\\" + _ESCAPES[byte].encode()
    return bytes([byte]) if byte in plain else b"\\%03o" % byte


def _name(mark: str, path: str, *, exists: bool) -> bytes:
    name = quoted_path(path) if exists else b"/dev/null"
    # The tab tells GNU patch where a name with blanks ends; git writes it too.
    return mark.encode() + b" " + name + (b"\t\n" if b" " in name else b"\n")


def _hunk(hunk: Hunk, old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    first, last = hunk[0], hunk[-1]
    yield b"@@ -%s +%s @@\n" % (
        _range(first.start, last.stop),
        _range(first.new_start, last.new_stop),
    )
    for block in hunk:
        if block.equal:
            yield from _marked_items(b" ", old[block.start : block.stop])
        else:
            yield from _marked_items(b"-", old[block.start : block.stop])
            yield from _marked_items(b"+", new[block.new_start : block.new_stop])


def _marked_items(mark: bytes, lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line + (b"" if line.endswith(b"\n") else _NO_NEWLINE)


def _range(start: int, stop: int) -> bytes:
    # An empty range names the line before it; a single line needs no count.
    length = stop - start
    if length == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if length else start, length)
