"""Markdown tables: the same text is read in the terminal and pasted into a note."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, words: int = 1) -> str:
    """Return a table; the first `words` columns are text, the others numbers, set to the right."""
    marks = ["---"] * words + ["---:"] * (len(columns) - words)
    lines = [columns, marks, *rows]
    return "\n".join(map(row, lines))


def row(cells: Sequence[object]) -> str:
    """Return one row, for a table that is printed while it is measured."""
    return "| " + " | ".join(map(cell, cells)) + " |"


def cell(value: object) -> str:
    """Return what stands in one cell: one line, without a bar that would end the cell."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def percent(part: int, whole: int) -> str:
    """Return `93.1 %`, or `none` where there is nothing to divide by."""
    return f"{100 * part / whole:.1f} %" if whole else "none"
