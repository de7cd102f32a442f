"""A pytest plugin: writes how many statements each test sends and how many rows it fetches.

Runs inside the measured program's environment (`-p row_counts --row-counts FILE`), not in awaken's,
with SQLAlchemy 1.3, 1.4 and 2.x. Writes one JSON object: for each test a list of the two numbers,
its fixtures included, `""` for what runs outside of tests. Statements that define tables are left
out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine, result

try:
    from sqlalchemy.engine import cursor
except ImportError:  # SQLAlchemy 1.3
    FETCHERS = [
        one
        for one in vars(result).values()
        if isinstance(one, type) and "ResultProxy" in one.__name__
    ]
    NAMES = ("_fetchone_impl", "_fetchmany_impl", "_fetchall_impl")
else:
    STRATEGIES = ("", "BufferedRow", "FullyBuffered")
    FETCHERS = [
        vars(cursor)[f"{name}CursorFetchStrategy"]
        for name in STRATEGIES
        if f"{name}CursorFetchStrategy" in vars(cursor)
    ]
    NAMES = ("fetchone", "fetchmany", "fetchall")

DEFINING = ("CREATE", "DROP", "ALTER", "PRAGMA")


class Counter:
    """Counts under the test that is running."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._counts: dict[str, list[int]] = {}
        self._now = self._of("")

    def _of(self, test: str) -> list[int]:
        return self._counts.setdefault(test, [0, 0])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count under one test everything that it sends, its fixtures included."""
        self._now = self._of(item.nodeid)
        try:
            return (yield)
        finally:
            self._now = self._of("")

    def before_cursor_execute(
        self,
        _connection: object,
        _cursor: object,
        statement: str,
        _parameters: object,
        _context: object,
        _is_executemany: bool,
    ) -> None:
        """Count one statement; SQLAlchemy calls this."""
        if not statement.lstrip().upper().startswith(DEFINING):
            self._now[0] += 1

    def install(self) -> None:
        """Listen to every engine and every cursor."""
        event.listen(Engine, "before_cursor_execute", self.before_cursor_execute)
        for fetcher in FETCHERS:
            for name in NAMES:
                if name in vars(fetcher):
                    setattr(fetcher, name, self._counting(vars(fetcher)[name], name))

    def _counting(self, fetch: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(*arguments: Any, **keywords: Any) -> Any:
            rows = fetch(*arguments, **keywords)
            self._now[1] += (rows is not None) if "fetchone" in name else len(rows)
            return rows

        return counted

    def write(self) -> None:
        """Write the counts."""
        self._output.write_text(json.dumps(self._counts), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file to write to."""
    parser.addoption("--row-counts", type=Path, required=True, metavar="FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Count from before the program is imported until the tests are over."""
    counter = Counter(config.getoption("--row-counts").absolute())
    config.pluginmanager.register(counter)
    counter.install()
    config.add_cleanup(counter.write)
