"""The new text of single places in a file, where it is separate from that of their neighbors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from awaken.engine.report import FileChange
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text
from awaken.preview.diffs.emphasis import emphasis
from awaken.preview.diffs.hunks import Block, hunks
from awaken.preview.diffs.source_lines import Region, SourceLines

_FURTHEST = 3
"""Lines beside a place that may belong to its rewrite; with more, others are mixed in. A choice: as
many as the context of a hunk."""


class Rewrite(Struct, frozen=True):
    """The lines ``old`` (indices from 0) became the lines ``new``."""

    old: range
    new: range


class Rewrites:
    """The new texts of the ``regions`` of one file, and its lines in the colors of ``page``."""

    def __init__(self, page: Page, change: FileChange, regions: Iterable[Region]) -> None:
        before = SourceLines(change.before.text if change.before else b"")
        after = SourceLines(change.after.text)
        self._before, self._after = before.lines, after.lines
        self._changes = [
            part
            for hunk in hunks(before.whole, after.whole, context=0)
            for block in hunk
            for part in self._parts(block)
        ]
        shown = [rewrite.new for region in regions if (rewrite := self.rewrite_of(region))]
        self._code = page.highlight(change.path, after.lines, shown)

    def rewrite_of(self, region: Region) -> Rewrite | None:
        """Return what became of the lines of ``region``; None where they are as they were.

        None as well where too much else changed with them.
        """
        first, last = region.line - 1, region.last_line
        if not any(part.start < last and part.stop > first for part in self._changes):
            return None
        # an insertion right before or after belongs to it
        own = [part for part in self._changes if part.start <= last and part.stop >= first]
        own = [part for part in own if part.start == part.stop or _meets(part, first, last)]
        start, stop = min(first, own[0].start), max(last, own[-1].stop)
        if first - start > _FURTHEST or stop - last > _FURTHEST:
            return None
        new_start = own[0].new_start - (own[0].start - start)
        return Rewrite(range(start, stop), range(new_start, own[-1].new_stop + stop - own[-1].stop))

    def text(self, rewrite: Rewrite) -> tuple[Text, ...]:
        """Return the new lines of ``rewrite``, with the changed words marked."""
        old = [self._before[index] for index in rewrite.old]
        words = emphasis(old, [self._after[index] for index in rewrite.new]).new
        return tuple(
            self._code.text(index, [(start, stop, "added.word") for start, stop in marked])
            for index, marked in zip(rewrite.new, words, strict=True)
        )

    def _parts(self, block: Block) -> Iterator[Block]:
        """Yield ``block`` in parts of lines that belong together."""
        old = self._before[block.start : block.stop]
        new = self._after[block.new_start : block.new_stop]
        starts = [(0, 0), *emphasis(old, new).pairs, (len(old), len(new))]
        begin = starts[0]
        for end in sorted(set(starts))[1:]:
            # A part must be code by itself: one that leaves a bracket open goes on in the next.
            if end == starts[-1] or _is_closed(new[begin[1] : end[1]]):
                yield Block(
                    equal=False,
                    start=block.start + begin[0],
                    stop=block.start + end[0],
                    new_start=block.new_start + begin[1],
                    new_stop=block.new_start + end[1],
                )
                begin = end


def _meets(part: Block, first: int, last: int) -> bool:
    return part.start < last and part.stop > first


def _is_closed(lines: Sequence[str]) -> bool:
    """Whether every bracket that ``lines`` open is closed in them, as far as a count can tell."""
    text = "".join(lines)
    return all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))
