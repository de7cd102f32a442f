"""The progress of a run, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``: the stage in words, how many of its items are done, of how
many. Stages may come again. It is called often, so it must be fast."""

READING = "Reading files"
PLANNING = "Looking for sites"
REWRITING = "Rewriting files"

Item = TypeVar("Item")


def silent(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


def report_progress(items: Collection[Item], stage: str, progress: Progress) -> Iterator[Item]:
    """Yield ``items``, and tell ``progress`` when the one before is done."""
    total = len(items)
    # Told before each item, so that the first picture is there before the first item is done.
    for done, item in enumerate(items):
        progress(stage, done, total)
        yield item
    progress(stage, total, total)
