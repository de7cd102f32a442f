"""Markers in fixtures: ``#~ manual unknown-entity`` at the end of a line says what is found there.

A marker is no part of the program: it is taken off before the rule sees the file. Several findings
of one line follow each other, ``#~ manual passed-query, safe``. A reason without a slash is one of
the case's own rule.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from awaken.contract import Level
from awaken.workspace.sources import LINE_END_BYTES

_ONE = rb"(?:" + b"|".join(level.value.encode() for level in Level) + rb")(?: [\w/-]+)?"
_MARKER = re.compile(
    rb"[ \t]*#~ (" + _ONE + rb"(?:, " + _ONE + rb")*)(?=\r?$|\r?\n|\r)", re.MULTILINE
)

# A string may hold anything; what is meant as a marker holds no quote.
_MISTYPED = re.compile(rb"#~[ \t]*([^'\"\r\n]*)(?=\r?$|\r?\n|\r)", re.MULTILINE)


class Marked(Struct, frozen=True, order=True):
    """A finding that a marker names; ``line`` is 1-based, ``reason`` empty where there is none."""

    line: int
    level: Level
    reason: str = ""


def read_markers(content: bytes) -> tuple[bytes, tuple[Marked, ...]]:
    """Return the program without its markers, and what these say.

    Raises ValueError for a comment ``#~`` that says something else.
    """
    parameters = tuple(
        _marked_parameter(1 + len(LINE_END_BYTES.findall(content, 0, match.start())), item.decode())
        for match in _MARKER.finditer(content)
        for item in match[1].split(b", ")
    )
    program = _MARKER.sub(b"", content)
    if mistyped := _MISTYPED.search(program):
        line = 1 + len(LINE_END_BYTES.findall(program, 0, mistyped.start()))
        raise ValueError(f"line {line}: {_mistake(mistyped[1].decode('utf-8', 'replace'))}")
    return program, parameters


def _mistake(text: str) -> str:
    """Return what is wrong with a marker that says ``text``."""
    levels = [level.value for level in Level]
    for line in text.split(", "):
        level = line.partition(" ")[0]
        if level not in levels:
            return f"`{level}` is no level: write one of {', '.join(levels)}"
    return (
        f"`#~ {text}` is no marker: write a level and a reason, as in `#~ manual name-taken`, and "
        "a comma between two"
    )


def _marked_parameter(line: int, text: str) -> Marked:
    level, _, reason = text.partition(" ")
    return Marked(line, Level(level), reason)


def write_markers(content: bytes, marked: Iterable[Marked]) -> tuple[bytes, tuple[Marked, ...]]:
    """Return the program with markers, and what no marker can say.

    A line that ends inside a string, or with a backslash, has no room for a comment.
    """
    by_line: dict[int, list[Marked]] = defaultdict(list)
    for parameter in sorted(marked):
        by_line[parameter.line].append(parameter)
    lines = LINE_END_BYTES.split(content)
    ends = [*LINE_END_BYTES.findall(content), b""]
    left: list[Marked] = []
    for number in sorted(by_line):
        # Tried, and taken back: only the tokenizer knows whether a line end is inside a string.
        bare = lines[number - 1]
        lines[number - 1] = bare + _text(by_line[number])
        if not _is_comment(b"".join(_joined_items(lines, ends)), number):
            lines[number - 1] = bare
            left += by_line[number]
    return b"".join(_joined_items(lines, ends)), tuple(left)


def _text(found: Iterable[Marked]) -> bytes:
    shown = ", ".join(f"{parameter.level.value} {parameter.reason}".rstrip() for parameter in found)
    return f"  #~ {shown}".encode()


def _joined_items(lines: list[bytes], ends: list[bytes]) -> Iterator[bytes]:
    for line, end in zip(lines, ends, strict=True):
        yield line
        yield end


def _is_comment(content: bytes, line: int) -> bool:
    """Whether the line ends with a marker that Python takes for a comment."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(content).readline))
    except (SyntaxError, tokenize.TokenError):
        return False
    here = [token for token in tokens if token.start[0] == line]
    return any(
        token.type == tokenize.COMMENT and "#~ " in token.string for token in here
    ) and not any(token.type == tokenize.ERRORTOKEN for token in here)
