"""Phrases about repositories."""

from __future__ import annotations

from collections.abc import Sequence


def repositories(number: int) -> str:
    """Return ``1 repository`` or ``2 repositories``."""
    return f"{number:,} repositor{'y' if number == 1 else 'ies'}"


def columns(rows: Sequence[Sequence[str]], widest: int = 60) -> list[str]:
    """Return rows of cells as lines, each column as wide as its widest cell."""
    if not rows:
        return []
    widths = [min(widest, max(len(row[at]) for row in rows)) for at in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
