"""Places of a report as paths, lines and columns, for a whole run."""

from __future__ import annotations

from pathlib import Path

from awaken.contract import Place
from awaken.engine.report import RootReport
from awaken.preview.diffs.source_lines import Region, SourceLines
from awaken.preview.paths import relative

NOWHERE = Region(0, 0, 0, 0)
"""Where a file's text is not in the report."""


class Places:
    """Tells places with paths relative to ``base``; splits each file into lines only once."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._lines: dict[tuple[Path, str], SourceLines] = {}

    def path(self, root: RootReport, path: str) -> str:
        """Return ``path``, which is relative to its root, relative to the base."""
        return relative(root.root, path, self.base)

    def location_of(self, root: RootReport, place: Place) -> tuple[str, Region]:
        """Return the path of ``place`` and the lines and columns that it covers."""
        path = self.path(root, place.path)
        if place.path not in root.sources:
            return path, NOWHERE
        return path, self.lines(root, place.path).region(place.span)

    def lines(self, root: RootReport, path: str) -> SourceLines:
        """Return the lines of a file whose text is in the report."""
        key = root.root, path
        if key not in self._lines:
            self._lines[key] = SourceLines(root.sources[path].text)
        return self._lines[key]
