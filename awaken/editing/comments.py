"""The comments in a piece of Python text."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from contextlib import suppress

from msgspec import Struct

_CODES = r"[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*"
_SUPPRESSIONS = re.compile(
    r"(?:#\s*(?:"
    r"(?:type|pyright|ty|pyrefly):\s*ignore(?:\s*\[[^\]]*\])?"
    rf"|noqa(?::\s*{_CODES})?"
    rf"|nosec(?::?\s+{_CODES})?"
    r"|pylint:\s*disable\s*=\s*[\w-]+(?:\s*,\s*[\w-]+)*"
    r"|fmt:\s*skip"
    r")\s*)+",
    re.IGNORECASE,
)
"""One or more comments that tell a tool to overlook something in their line, and no other word."""


def lost_comments(before: str, after: str) -> list[str]:
    """Return the comments of ``before`` that ``after`` no longer has, as often as they are missing.

    Both may be any part of a module: an expression, or lines of statements at any indentation.
    """
    if "#" not in before:
        return []
    # Counted: of two equal comments one may be lost.
    return list((_comments(before) - _comments(after)).elements())


class Comment(Struct, frozen=True):
    """A comment of a text, with its 1-based line; ``alone``: no code precedes it on the line."""

    line: int
    text: str
    alone: bool


def comments_in(text: str) -> list[Comment]:
    """Return the comments of ``text``, which may be any part of a module, in their order."""
    comments: list[Comment] = []
    # An indented or unfinished piece ends in an error once all its tokens are seen; in brackets
    # the tokenizer takes no notice of indentation.
    reading = io.StringIO("(\n" + re.sub(r"\r\n?", "\n", text)).readline
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(reading):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                alone = not token.line[:column].strip()
                comments.append(Comment(line - 1, token.string.rstrip(), alone))
    return comments


def _comments(text: str) -> Counter[str]:
    return Counter(comment.text for comment in comments_in(text))


def only_suppresses(comment: str) -> bool:
    """Whether ``comment`` does nothing but tell tools to overlook something in its line."""
    return _SUPPRESSIONS.fullmatch(comment) is not None
