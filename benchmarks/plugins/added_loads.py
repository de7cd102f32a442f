"""A pytest plugin: writes which loader options a test makes, and whether it reads what they load.

Runs inside the measured program's environment (`-p added_loads --added-loads FILE`), not in
awaken's, with SQLAlchemy 1.4 and 2.x. Writes a JSON object: for each option its place in the
program, what it loads, in how many tests it was made, and in how many of them the relationship was
read of an object later on, by the program or by the test. `loading_needed.py` reads it.

The place is where the call of `selectinload` or its like ends, for that is the same in every
version of Python that tells it (3.11 and later).
"""

from __future__ import annotations

# ruff: noqa: SLF001 - SQLAlchemy has no event for what is recorded here
import json
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
import sqlalchemy.orm
from sqlalchemy.orm import attributes, strategy_options

LOADERS = ("selectinload", "joinedload", "subqueryload", "immediateload")
CHAINED = (strategy_options.Load, getattr(strategy_options, "_AbstractLoad", None))


class Option(NamedTuple):
    """One call that makes a loader option: where it ends, and what it loads."""

    file: str
    line: int
    column: int
    owner: str
    attribute: str


class Recorder:
    """Notes under the test that is running what is to be loaded, and what is read."""

    def __init__(self, output: Path, root: Path) -> None:
        self._output = output
        self._root = f"{root}/"
        self._pending: dict[str, set[Option]] = {}
        self._now: dict[Option, bool] = {}
        self._made: dict[Option, int] = {}
        self._read: dict[Option, int] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Count what one test made and read, its fixtures included."""
        self._end()
        try:
            return (yield)
        finally:
            self._end()

    def _end(self) -> None:
        for option, is_read in self._now.items():
            self._made[option] = self._made.get(option, 0) + 1
            self._read[option] = self._read.get(option, 0) + is_read
        self._now.clear()
        self._pending.clear()

    def made(self, frame: FrameType, attribute: Any) -> None:
        """Note that an option is made for an attribute."""
        place = self._place(frame)
        key, owner = getattr(attribute, "key", ""), getattr(attribute, "class_", None)
        if place is None or owner is None:
            return
        option = Option(*place, f"{owner.__module__}.{owner.__qualname__}", key)
        if not self._now.get(option):
            self._now[option] = False
            self._pending.setdefault(key, set()).add(option)

    def read(self, instance: object, key: str) -> None:
        """Note that an attribute of an object is read."""
        found = self._pending.get(key)
        if not found:
            return
        kinds = {f"{one.__module__}.{one.__qualname__}" for one in type(instance).__mro__}
        for option in [one for one in found if one.owner in kinds]:
            self._now[option] = True
            found.discard(option)

    def _place(self, frame: FrameType) -> tuple[str, int, int] | None:
        file = frame.f_code.co_filename
        if not file.startswith(self._root) or "site-packages" in file:
            return None
        positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
        return file[len(self._root) :], positions[1] or frame.f_lineno, positions[3] or 0

    def install(self) -> None:
        """Put a recorder around everything that makes an option, and around reads."""
        for name in LOADERS:
            function = getattr(sqlalchemy.orm, name)
            watched = self._watched(function, 0)
            for module in (sqlalchemy.orm, strategy_options):
                setattr(module, name, watched)
            for kind in CHAINED:
                if kind is not None and name in vars(kind):
                    setattr(kind, name, self._watched(vars(kind)[name], 1))
        get: Callable[..., Any] = attributes.InstrumentedAttribute.__get__
        recorder = self

        def read_and_get(self: Any, instance: Any, owner: Any) -> Any:
            if instance is not None and self.key in recorder._pending:
                recorder.read(instance, self.key)
            return get(self, instance, owner)

        attributes.InstrumentedAttribute.__get__ = read_and_get  # type: ignore[method-assign]

    def _watched(self, function: Callable[..., Any], first: int) -> Callable[..., Any]:
        def watched(*arguments: Any, **keywords: Any) -> Any:
            for one in arguments[first:]:
                self.made(sys._getframe(1), one)
            return function(*arguments, **keywords)

        return watched

    def write(self) -> None:
        """Write what was made, by place."""
        self._end()
        rows = [
            {**option._asdict(), "made": made, "read": self._read[option]}
            for option, made in sorted(self._made.items())
        ]
        self._output.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file to write to."""
    parser.addoption("--added-loads", type=Path, metavar="FILE")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Listen until the tests are over, from before the program is imported."""
    output = early_config.known_args_namespace.added_loads
    if output:
        recorder = Recorder(output.absolute(), Path.cwd())
        early_config.pluginmanager.register(recorder)
        recorder.install()
        early_config.add_cleanup(recorder.write)
