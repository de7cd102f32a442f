"""TOML that nobody vouches for, and the lines of its values: the parser tells them for errors only.

``tomllib`` takes a time and a memory that grow with the square of the parts of a dotted key, and
recurses for each nested value, as far as the limit of the moment goes. So keys and nesting are
measured before it, and what it returns after it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from awaken.workspace.sources import TextError

KeyPath = tuple[str | int, ...]
"""Where a value stands: the keys of tables and the indexes of lists, from the outside in."""

_KEY_PARTS = 32
"""Parts of a dotted key; those of tools have up to seven (``tool.hatch.envs.x.overrides...``)."""

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_KEY_PARTS}}}")

_NESTED = 100
"""Lists and tables inside each other; a tenth of what Python's default limit of recursion holds."""

_LARGEST = 2**63
"""TOML promises 64 bits; Python prints no number of more than 4,300 digits, but reads them."""


class NotToml(TextError):
    """The text is not TOML; says why in a clause."""


def tables_in(text: str | None) -> dict[str, Any]:
    """Return the tables of ``text``; none where it is not TOML."""
    try:
        return parse_toml(text or "")
    except NotToml:
        return {}


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of ``text``. Raises NotToml."""
    long_key = _LONG_KEY.search(text)
    if long_key:
        line = text.count("\n", 0, long_key.start()) + 1
        raise NotToml(f"a key has more than {_KEY_PARTS} parts", line)
    if _is_nested_deeper(text, _NESTED):
        raise NotToml(f"it is nested more than {_NESTED} levels deep")
    try:
        tables = tomllib.loads(text)
    except RecursionError:  # whoever called was deep already
        raise NotToml("it is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError is one, and a number of 5,000 digits another
        line_said = re.search(r"at line (\d+)", str(error))
        at = int(line_said[1]) if line_said else text.rstrip().count("\n") + 1
        raise NotToml(re.sub(r" [(]at .*", "", str(error)), at) from error
    # tomllib reads any number; what prints it afterwards, an error message for instance, cannot.
    if _has_large_number(tables):
        raise NotToml("it holds a whole number of more than 64 bits")
    return tables


def _is_nested_deeper(text: str, levels: int) -> bool:
    if text.count("[") + text.count("{") <= levels:
        return False
    level = 0
    for match in _BRACKET.finditer(text):
        bracket = match["bracket"]
        if bracket is not None:
            level += 1 if bracket in "[{" else -1
            if level > levels:
                return True
    return False


def _has_large_number(tables: dict[str, Any]) -> bool:
    waiting: list[Any] = [tables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            return True
    return False


def value_at(tables: Any, path: Iterable[str | int]) -> Any:
    """Return the value below ``tables`` at ``path``; None where there is none."""
    for key in path:
        if not isinstance(tables, Mapping):
            return None
        tables = tables.get(key)
    return tables


def line_of(text: str, path: KeyPath) -> int:
    """Return the 1-based line of ``text``, which is TOML, with the value at ``path``.

    For a path that is not there, the line of what would hold it.
    """
    position = deepest = 0
    for start, where in _places(text):
        if len(where) > deepest and path[: len(where)] == where:
            position, deepest = start, len(where)
    return text.count("\n", 0, position) + 1


_BETWEEN = re.compile(r"(?:[\s,]++|#[^\n]*+)*+")
_KEY_PART = re.compile(rf"[ \t]*+(?P<part>{_PART})[ \t]*+(?P<dot>\.)?")
_STRING = (
    r'''"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}'''
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*+'"
)
_SCALAR = re.compile(rf"{_STRING}|[^,\]}}#\n]++", re.DOTALL)
_BRACKET = re.compile(rf"{_STRING}|#[^\n]*+|(?P<bracket>[\[\]{{}}])", re.DOTALL)


def _places(text: str) -> Iterator[tuple[int, KeyPath]]:
    """Yield where each header, key and element of a list starts, and its path; in one pass."""
    table: KeyPath = ()
    arrays: dict[KeyPath, int] = {}
    opened: list[_Opened] = []
    at = _skip(text, 0)
    while at < len(text):
        start = at
        if opened and text[at] == opened[-1].closer:
            opened.pop()
            at = _skip(text, at + 1)
            continue
        if not opened and text[at] == "[":
            brackets = 2 if text.startswith("[[", at) else 1
            parts, at = _key(text, at + brackets)
            table = ()
            for number, part in enumerate(parts, 1):
                table = (*table, part)
                yield start, table
                if brackets > 1 and number == len(parts):
                    arrays[table] = arrays.get(table, -1) + 1
                if table in arrays:
                    table = (*table, arrays[table])
                    yield start, table
            at = _skip(text, at + brackets)
            continue
        if opened and opened[-1].closer == "]":
            path = opened[-1].next_element()
            yield start, path
        else:
            path = opened[-1].path if opened else table
            parts, at = _key(text, at)
            for part in parts:
                path = (*path, part)
                yield start, path
            at = _skip(text, at + 1)  # behind the equals sign
        if text[at : at + 1] in _CLOSERS:
            opened.append(_Opened(_CLOSERS[text[at]], path))
            at = _skip(text, at + 1)
        else:
            scalar = _SCALAR.match(text, at)
            at = _skip(text, scalar.end() if scalar else at + 1)


_CLOSERS = {"[": "]", "{": "}"}


class _Opened:
    """A list or an inline table that is not closed yet, and its path."""

    def __init__(self, closer: str, path: KeyPath) -> None:
        self.closer = closer
        self.path = path
        self._elements = -1

    def next_element(self) -> KeyPath:
        self._elements += 1
        return (*self.path, self._elements)


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _key(text: str, at: int) -> tuple[list[str], int]:
    """Return the parts of the key at ``at``, and where it ends."""
    parts = []
    while match := _KEY_PART.match(text, at):
        part, at = match["part"], match.end()
        # A quoted key has the escapes of a string, which only the parser knows.
        parts.append(str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "\"'" else part)
        if not match["dot"]:
            break
    return parts, at
