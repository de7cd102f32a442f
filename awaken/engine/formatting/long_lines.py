"""Breaks the lines that edits made too long, as black would, where no formatter may be at hand."""

from __future__ import annotations

import ast
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from awaken.contract import Span
from awaken.editing.line_breaks import CLOSING, OPENING, LineWidth, broken_line
from awaken.engine.edits.comparison import Comparison
from awaken.engine.edits.file_slices import line_of_statement, nodes_on_lines
from awaken.engine.edits.splices import SpanMap, Splice, splice
from awaken.engine.edits.style import FileStyle, line_end, line_start
from awaken.project.source.modules import Module
from awaken.workspace.parsing import Unparsable, deep_recursion, parse_text
from awaken.workspace.sources import LINE_END_BYTES


def without_long_lines(
    before: Module,
    after: Module,
    moved: SpanMap,
    style: FileStyle,
    statements: Mapping[Span, ast.AST],
) -> tuple[Module, SpanMap]:
    """Return ``after`` with the lines broken that ``moved`` made too long, and the way back.

    Lines that have only become as long as one was before are left, and lines with comments: these
    may speak of their line. ``statements`` are those whose headers were rewritten, by the old
    places of the headers: a long line in the body of one counts as well.
    """

    def length_before(span: Span) -> int:
        old = moved.to_before(span)
        end = before.span(statements[old]).end if old in statements else old.end
        return _length(before, Span(old.start, end))

    long = [
        span
        for span in changed_lines(after, moved)
        if (now := _length(after, span)) > style.line_length
        # A line that was too long before is its author's choice.
        and now > length_before(span)
    ]
    numbers = {row_of(after, span.start): span for span in long}
    rows = _rows(after, sorted(numbers))
    splices: list[Splice] = []
    with deep_recursion():  # over the brackets of a line
        for number, span in numbers.items():
            row = rows.get(number)
            if row is not None and row.may_be_broken:
                splices += _breaks(after.source.text, span, row, style)
    if not splices:
        return after, moved
    text, map_back = splice(after.source.text, splices)
    # Breaking lines is a courtesy: whatever goes wrong with it leaves them long.
    try:
        broken = Module(after.source.with_text(text), parse_text(text), after.name)
    except Unparsable:
        return after, moved
    if not is_same(after, broken, map_back, splices):
        return after, moved
    return broken, moved.then(map_back)


def is_same(before: Module, after: Module, moved: SpanMap, splices: Sequence[Splice]) -> bool:
    """Whether both trees are the same, where ``splices`` were made and everywhere else."""
    inside = {Span(item.start, item.end): before.tree for item in splices}
    with deep_recursion():
        differing = Comparison(before, after, moved, (), inside).differences()
        return next(differing, None) is None


def changed_lines(module: Module, moved: SpanMap) -> list[Span]:
    """Return the lines that hold something new, without their ends."""
    text = module.source.text
    ends: dict[int, int] = {}
    for region in moved.new_regions():
        at = line_start(text, region.start)
        while at <= region.end and at < len(text):
            if at not in ends:
                ends[at] = line_end(text, at)
            at = ends[at]
    return [Span(at, _content_end(text, at)) for at in sorted(ends)]


def _content_end(text: bytes, at: int) -> int:
    return at + len(text[at : line_end(text, at)].rstrip(b"\r\n"))


def _length(module: Module, span: Span) -> int:
    """Return the length of the longest of the lines of ``span``."""
    text = module.source.text
    whole = text[line_start(text, span.start) : line_end(text, span.end)].decode()
    return max(map(len, whole.splitlines()), default=0)


def row_of(module: Module, at: int) -> int:
    """Return the number of the line that holds the byte ``at``."""
    return module.line_column(Span(at, at))[0]


class _Row(Struct):
    """The text of a line, and its depth in brackets: at its start, at the least, after it."""

    depth: int
    lowest: int
    depth_behind: int
    first_word: str = ""
    last_word: str = ""
    may_be_broken: bool = True
    is_closed_next: bool = False

    @property
    def opens_last(self) -> bool:
        """Whether a statement begins on the line, and only its last bracket is open at its end."""
        return self.depth == 0 and self.depth_behind == 1 and self.last_word in OPENING


