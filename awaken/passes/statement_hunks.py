"""Differences between two texts of a file, as lines of whole statements."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from awaken.contract import Span
from awaken.project.source.lines.statement_lines import Lines, StatementLines, differing_lines
from awaken.workspace.parsing import parse_text
from awaken.workspace.sources import LINE_END_BYTES


class Hunk(NamedTuple):
    """The bytes of some lines, and the text in their place; ``changed`` are those that differ."""

    span: Span
    text: str
    changed: tuple[Lines, ...] = ()


class _Change(NamedTuple):
    """Lines of the old text, and those of the new one in their place."""

    old: Lines
    new: Lines


def hunks(before: bytes, after: bytes) -> list[Hunk]:
    """Return what turns ``before`` into ``after``, in order, each grown to whole statements.

    Lines outside of the hunks are the same on both sides, and in the same blocks. Raises Unparsable
    where one of the texts does not parse.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    given = [_Change(*differing_line) for differing_line in differing_lines(old, new)]
    growing = _Growing(given, before, after)
    starts = list(accumulate(map(len, old), initial=0))
    return [
        Hunk(
            Span(starts[change.old.start], starts[change.old.end]),
            b"".join(new[change.new.start : change.new.end]).decode(),
            tuple(growing.given_in(change.old)),
        )
        for change in growing.changes()
    ]


def ended_as(before: bytes, after: bytes) -> bytes:
    """Return ``after`` with an end of its last line if ``before`` has one, else without."""
    (end,) = LINE_END_BYTES.findall(before)[-1:] or (b"\n",)
    if not before or not after or _is_ended(before) == _is_ended(after):
        return after
    return (
        after + end if _is_ended(before) else after.removesuffix(LINE_END_BYTES.findall(after)[-1])
    )


def _is_ended(text: bytes) -> bool:
    return text.endswith((b"\n", b"\r"))


class _Growing:
    """Grows changes until each holds whole statements, of the same block on both sides."""

    def __init__(self, changes: Sequence[_Change], before: bytes, after: bytes) -> None:
        self._given = changes
        self._old = _Edges([change.old for change in changes])
        self._new = _Edges([change.new for change in changes])
        self._before = StatementLines(parse_text(before))
        self._after = StatementLines(parse_text(after))

    def changes(self) -> Iterator[_Change]:
        """Yield the changes, in the order of their lines; none touches another."""
        grown, result = None, self._joined_lines(argument.old for argument in self._given)
        while result != grown:
            grown, result = result, self._joined_lines(map(self._wider, result))
        for lines in result:
            yield _Change(lines, self._in_new(lines))

    def given_in(self, lines: Lines) -> Iterator[Lines]:
        """Yield those lines that differ among all that were grown to some old lines."""
        first = bisect_left(self._old.starts, lines.start)
        yield from (one.old for one in self._given[first : bisect_right(self._old.ends, lines.end)])

    def _joined_lines(self, found: Iterable[Lines]) -> list[Lines]:
        """Return the lines without overlaps, each with all of the changes that it touches."""
        joined: list[Lines] = []
        for lines in sorted([*found, *(argument.old for argument in self._given)]):
            if joined and lines.start <= joined[-1].end:
                last = joined.pop()
                joined.append(Lines(last.start, max(last.end, lines.end)))
            else:
                joined.append(lines)
        return joined

    def _wider(self, lines: Lines) -> Lines:
        """Return old lines with those that they lack on either side."""
        new = self._in_new(lines)
        wanted = [lines, self._before.cut_by(lines)]
        wanted_new = [self._after.cut_by(new)]
        block, new_block = self._before.enclosing_lines(lines), self._after.enclosing_lines(new)
        if self._first_in_new(block) != (None if new_block is None else new_block.start):
            wanted.append(block)
            wanted_new.append(new_block)
        wanted += [self._in_old(candidate) for candidate in wanted_new if candidate is not None]
        result = [candidate for candidate in wanted if candidate is not None]
        return Lines(min(item.start for item in result), max(item.end for item in result))

    def _in_new(self, lines: Lines) -> Lines:
        """Return the new lines in the place of old ones, whose edges lie in no change."""
        return Lines(
            lines.start + self._more(bisect_left(self._old.starts, lines.start)),
            lines.end + self._more(bisect_right(self._old.starts, lines.end)),
        )

    def _more(self, number: int) -> int:
        """Return by how many lines the first changes make the text longer."""
        return self._new.sizes[number] - self._old.sizes[number]

    def _first_in_new(self, block: Lines | None) -> int | None:
        """Return where the first line of an old statement is among the new ones."""
        if block is None:
            return None
        return block.start + self._more(bisect_right(self._old.ends, block.start))

    def _in_old(self, lines: Lines) -> Lines:
        """Return the old lines in the place of new ones, with all of the changes they touch."""
        return Lines(
            self._edge_in_old(lines.start, self._old.starts),
            self._edge_in_old(lines.end, self._old.ends),
        )

    def _edge_in_old(self, at: int, edges: Sequence[int]) -> int:
        before = bisect_left(self._new.ends, at)
        is_touched = before < len(edges) and self._new.starts[before] <= at
        return edges[before] if is_touched else at - self._more(before)


class _Edges:
    """Where several lines begin and end, in order, and how many the first of them are."""

    def __init__(self, several: Sequence[Lines]) -> None:
        self.starts = [item.start for item in several]
        self.ends = [item.end for item in several]
        self.sizes = list(accumulate((item.end - item.start for item in several), initial=0))
