"""The course of a run, for the page that shows it: its steps, its tests, and what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.contract import ChangeId


class StepRow(Struct, frozen=True):
    """A step of a recipe: its number, how far it is, and what it does."""

    number: int
    state: str
    name: str


class Course(Struct, frozen=True, kw_only=True):
    """Facts about a run that are not in its report.

    ``verdict`` takes the place of the summary where it is not empty, and ``sentences`` follow it.
    ``tests`` are rows on what the tests say, and ``reaches`` what they do at each change (a
    ``Reach``): by step (0 for a run without a recipe), root and change.
    """

    verdict: str = ""
    sentences: tuple[str, ...] = ()
    steps: tuple[StepRow, ...] = ()
    tests: tuple[str, ...] = ()
    reaches: Mapping[tuple[int, Path, ChangeId], Any] = {}
