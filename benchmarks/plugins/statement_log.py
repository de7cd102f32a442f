"""A pytest plugin: writes every SQL statement that the tests send, test by test, with its values.

Runs inside the measured program's environment (`-p statement_log --statement-log FILE`), not in
awaken's. Listens on the class `Engine`, so that it hears every engine, whenever it is made.
Writes one JSON list per line: the test (`""` outside of tests), the statement as the database
gets it, and the `repr` of every bound value; a value that is longer than `LONGEST` is cut and
ends in its checksum. Statements that define tables are left out: no query sends them, and their
order may follow that of a set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

LONGEST = 200
"""Characters of a value that are kept."""
DEFINING = ("CREATE", "DROP", "ALTER", "PRAGMA")


class Log:
    """Writes statements to a file, under the test that is running."""

    def __init__(self, output: Path) -> None:
        self._lines = output.open("w", encoding="utf-8")
        self._test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note under one test everything that it sends, its fixtures included."""
        self._test = item.nodeid
        try:
            return (yield)
        finally:
            self._test = ""

    def before_cursor_execute(
        self,
        _connection: object,
        _cursor: object,
        statement: str,
        parameters: object,
        _context: object,
        _is_executemany: bool,
    ) -> None:
        """Write one statement; SQLAlchemy calls this."""
        if statement.lstrip().upper().startswith(DEFINING):
            return
        row = [self._test, statement, list(values(parameters))]
        self._lines.write(json.dumps(row) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._lines.close()


def values(parameters: object) -> Iterable[str]:
    """Yield the values of one statement, or of each of its rows, in order."""
    if isinstance(parameters, Mapping):
        for name, value in parameters.items():
            yield f"{name}={shown(value)}"
    elif isinstance(parameters, (list, tuple)):
        for value in parameters:
            yield from values(value)
    else:
        yield shown(parameters)


def shown(value: object) -> str:
    """Return the `repr` of one value, cut if it is long."""
    text = repr(value)
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} {hashlib.sha256(text.encode()).hexdigest()}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file to write to."""
    parser.addoption("--statement-log", type=Path, required=True, metavar="FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Listen from before the program is imported until the tests are over."""
    log = Log(config.getoption("--statement-log").absolute())
    config.pluginmanager.register(log)
    event.listen(Engine, "before_cursor_execute", log.before_cursor_execute)
    config.add_cleanup(log.close)
