"""The checks of every changed file once all edits are made: it must still be a valid file.

Comments, names and untouched code are checked while a file is rewritten; this module checks the
finished text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.contract import Change, ChangeId, Place, Problem, Span
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.engine.rewriting.compiling import why_no_program
from awaken.workspace.sources import (
    LINE_END_BYTES,
    Snapshot,
    SourceFile,
    Undecodable,
    decode,
    is_python,
)


def check(
    before: Snapshot,
    edited: EditedSnapshot,
    changes: Sequence[Change],
    lowest_python: tuple[int, int],
) -> Iterator[Problem]:
    """Yield what ``changes`` broke in the files of ``edited``.

    A problem names the changes that edit the broken statement; none if unknown. A file that was
    broken the same way before gives no problem.
    """
    for path in sorted({*edited.maps, *edited.created}):
        after = edited.snapshot[path]
        complaint = _unwritable(after)
        if complaint is None and path in edited.maps:
            complaint = _foreign_newline(before[path], after)
        if complaint is not None:
            yield Problem(Place(path, Span(0, 0)), complaint, _editing(changes, path))
        elif is_python(path):
            yield from _broken_code(before, edited, changes, path, lowest_python)


def _unwritable(after: SourceFile) -> str | None:
    try:
        raw = after.raw()
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        return f"the file's encoding {after.encoding} cannot hold {bad!r}"
    if is_python(after.path) and not _reads_the_same(after, raw):
        return f"the file would no longer be read as {after.encoding}"
    return None


def _reads_the_same(after: SourceFile, raw: bytes) -> bool:
    """Whether Python finds the same text: an edit above an encoding cookie disables it."""
    try:
        again = decode(after.path, raw)
    except Undecodable:
        return False
    return (again.text, again.encoding) == (after.text, after.encoding)


def _foreign_newline(before: SourceFile, after: SourceFile) -> str | None:
    old, new = set(LINE_END_BYTES.findall(before.text)), set(LINE_END_BYTES.findall(after.text))
    return "the new code has line ends of another kind than the file" if old and new - old else None


def _editing(changes: Sequence[Change], path: str) -> tuple[ChangeId, ...]:
    return tuple(
        change.id
        for change in changes
        if any(getattr(edit, "path", None) == path for edit in change.edits)
    )


def _broken_code(
    before: Snapshot,
    edited: EditedSnapshot,
    changes: Sequence[Change],
    path: str,
    lowest_python: tuple[int, int],
) -> Iterator[Problem]:
    after = edited.snapshot[path]
    error = why_no_program(after, lowest_python)
    if error is None:
        return
    # A file that did not compile before is no worse now: it may be for another Python.
    source = before.get(path)
    if source is not None and why_no_program(source, lowest_python) is not None:
        return
    line = error.lineno or 1
    message = f"the new code does not compile: {error.msg}"
    if source is None:
        yield Problem(Place(path, Span(0, 0)), message, _editing(changes, path))
        return
    span = edited.maps[path].to_before(_span_of_line(after.text, line))
    yield Problem(Place(path, span), message, _guilty(source, changes, path, span))


def _span_of_line(text: bytes, line: int) -> Span:
    ends = [0, *(match.end() for match in LINE_END_BYTES.finditer(text)), len(text)]
    line = min(line, len(ends) - 1)
    start = ends[line - 1]
    # Without its end, at which an edit of the next line may begin.
    return Span(start, start + len(text[start : ends[line]].rstrip(b"\r\n")))


def _guilty(
    source: SourceFile, changes: Sequence[Change], path: str, span: Span
) -> tuple[ChangeId, ...]:
    """Return the changes that edit the line, else those that edit its top-level statement."""
    change_ids = _touching(changes, path, span)
    if change_ids:
        return change_ids
    statements = _top_level(source)
    around = [statement for statement in statements if statement.overlaps(span)]
    return tuple(dict.fromkeys(item for held in around for item in _touching(changes, path, held)))


def _touching(changes: Sequence[Change], path: str, span: Span) -> tuple[ChangeId, ...]:
    return tuple(
        change.id
        for change in changes
        if any(
            getattr(edit, "path", None) == path
            and (anchor := getattr(edit, "anchor", getattr(edit, "at", None))) is not None
            and anchor.start <= span.end
            and span.start <= anchor.end
            for edit in change.edits
        )
    )


def _top_level(source: SourceFile) -> list[Span]:
    ends = [0, *(match.end() for match in LINE_END_BYTES.finditer(source.text)), len(source.text)]
    tree = ast.parse(source.text.decode(), filename="")
    return [Span(ends[node.lineno - 1], ends[node.end_lineno or 0]) for node in tree.body]
