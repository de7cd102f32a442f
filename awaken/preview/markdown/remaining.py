"""The remaining work, for reports that other people read: paths from the top of the repository."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from awaken.contract import Finding, Level, Place
from awaken.engine.report import FileChange, Report, RootReport
from awaken.preview.counts import findings_with_roots
from awaken.preview.diffs.hunks import Block, hunks
from awaken.preview.diffs.source_lines import Region, SourceLines
from awaken.preview.paths import patch_base
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked

SEVERITY = {
    Level.MANUAL: "warning",
    Level.UNSAFE: "warning",
    Level.SAFE: "note",
    Level.ADVICE: "note",
}
"""What needs a decision is a warning, and stands before what does not.

Nothing is an error but what awaken could not do: legacy code works, and the exit code of ``check``
is the gate.
"""


def base_of(report: Report, asked: Asked) -> Path:
    """Return the directory to which paths are relative: the top of the repository."""
    return patch_base((root.root for root in report.roots), asked.current)


def is_made(root: RootReport, finding: Finding) -> bool:
    """Whether the run rewrites (or, with ``apply``, rewrote) the site of ``finding``."""
    return finding.change in root.change_ids


def remaining(report: Report, command: str) -> Iterator[tuple[RootReport, Finding]]:
    """Yield what is there after ``command``: everything, or after ``apply`` what it left."""
    for root, finding in findings_with_roots(report):
        if command != "apply" or not is_made(root, finding):
            yield root, finding


def places_after(report: Report, command: str, base: Path) -> Places:
    """Return how places are shown: where ``apply`` wrote, as they are after that.

    In lines that it rewrote only the line is known, about: then the columns are 0.
    """
    return _AfterApply(report, base) if command == "apply" else Places(base)


class _AfterApply(Places):
    def __init__(self, report: Report, base: Path) -> None:
        super().__init__(base)
        self._written = {
            (root.root, file.path): file
            for root in report.roots
            for file in root.files
            if file.before is not None
        }
        self._blocks: dict[tuple[Path, str], list[Block]] = {}

    def location_of(self, root: RootReport, place: Place) -> tuple[str, Region]:
        path, region = super().location_of(root, place)
        key = root.root, place.path
        if key in self._written and region.line:
            if key not in self._blocks:
                self._blocks[key] = _changed_blocks(self._written[key])
            region = _moved_region(region, self._blocks[key])
        return path, region


def _changed_blocks(file: FileChange) -> list[Block]:
    assert file.before is not None  # noqa: S101  only such files are kept
    before, after = (SourceLines(text.text).whole for text in (file.before, file.after))
    return [block for hunk in hunks(before, after) for block in hunk if not block.equal]


def _moved_region(region: Region, blocks: list[Block]) -> Region:
    line, exact = _line_after(region.line, blocks)
    end_line, end_exact = _line_after(region.end_line, blocks)
    if exact and end_exact:
        return Region(line, region.column, end_line, region.end_column)
    return Region(line, 0, line, 0)


def _line_after(line: int, blocks: list[Block]) -> tuple[int, bool]:
    """Return the number that ``line`` has after the changes, and whether it is the same line."""
    index = bisect_right(blocks, line - 1, key=lambda block: block.start) - 1
    if index < 0:
        return line, True
    block = blocks[index]
    if line - 1 < block.stop:
        inside = min(line - 1 - block.start, max(block.new_stop - block.new_start - 1, 0))
        return block.new_start + inside + 1, False
    return line + block.new_stop - block.stop, True
