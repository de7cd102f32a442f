"""The comments in a piece of Python text."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from contextlib import suppress


def lost_comments(before: str, after: str) -> list[str]:
    """Return the comments of ``before`` that ``after`` no longer has, as often as they are missing.

    Both may be any part of a module: an expression, or lines of statements at any indentation.
    """
    if "#" not in before:
        return []
    return list((_comments(before) - _comments(after)).elements())


def _comments(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    # An indented or unfinished piece ends in an error once all its tokens are seen; in brackets
    # the tokenizer takes no notice of indentation.
    reading = io.StringIO("(" + re.sub(r"\r\n?", "\n", text)).readline
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(reading):
            if token.type == tokenize.COMMENT:
                found[token.string.rstrip()] += 1
    return found
