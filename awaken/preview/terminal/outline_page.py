"""Changes of a whole program on a console: a few lines, however large the change is.

A part shows its largest rows; files are joined to folders until they are few. Programs find all of
them in the form ``json``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from awaken.contract import Outline, OutlinePart, OutlineRow, Place
from awaken.engine.report import Report, RootReport
from awaken.preview.console.page import Page, joined_text
from awaken.preview.counts import grouped_rows, plural, todo
from awaken.preview.paths import relative
from awaken.preview.report_places import NOWHERE, Places
from awaken.preview.sections import waits_to_be_allowed

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole

_ROWS = 12
"""Rows of one part; a choice: six parts of them fit on two screens."""


def print_outlines(report: Report, console: AnyConsole, current: Path) -> None:
    """Print what changes of whole programs come to, or what stops them; nothing if there are none.

    Paths are relative to ``current``.
    """
    page = Page(console)
    for root in report.roots:
        for outline in root.outlines:
            OutlinePage(page, root, current).print(outline)
            page.row()


class OutlinePage:
    """Prints outlines of one root."""

    def __init__(self, page: Page, root: RootReport, current: Path) -> None:
        self._page = page
        self._root = root
        self._current = current
        self._places = Places(current)

    def print(self, outline: Outline, *, is_asked: bool = False) -> None:
        """Print one outline, with what is left to do for its change.

        Of one that ``is_asked`` about nothing says that it waits.
        """
        is_waiting = not is_asked and waits_to_be_allowed(self._root, outline)
        waits = " with --unsafe-fixes" if is_waiting else ""
        self._page.sentence((outline.rule, "code.name"), ": ", (f"{outline.title}{waits}", "path"))
        parts = [(part.heading, self._rows(part)) for part in outline.parts]
        parts.append(("Left to do", self._left_to_do(outline)))
        shown = [(heading, rows) for heading, rows in parts if rows]
        width = max((len(heading) for heading, _ in shown), default=0)
        digits = max((len(count) for _, rows in shown for count, _, _ in rows), default=0)
        for heading, rows in shown:
            label = heading.ljust(width)
            for count, text, where in rows:
                head = joined_text(["  ", (label, "faint"), "  ", count.rjust(digits), "  "])
                self._page.hanging(head, f"{text}{'  ' if text and where else ''}{where}")
                label = " " * width

    def rows(self, part: OutlinePart) -> list[str]:
        """Return the rows of one part, each as a line by itself."""
        return [
            f"{text}{f' ({where})' if where else ''}{_waiting(count)}"
            for count, text, where in self._rows(part)
        ]

    # --------------------------------------------------------------------------------------- rows
    def _rows(self, part: OutlinePart) -> list[tuple[str, str, str]]:
        """Return the rows of a part: a number, what it counts, and where that is."""
        files = [row for row in part.rows if not row.text and row.place is not None]
        if files and len(files) == len(part.rows):
            total = f"in {plural(len(files), 'file')}"
            folders = _folders((relative(*self._items_at(file)), file.count) for file in files)
            return [
                (f"{part.total:,}", total, ""),
                *((f"{count:,}", "", path) for path, count in folders),
            ]
        if part.key == "caveats":  # all of them: they are what a user decides by
            places = {row.text: row.place for row in part.rows}
            alike = grouped_rows((row.text, row.count) for row in part.rows)
            return [(f"{one.count:,}", one.text, self._where(places[one.first])) for one in alike]
        rows = [(f"{row.count:,}", row.text, self._where(row.place)) for row in part.rows[:_ROWS]]
        if len(part.rows) > _ROWS:
            rows.append(("", f"and {plural(len(part.rows) - _ROWS, 'other')}", ""))
        return rows

    def _left_to_do(self, outline: Outline) -> list[tuple[str, str, str]]:
        mine = [item for item in self._root.left_to_do if outline.change in item.changes]
        paths = [relative(self._root.root, item.path, self._current) for item in mine]
        lines = [f":{item.line}" if item.line else "" for item in mine]
        return [
            ("", f"{path}{line}: {todo(item)}", "")
            for path, line, item in zip(paths, lines, mine, strict=True)
        ]

    def _items_at(self, row: OutlineRow) -> tuple[Path, str, Path]:
        return self._root.root, "" if row.place is None else row.place.path, self._current

    def _where(self, place: Place | None) -> str:
        if place is None:
            return ""
        path, region = self._places.location_of(self._root, place)
        return path if region is NOWHERE else f"{path}:{region.line}"


def _waiting(count: str) -> str:
    if not count:
        return ""
    return " [1 function waits for it]" if count == "1" else f" [{count} functions wait for it]"


def _folders(files: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return folders and files with their numbers: the largest folders are split first."""
    counted = dict(files)
    shown, whole = {"": sum(counted.values())}, set[str]()
    while open_ones := [name for name in shown if name not in counted and name not in whole]:
        folder = max(open_ones, key=lambda name: (shown[name], name))
        inside = _files_inside(counted, folder)
        if len(shown) - 1 + len(inside) <= _ROWS:
            del shown[folder]
            shown |= inside
        else:
            whole.add(folder)
    return sorted(shown.items())


def _files_inside(files: Mapping[str, int], folder: str) -> Counter[str]:
    """Return the files and folders directly in a folder, with their numbers."""
    counts: Counter[str] = Counter()
    for path, number in files.items():
        if path.startswith(folder):
            name, slash, _ = path.removeprefix(folder).partition("/")
            counts[f"{folder}{name}{slash}"] += number
    return counts
