"""The words that changed within changed lines, and the lines that belong together.

Both are compared as tokens over a whole block of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

_TOKEN = re.compile(r"\w+|[^\w\s]")
_ALIKE = 0.4
"""Below this share of common tokens a block was rewritten: marking all of it helps nobody. A choice
by eye."""
_MANY = 2000
"""Blocks with more tokens are not compared: the comparison is quadratic. A choice: these are some
200 lines of code, in which nobody looks for single words."""

Stretches = list[list[tuple[int, int]]]
"""Per line, the stretches (in characters) that changed."""


Pairs = list[tuple[int, int]]
"""Old and new lines (by index) that belong together; both ascend."""


class Emphasis(Struct, frozen=True):
    """The changed parts of the lines of a block."""

    old: Stretches
    new: Stretches
    pairs: Pairs


class _Token(Struct, frozen=True):
    line: int
    start: int
    stop: int
    text: str


def emphasis(old: Sequence[str], new: Sequence[str]) -> Emphasis:
    """Compare the lines ``old`` with the lines ``new``, which they became."""
    nothing = Emphasis([[] for _ in old], [[] for _ in new], [])
    old_tokens, new_tokens = _tokens(old), _tokens(new)
    if not old_tokens or not new_tokens or len(old_tokens) + len(new_tokens) > _MANY:
        return nothing
    matcher = SequenceMatcher(
        None,
        [token.text for token in old_tokens],
        [token.text for token in new_tokens],
        autojunk=False,
    )
    if matcher.ratio() < _ALIKE:
        return nothing
    ends = (0, 0), (len(old_tokens), len(new_tokens))
    kept = [
        (block.a + index, block.b + index)
        for block in matcher.get_matching_blocks()
        if block.size > 1
        # One word alone may well be the same; one sign is everywhere.
        or (block.size == 1 and old_tokens[block.a].text[0].isalnum())
        # A lone bracket or dot in the middle matched by chance.
        or (block.a, block.b) == ends[0]
        or (block.a + block.size, block.b + block.size) == ends[1]
        for index in range(block.size)
    ]
    return Emphasis(
        _stretches(old_tokens, {old for old, _ in kept}, len(old)),
        _stretches(new_tokens, {new for _, new in kept}, len(new)),
        _pairs((old_tokens[old].line, new_tokens[new].line) for old, new in kept),
    )


def _pairs(matches: Iterable[tuple[int, int]]) -> Pairs:
    """Pair each old line with the first new line that holds a word of it and is still free."""
    # Before the first line, so that this may be paired as well.
    pairs = [(-1, -1)]
    for old, new in matches:
        if old > pairs[-1][0] and new > pairs[-1][1]:
            pairs.append((old, new))
    return pairs[1:]


def _tokens(lines: Sequence[str]) -> list[_Token]:
    return [
        _Token(number, match.start(), match.end(), match.group())
        for number, line in enumerate(lines)
        for match in _TOKEN.finditer(line)
    ]


def _stretches(tokens: Sequence[_Token], same: set[int], lines: int) -> Stretches:
    stretches: Stretches = [[] for _ in range(lines)]
    # Not -1: the first token has no neighbour before it.
    previous = -2
    for index, token in enumerate(tokens):
        if index in same:
            continue
        line = stretches[token.line]
        if line and previous == index - 1:
            line[-1] = line[-1][0], token.stop
        else:
            line.append((token.start, token.stop))
        previous = index
    return stretches
