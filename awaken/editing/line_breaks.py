"""Breaks a line that is too long where black and ruff would: at its last brackets, at its commas.

Breaks code inside brackets at its weakest operators, or again at brackets.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

LONGEST_LINE = 10_000
"""Characters of a line that is broken: data on one line is nobody's to read. The longest that was
broken in superset, mlflow, ckan and prefect has 157."""

OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
_COMPREHENSION, _COMMA, _DOT = 20, 18, 1
_OPERATORS = {
    **dict.fromkeys(("if", "else"), 16),
    **dict.fromkeys(("and", "or"), 14),
    **dict.fromkeys(("<", ">", "==", "!=", "<=", ">=", "in", "is"), 10),
    "|": 9,
    "^": 8,
    "&": 7,
    **dict.fromkeys(("<<", ">>"), 6),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "//", "%", "@"), 4),
    "**": 2,
}
"""How weakly the operators bind in front of which a line may be broken, as black has it."""
_ENDS = frozenset({tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER})
_UNWANTED = frozenset({tokenize.COMMENT, tokenize.ERRORTOKEN, tokenize.INDENT, tokenize.DEDENT})
_VALUES = frozenset({"False", "None", "True"})
_HEADS = frozenset({"elif", "for", "if", "while"})


class LineWidth(Struct, frozen=True):
    """How far a level is indented by ``step``, and the length of the longest line."""

    step: str
    length: int


class _Token(Struct, frozen=True):
    text: str
    start: int
    end: int
    depth: int
    is_operand: bool


class _Delimiter(Struct, frozen=True):
    """Where a line may be broken, and how much it asks for that."""

    at: int
    priority: int


def broken_line(
    line: str, width: LineWidth, *, bracketed: bool = False, closes: bool = False
) -> list[str]:
    """Return the lines that ``line``, in which every bracket is closed, is to be written on.

    ``bracketed`` says that it is inside brackets, ``closes`` that these close after it. A line that
    cannot be broken is returned unchanged. The line has no comment.
    """
    if len(line) > LONGEST_LINE:
        return [line]
    text = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    made = _break_line(text, indent, width, bracketed=bracketed, closes=closes)
    # Broken lines that are no shorter would only be harder to read.
    return made if max(map(len, made)) < len(line) else [line]


@lru_cache(maxsize=8)  # asked for every node on the line
def can_be_broken(line: str) -> bool:
    """Whether ``line`` closes every bracket, and has neither a comment nor two statements.

    A line of more than ``LONGEST_LINE`` characters stays as it is.
    """
    return len(line) <= LONGEST_LINE and bool(_tokens(line.strip()))


def _break_line(
    text: str, indent: str, width: LineWidth, *, bracketed: bool, closes: bool = False
) -> list[str]:
    whole = [indent + text]
    if len(whole[0]) <= width.length:
        return whole
    tokens = _tokens(text)
    if not tokens:
        return whole
    if bracketed:
        parts = _parts_apart(text, tokens, closes=closes)
        if len(parts) > 1:
            return [
                line for part in parts for line in _break_line(part, indent, width, bracketed=True)
            ]
    elif (inside := _value_in_parentheses(text, tokens, indent, width)) is not None:
        return inside
    return _at_brackets(text, tokens, indent, width) or whole


# ------------------------------------------------------------------------------------ at brackets
def _at_brackets(
    text: str, tokens: Sequence[_Token], indent: str, width: LineWidth
) -> list[str] | None:
    """Return the lines of ``text``, broken inside one pair of brackets that leaves them short."""
    result: list[list[str]] = []
    for opening, closing in _pairs(tokens):
        head, tail = indent + text[: opening.end], indent + text[closing.start :]
        body = text[opening.end : closing.start].strip()
        parts = _elements(body) if _is_display(tokens, opening) else [body]
        inside = [
            line
            for part in parts
            for line in _break_line(part, indent + width.step, width, bracketed=True, closes=True)
        ]
        made = [head, *inside, tail]
        if max(map(len, made)) <= width.length:
            return made
        # None of the pairs may do; then the one that leaves the shortest lines is the best.
        result.append(made)
    return min(result, key=lambda made: max(map(len, made)), default=None)


def _pairs(tokens: Sequence[_Token]) -> list[tuple[_Token, _Token]]:
    """Return the outermost brackets that hold more than an index, the last ones first."""
    pairs: list[tuple[_Token, _Token]] = []
    at = 0
    for number, token in enumerate(tokens):
        if token.text in OPENING and token.depth == 0:
            at = number
        elif token.text in CLOSING and token.depth == 0:
            # `x[0]`, which black never breaks.
            is_index = (
                number == at + 2 and token.text == "]" and not _is_display(tokens, tokens[at])
            )
            if number > at + 1 and not is_index:
                pairs.append((tokens[at], token))
    # Parameters of a function break first, its return type never.
    is_function = tokens[0].text == "def" or [item.text for item in tokens[:2]] == ["async", "def"]
    return pairs[:1] if is_function else pairs[::-1]


def _is_display(tokens: Sequence[_Token], opening: _Token) -> bool:
    """Whether a bracket opens a list, a set, a dictionary or a tuple: no call, and no index."""
    at = bisect_left(tokens, opening.start, key=lambda token: token.start)
    return at == 0 or not tokens[at - 1].is_operand


def _elements(body: str) -> list[str]:
    """Return the elements of a display, each with its comma; the whole if it has none."""
    tokens = _tokens(body)
    has_commas = any(comma.at < len(body) for comma in _commas(tokens))
    return _parts_apart(body, tokens, closes=True) if has_commas else [body]


def _value_in_parentheses(
    text: str, tokens: Sequence[_Token], indent: str, width: LineWidth
) -> list[str] | None:
    """Return a statement with its value in parentheses, where that reads better than brackets.

    It does where there is more than one place to break the value, or no bracket at its end.
    """
    place = _start_of_value(tokens)
    if place is None:
        return None
    end = len(text) - text.endswith(":")
    value = text[place:end].strip()
    inside = _tokens(value)
    delimiters = _delimiters(inside)
    at_end = inside[-1].text in CLOSING and _is_called(inside)
    priority = max((delimiter.priority for delimiter in delimiters), default=0)
    count = sum(delimiter.priority == priority for delimiter in delimiters)
    if priority == _COMMA and tokens[0].text != "return":
        # A tuple, or what an assertion says.
        is_clear = tokens[0].text == "assert"
    else:
        is_clear = count == 1 and (at_end or priority == _DOT)
    if priority == _OPERATORS["and"] and inside[-2].text in OPENING:
        # No condition is broken inside of empty brackets.
        is_clear = False
    if not delimiters or is_clear:
        return None
    inner = indent + width.step
    made = [
        f"{indent}{text[:place]}(",
        *_break_line(value, inner, width, bracketed=True, closes=True),
        f"{indent}){text[end:]}",
    ]
    return made if max(map(len, made)) <= width.length else None


def _is_called(tokens: Sequence[_Token]) -> bool:
    return any(opening.end < closing.start for opening, closing in _pairs(tokens))


def _start_of_value(tokens: Sequence[_Token]) -> int | None:
    """Return where the value of a statement starts that may be put in parentheses."""
    first = tokens[0].text
    if first in _HEADS and tokens[-1].text != ":":
        return None
    word: _Token | None = tokens[0]
    if first == "for":
        word = next((token for token in tokens if token.text == "in"), None)
    elif first not in _HEADS and first not in {"assert", "return"}:
        level = [token for token in tokens if token.depth == 0]
        word = next((token for token in reversed(level) if token.text == "="), None)
    after = [token for token in tokens if word is not None and token.start >= word.end]
    return after[0].start if after else None


# ---------------------------------------------------------------------------------- at delimiters
def _parts_apart(text: str, tokens: Sequence[_Token], *, closes: bool) -> list[str]:
    """Return the parts of the code inside brackets, broken where it binds least."""
    delimiters = _delimiters(tokens)
    end = len(text.rstrip())
    # A comma at the end is not a place to break the line at.
    priority = max((item.priority for item in delimiters if item.at < end), default=0)
    places = sorted(item.at for item in delimiters if item.priority == priority and item.at < end)
    # Chained calls read better in brackets than on two lines.
    if not places or (priority == _DOT and len(places) == 1):
        return [text]
    bounds = [0, *places, end]
    parts = [text[a:b].strip() for a, b in pairwise(bounds)]
    if priority == _COMMA and closes and not parts[-1].endswith(","):
        parts[-1] += ","
    return parts


def _delimiters(tokens: Sequence[_Token]) -> list[_Delimiter]:
    return [*_commas(tokens), *_clauses(tokens), *_in_front_of_operators(tokens)]


def _commas(tokens: Sequence[_Token]) -> Iterator[_Delimiter]:
    yield from (_Delimiter(one.end, _COMMA) for one in tokens if not one.depth and one.text == ",")


def _clauses(tokens: Sequence[_Token]) -> Iterator[_Delimiter]:
    """Yield where the clauses of a comprehension begin, after its element."""
    level = [token for token in tokens if token.depth == 0]
    fors = [at for at, token in enumerate(level) if token.text == "for"]
    if not fors:
        return
    for at in fors:
        begin = level[at - 1] if at and level[at - 1].text == "async" else level[at]
        if begin.start:
            yield _Delimiter(begin.start, _COMPREHENSION)
    for condition in _conditions(level):
        if condition.start > level[fors[0]].start:
            yield _Delimiter(condition.start, _COMPREHENSION)


def _conditions(level: Sequence[_Token]) -> Iterator[_Token]:
    """Yield each ``if`` that has no ``else``."""
    pending = 0
    for token in reversed(level):
        if token.text == "else":
            pending += 1
        elif token.text == "if" and pending:
            pending -= 1
        elif token.text == "if":
            yield token


def _in_front_of_operators(tokens: Sequence[_Token]) -> Iterator[_Delimiter]:
    level = [candidate for candidate in tokens if candidate.depth == 0]
    conditions = list(_conditions(level))
    for before, token in pairwise(level):
        priority = _OPERATORS.get(token.text)
        if token.text == "." and before.text in CLOSING:
            yield _Delimiter(token.start, _DOT)
        elif token.text == "not" and before.is_operand:
            yield _Delimiter(token.start, _OPERATORS["in"])
        elif priority is not None and before.is_operand and token not in conditions:
            yield _Delimiter(token.start, priority)


# ----------------------------------------------------------------------------------------- tokens
def _tokens(text: str) -> list[_Token]:
    """Return the tokens of ``text``; none if they are of two statements or have a comment.

    What a bracket holds is one deeper than the bracket; so are the parameters of a lambda, and the
    names behind the ``for`` of a comprehension, whose commas and ``in`` are no places to break at.
    """
    if text.endswith("\\"):
        return []
    try:
        raw = list(_without_parts_of_strings(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    if any(candidate.type in _UNWANTED or candidate.string == ";" for candidate in raw):
        return []
    tokens: list[_Token] = []
    inside: list[str] = []
    for token in raw:
        word = token.string
        if word in CLOSING and not inside:
            return []
        if word in CLOSING:
            inside.pop()
        tokens.append(_Token(word, token.start[1], token.end[1], len(inside), _is_operand(token)))
        if inside and _ends(inside[-1], word):
            inside.pop()
        if word in OPENING or word in {"for", "lambda"}:
            inside.append(word)
    return tokens


def _without_parts_of_strings(readline: Callable[[], str]) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a line, an f-string as one, as it was before Python 3.12."""
    begun: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(readline):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            begun.append(token)
        elif name == "FSTRING_END":
            first = begun.pop()
            if not begun:
                text = token.line[first.start[1] : token.end[1]]
                yield tokenize.TokenInfo(tokenize.STRING, text, first.start, token.end, token.line)
        elif not begun and token.type not in _ENDS:
            yield token


def _ends(begun: str, word: str) -> bool:
    return (begun == "lambda" and word == ":") or (begun == "for" and word == "in")


def _is_operand(token: tokenize.TokenInfo) -> bool:
    if token.type == tokenize.OP:
        return token.string in CLOSING
    return not keyword.iskeyword(token.string) or token.string in _VALUES
