"""The parentheses around one expression that only let it go over several lines."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from contextlib import suppress

from msgspec import Struct

from awaken.editing.pragmas import width_behind
from awaken.workspace.sources import LINE_END

_SPACE = b" \t\r\n"
_INDENT = re.compile(rb"[ \t]*")
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]")
_WORD_BEFORE = re.compile(rb"([A-Za-z0-9_\x80-\xff]+)[ \t]*\Z")


class OuterPair(Struct, frozen=True):
    """A pair of parentheses over several lines around an expression, and nothing else.

    ``start`` and ``end`` are its bytes, the closing one included. ``column`` is where it opens,
    ``outdent`` how far the lines inside move left without it, ``trailing`` how many characters
    follow it on its last line.
    """

    start: int
    end: int
    column: int
    outdent: int
    trailing: int


def outer_pair(text: bytes, start: int, end: int) -> OuterPair | None:
    """Return the pair directly around the expression at ``start`` to ``end`` (bytes).

    None if there is none, if it holds no line break but those in brackets of the expression, if
    it calls something, and if a comment stands inside it beside the expression.
    """
    opening = len(text[:start].rstrip(_SPACE)) - 1
    closing = end + len(text[end:]) - len(text[end:].lstrip(_SPACE))
    if opening < 0 or text[opening : opening + 1] != b"(" or text[closing : closing + 1] != b")":
        return None
    # A pair that holds no line break is there for another reason, grouping for instance.
    around = text[opening + 1 : start] + text[end:closing]
    if not LINE_END.search(around.decode()) and not _breaks_outside(text[start:end].decode()):
        return None
    line = max(text.rfind(b"\n", 0, opening), text.rfind(b"\r", 0, opening)) + 1
    before = text[line:opening]
    if b"#" in before or not _groups(before):
        return None
    outdent = _outdent(text, line, opening, start)
    if outdent is None:
        return None
    rest = LINE_END.split(text[closing + 1 :].decode(), maxsplit=1)[0]
    return OuterPair(opening, closing + 1, len(before.decode()), outdent, width_behind(rest))


def _groups(before: bytes) -> bool:
    """Whether a parenthesis after ``before`` on its line groups, and does not call."""
    if not before.strip():
        return True
    word = _WORD_BEFORE.search(before)
    if word is not None:
        return keyword.iskeyword(word[1].decode())
    return before.rstrip()[-1:] not in b")]}\"'"


def _outdent(text: bytes, line: int, opening: int, start: int) -> int | None:
    if not text[opening + 1 : start].strip(b" \t"):
        return 0
    own = max(text.rfind(b"\n", 0, start), text.rfind(b"\r", 0, start)) + 1
    outer, inner = _INDENT.match(text, line), _INDENT.match(text, own)
    if outer is None or inner is None or not inner[0].startswith(outer[0]):
        return None
    return len(inner[0]) - len(outer[0])


def without_pair(text: bytes, pair: OuterPair, new: str, line_length: int) -> str | None:
    """Return ``new`` as written in the place of ``pair``; None if it needs the parentheses.

    It does where its lines break outside of its own brackets, where it would get too long, where a
    string goes over several lines, for these must not move, and where it would touch a word.
    """
    if _breaks_outside(new) or '"""' in new or "'''" in new:
        return None
    # return(...), (...)if
    if (pair.start and _WORD.match(text, pair.start - 1)) or _WORD.match(text, pair.end):
        return None
    parts = re.split(r"(\r\n|\n|\r)", new)
    moved = [parts[0], *(_outdented_text(part, pair.outdent) for part in parts[1:])]
    first = pair.column + len(moved[0])
    last = (first if len(moved) == 1 else len(moved[-1])) + pair.trailing
    if max(first, last) > line_length:
        return None
    return "".join(moved)


def _outdented_text(line: str, width: int) -> str:
    space = len(line) - len(line.lstrip(" \t"))
    return line[min(space, width) :]


def _breaks_outside(code: str) -> bool:
    """Whether ``code``, an expression, breaks its lines where no bracket of its own is open."""
    depth = 0
    reading = io.StringIO(re.sub(r"\r\n?", "\n", f"({code}\n)")).readline
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(reading):
            if token.type == tokenize.OP:
                depth += (token.string in "([{") - (token.string in ")]}")
            elif token.type == tokenize.NL and depth == 1:
                return token.start[0] <= code.count("\n")
    return False
