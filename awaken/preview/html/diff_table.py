"""The changes of a file as rows of tables: before on the left, after on the right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest

from markupsafe import Markup

from awaken.engine.report import FileChange
from awaken.preview.diffs.emphasis import Emphasis, emphasis
from awaken.preview.diffs.hunks import Block, Hunk, hunks
from awaken.preview.diffs.source_lines import SourceLines
from awaken.preview.html.markup import Code

_GAP = "<tr class=gap><td colspan=4>⋯"
_NOTHING = "<td><td class=none>"
_ROWS = 200
"""Rows of a table: the browser lays out a table as a whole, so long diffs are several.

The height of a block in ``report.css`` is that of so many rows.
"""


class FileTable:
    """The diff of one file, worked out once: how many lines it shows, and its blocks of rows."""

    def __init__(self, change: FileChange, context: int) -> None:
        self._path = change.path
        self._old = SourceLines(change.before.text if change.before else b"")
        self._new = SourceLines(change.after.text)
        self._hunks = hunks(self._old.whole, self._new.whole, context)

    @property
    def size(self) -> int:
        """The number of lines that the table shows."""
        return sum(
            max(block.stop - block.start, block.new_stop - block.new_start)
            for hunk in self._hunks
            for block in hunk
        )

    def blocks(self, *, coloured: bool) -> Iterator[Markup]:
        """Yield the rows of each table as HTML; only coloured ones mark the words that changed."""
        rows = self._rows(coloured=coloured)
        while block := "".join(islice(rows, _ROWS)):
            yield Markup(block)  # noqa: S704  rows of escaped code

    def _rows(self, *, coloured: bool) -> Iterator[str]:
        olds = [range(hunk[0].start, hunk[-1].stop) for hunk in self._hunks]
        news = [range(hunk[0].new_start, hunk[-1].new_stop) for hunk in self._hunks]
        old = Code(self._path, self._old.lines, olds, coloured=coloured)
        new = Code(self._path, self._new.lines, news, coloured=coloured)
        for number, hunk in enumerate(self._hunks):
            if number:
                yield _GAP
            yield from _hunk(hunk, old, new, coloured=coloured)


def _hunk(hunk: Hunk, old: Code, new: Code, *, coloured: bool) -> Iterator[str]:
    for block in hunk:
        if block.equal:
            for index in range(block.start, block.stop):
                yield f"<tr><td>{index + 1}<td colspan=3>{old.markup(index)}"
        else:
            yield from _changed_names(block, old, new, coloured=coloured)


def _changed_names(block: Block, old: Code, new: Code, *, coloured: bool) -> Iterator[str]:
    olds, news = range(block.start, block.stop), range(block.new_start, block.new_stop)
    words = (
        emphasis([old.lines[index] for index in olds], [new.lines[index] for index in news])
        if coloured
        else Emphasis([[] for _ in olds], [[] for _ in news], [])
    )
    for left, right in zip_longest(olds, news):
        before = after = _NOTHING
        if left is not None:
            code = old.markup(left, words.old[left - olds.start])
            before = f"<td>{left + 1}<td class=old><del>{code}</del>"
        if right is not None:
            code = new.markup(right, words.new[right - news.start])
            after = f"<td>{right + 1}<td class=new><ins>{code}</ins>"
        yield f"<tr>{before}{after}"
