"""TOML with lines: the standard parser tells them for its own errors only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

KeyPath = tuple[str | int, ...]
"""Where a value stands: the keys of tables and the indexes of lists, from the outside in."""

_CLOSERS = ("]", "]]", "]}", "]}]")


class NotToml(ValueError):
    """The text is not TOML; says why in a clause. ``line`` is 1-based, 0 where unknown."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of ``text``. Raises NotToml."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise NotToml("it is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError is one, and a number of 5,000 digits another
        line = re.search(r"at line (\d+)", str(error))
        at = int(line[1]) if line else text.rstrip().count("\n") + 1
        raise NotToml(re.sub(r" [(]at .*", "", str(error)), at) from error


def line_of(text: str, path: KeyPath) -> int:
    """Return the 1-based line of ``text``, which is TOML, where the value at ``path`` stands.

    For a path that is not there, the line of what would hold it.
    """
    best, found = 0, (1, "", KeyPath())
    for line, statement, where, table in _statements(text.replace("\r\n", "\n")):
        reached = _common(where, path)
        if reached == len(where):
            reached += _depth(table, path[reached:])
        if reached > best:
            best, found = reached, (line, statement, where)
    return _line_within(*found, path[:best])


def _statements(text: str) -> Iterator[tuple[int, str, KeyPath, Mapping[str, Any]]]:
    """Yield each header and each ``key = value``: its line, text, table's path and what it sets."""
    lines = text.split("\n")
    table: KeyPath = ()
    arrays: dict[KeyPath, int] = {}
    start = 0
    while start < len(lines):
        end, parsed = _one_statement(lines, start)
        statement = "\n".join(lines[start:end])
        if statement.lstrip().startswith("["):
            table, parsed = _header(parsed, arrays), {}
        yield start + 1, statement, table, parsed
        start = end


def _one_statement(lines: Sequence[str], start: int) -> tuple[int, dict[str, Any]]:
    """Return where the statement that begins at ``start`` ends: with the first lines that parse.

    A line break ends a statement unless something is open, and what is open does not parse.
    """
    for end in range(start + 1, len(lines) + 1):
        try:
            return end, tomllib.loads("\n".join(lines[start:end]))
        except ValueError:
            continue
    return len(lines), {}


def _header(parsed: Mapping[str, Any], arrays: dict[KeyPath, int]) -> KeyPath:
    """Return the path of the table that a header opens; counts the elements of ``arrays``."""
    path: KeyPath = ()
    inner: Any = parsed
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        path = (*path, key)
        if isinstance(inner, list):
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path


def _common(one: KeyPath, other: KeyPath) -> int:
    same = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        same += 1
    return same


def _depth(value: Any, path: KeyPath) -> int:
    """Return how many steps of ``path`` lead to something in ``value``."""
    for depth, key in enumerate(path):
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)


def _line_within(line: int, statement: str, table: KeyPath, path: KeyPath) -> int:
    """Return the line at which a statement of several lines holds ``path``."""
    lines = statement.split("\n")
    for count in range(1, len(lines)):
        begun = "\n".join(lines[:count])
        for closer in _CLOSERS:
            try:
                parsed = tomllib.loads(f"{begun}\n{closer}")
            except ValueError:
                continue
            if _depth(parsed, path[len(table) :]) == len(path) - len(table):
                return line + count - 1
    return line if len(lines) == 1 else _last_line(line, lines, path[len(table) :])


def _last_line(line: int, lines: Sequence[str], path: KeyPath) -> int:
    return line + len(lines) - 1 if any(isinstance(key, int) for key in path) else line