def _rows(module: Module, numbers: Sequence[int]) -> dict[int, _Row]:
    """Return the lines ``numbers``, and others next to them, that hold code, by their numbers."""
    rows: dict[int, _Row] = {}
    wanted: dict[int, int] = {}
    for number, start in starts_of_statements(module, numbers).items():
        wanted[start] = max(number, wanted.get(start, 0))
    for start, last in wanted.items():
        rows |= _rows_from(module.source.text, start, row_of(module, start), last)
    return rows


def starts_of_statements(module: Module, numbers: Sequence[int]) -> dict[int, int]:
    """Return where the line starts from which on each of ``numbers`` can be tokenized alone.

    That is the first line of the innermost statement that begins a line.
    """
    starts: dict[int, int] = {}
    for node in nodes_on_lines(module.tree, numbers):
        if not isinstance(node, ast.stmt):
            continue
        start = line_of_statement(module, node)
        if start is None:
            continue
        first = bisect_left(numbers, row_of(module, start))
        last = bisect_right(numbers, node.end_lineno or node.lineno)
        for number in numbers[first:last]:
            starts[number] = max(start, starts.get(number, start))
    return starts


def _rows_from(text: bytes, start: int, number: int, last: int) -> dict[int, _Row]:
    """Return the lines from the byte ``start``, of the line ``number``, to the one after last."""
    rows: dict[int, _Row] = {}
    depth = 0
    for token in tokens_from(text, start):
        if token.type in {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}:
            continue
        first, end = token.start[0] + number - 1, token.end[0] + number - 1
        if first > last + 1:
            break
        for held in range(first, end + 1):
            row = rows.setdefault(held, _Row(depth, depth, depth))
            row.may_be_broken &= first == end and token.type != tokenize.COMMENT
        row = rows[first]
        if token.type == tokenize.OP:
            depth += (token.string in OPENING) - (token.string in CLOSING)
        row.lowest, row.depth_behind = min(row.lowest, depth), depth
        row.first_word = row.first_word or token.string
        row.last_word = token.string
    for at, row in rows.items():
        row.may_be_broken &= row.depth == row.lowest and (
            row.depth_behind == row.depth or row.opens_last
        )
        following = rows.get(at + 1)
        row.is_closed_next = following is not None and following.first_word in CLOSING
    return rows


def tokens_from(text: bytes, at: int) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of the statement that starts at ``at``, and of readable code after it."""

    def lines() -> Iterator[str]:
        start = at
        while start < len(text):
            end = line_end(text, start)
            yield LINE_END_BYTES.sub(b"\n", text[start:end]).decode()
            start = end

    # Text after an indented statement may have an indentation that was never seen.
    with suppress(tokenize.TokenError, SyntaxError):
        yield from tokenize.generate_tokens(lines().__next__)


def _breaks(text: bytes, span: Span, row: _Row, style: FileStyle) -> Iterator[Splice]:
    """Yield the replacements that break the line ``span``."""
    line = text[span.start : span.end].decode()
    # After a backslash, the line continues another one.
    if text[: span.start].rstrip(b"\r\n").endswith(b"\\"):
        return
    width = LineWidth(style.indent, style.line_length)
    if row.opens_last:
        made = _broken_before_last(line, width)
    else:
        made = broken_line(line, width, bracketed=row.depth > 0, closes=row.is_closed_next)
    if len(made) > 1:
        yield from _differences(line, style.newline.join(made), span.start)


def _broken_before_last(line: str, width: LineWidth) -> list[str]:
    """Return the lines of ``line`` broken at brackets in front of its last one, which stays open.

    ``made = Maker(one, two).make(`` has them where ``Maker`` is called.
    """
    opening = line.rstrip()[-1]
    closing = {"(": ")", "[": "]", "{": "}"}[opening]
    made = broken_line(f"{line.rstrip()}{closing}", width)
    last = made[-1]
    is_kept = last.endswith(opening + closing) and last.strip()[0] in CLOSING
    return [*made[:-1], last.removesuffix(closing)] if is_kept else [line]


def _differences(old: str, new: str, start: int) -> Iterator[Splice]:
    """Yield the replacements that make ``new`` of ``old``: of spaces, and of what is inserted."""
    at, place = 0, start
    while at < len(new) or old:
        word = old.lstrip(" \t")
        space = len(old) - len(word)
        end = at
        while end < len(new) and not (word and new[end] == word[0]):
            end += 1
        if new[at:end] != old[:space]:
            yield Splice(place, place + len(old[:space].encode()), new[at:end].encode())
        if not word:
            return
        place += len(old[: space + 1].encode())
        old, at = word[1:], end + 1
