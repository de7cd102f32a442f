"""Foreign text made fit for GitHub's Markdown: it shows literally, and mentions nobody."""

from __future__ import annotations

import re

from awaken.preview.streams.visible import visible

_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_MARKS = re.compile(r"[\\`*_\[\]<>~&$|]")
_FIRST = re.compile(r"^(\d*)([-+=#.):])")
"""What opens a list, a heading or an underline where a line begins."""
_CALLS = re.compile(r"@(?=\w)|#(?=\d)|(?<=GH)-(?=\d)|:(?=//|[\w+-]+:)|(?<=www)\.", re.IGNORECASE)
"""Mentions, references, addresses and emoji, which GitHub finds in the rendered text."""
# GitHub removes a backslash before these signs; only a character between them helps.
_NOTHING = "<!-- -->"
"""A comment, which is not seen, and parts what belongs together."""
_TICKS = re.compile("`+")


def prose(text: str) -> str:
    """Return a message in one line: code between backticks stays code, the rest is plain text.

    ``@name``, ``#1`` and addresses must not notify people or link to what is not meant.
    """
    pieces: list[str] = []
    end = 0
    line = visible(" ".join(text.split()))
    for match in _CODE.finditer(line):
        pieces += [_plain(line[end : match.start()]), code(match[1])]
        end = match.end()
    return _FIRST.sub(r"\1\\\2", "".join([*pieces, _plain(line[end:])]))


def code(text: str) -> str:
    """Return ``text`` as a code span, which shows every character as it is."""
    line = visible(text)
    fence = "`" * (max(map(len, _TICKS.findall(line)), default=0) + 1)
    # One space on both sides is taken off again.
    space = " " if line[:1] in {"`", " "} or line[-1:] in {"`", " "} else ""
    return f"{fence}{space}{line}{space}{fence}"


def _plain(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in _CALLS.finditer(text):
        pieces += [_escaped_text(text[end : match.start()]), _call(match[0])]
        end = match.end()
    return "".join([*pieces, _escaped_text(text[end:])])


def _call(char: str) -> str:
    return char + _NOTHING if char in {"@", "#", ":"} else _NOTHING + char


def _escaped_text(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", text)
