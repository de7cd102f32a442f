"""A pytest plugin: records where in the program the tests make a legacy `Query`.

Runs inside the measured program's environment (`-p query_starts --query-starts FILE`), not in
awaken's. A place is the file, line and column where the expression ends that made the `Query`:
the end of `session.query(...)` or of `Model.query`. Where a library makes it, as for
`Model.query`, the place is the expression of the program that entered the library. Writes one
JSON list of `[file, line, column]`, the file relative to where pytest was started, the line from
1, the column in bytes from 0, as `ast` counts them.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from sqlalchemy.orm import Query

Place = tuple[str, int, int]


class Recorder:
    """Notes the place of every `Query` that is made from now on."""

    def __init__(self, root: Path) -> None:
        self.root = f"{root}/"
        self.places: set[Place] = set()
        self._seen: dict[tuple[object, int], Place] = {}

    def note(self, frame: FrameType | None) -> None:
        """Note the innermost expression of the program that is being evaluated."""
        while frame is not None and not frame.f_code.co_filename.startswith(self.root):
            frame = frame.f_back
        if frame is not None:
            key = frame.f_code, frame.f_lasti
            if key not in self._seen:
                self._seen[key] = self._place(frame)
            self.places.add(self._seen[key])

    def _place(self, frame: FrameType) -> Place:
        positions = frame.f_code.co_positions()
        _, line, _, column = next(itertools.islice(positions, frame.f_lasti // 2, None))
        return frame.f_code.co_filename.removeprefix(self.root), line or 0, column or 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file to write to."""
    parser.addoption("--query-starts", type=Path, required=True, metavar="FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Record from before the program is imported until the tests are over."""
    recorder = Recorder(Path.cwd())
    make: Callable[..., None] = Query.__init__

    def recorded(query: Query[object], *arguments: object, **named: object) -> None:
        recorder.note(sys._getframe(1))  # noqa: SLF001 - the only way to a caller's position
        make(query, *arguments, **named)

    Query.__init__ = recorded  # type: ignore[method-assign, assignment]
    output: Path = config.getoption("--query-starts").absolute()
    config.add_cleanup(lambda: write(output, recorder.places))


def write(output: Path, places: set[Place]) -> None:
    """Write the places, sorted."""
    output.write_text(json.dumps(sorted(places)), encoding="utf-8")
