"""The style of one file, and what a rewriter may know of the place it writes into."""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from msgspec import Struct

from awaken.contract import Parentheses, Span, Surroundings
from awaken.editing.line_breaks import LONGEST_LINE, can_be_broken
from awaken.editing.outer_parentheses import OuterPair, outer_pair
from awaken.editing.pragmas import width_behind
from awaken.project.source.modules import Module
from awaken.workspace.sources import LINE_END_BYTES

_DEFINES = (b"@", b"def ", b"async def ", b"class ")
_INDENT = re.compile(rb"[ \t]*")
_BLANK_BEFORE = re.compile(rb"(?:(?:\r\n|\n|\r)[ \t\f]*)*(?:\r\n|\n|\r)\Z")
_BLANK_AFTER = re.compile(rb"(?:[ \t\f]*(?:\r\n|\n|\r))*")
_FAR = 500
"""Bytes in which the blank lines before a place are looked for. A choice: 250 blank lines with two
bytes each; without a bound, a file of blank lines would cost the square of its size."""


_SEVERAL = 5
"""Lines that are as long on purpose; fewer are slips."""
_WIDEST = 120
"""Characters of a line that awaken writes where nothing is declared: more than style guides allow
is a slip of the file."""


class FileStyle(Struct, frozen=True):
    """The newline and the indentation of a file, and the longest line that may be written."""

    newline: str = "\n"
    indent: str = "    "
    line_length: int = 88

    def of_imports(self, line_indent: bytes) -> Surroundings:
        """Return the same for an import whose line begins with ``line_indent``."""
        return Surroundings(
            self.newline, self.indent, line_indent.decode(), line_length=self.line_length
        )


def style_of(module: Module, line_length: int, *, is_assumed: bool = False) -> FileStyle:
    """Return the newline that most lines end with, and the indentation of the first block.

    A ``line_length`` that ``is_assumed`` yields to the lines of the file.
    """
    # Most, not the first: a file may have a stray line end of another kind anywhere.
    counts = Counter(LINE_END_BYTES.findall(module.source.text))
    newline = counts.most_common(1)[0][0].decode() if counts else "\n"
    if is_assumed:
        line_length = max(line_length, min(_usual_length(module), _WIDEST))
    return FileStyle(newline, _indent(module), line_length)


def _usual_length(module: Module) -> int:
    """Return the length, in characters, that several lines have or exceed."""
    lines = module.source.text.decode("utf-8", "replace").splitlines()
    lengths = sorted(map(len, lines))
    return lengths[-_SEVERAL] if len(lengths) >= _SEVERAL else 0


def _indent(module: Module) -> str:
    for statement in module.tree.body:
        body = getattr(statement, "body", None)
        if not body or body[0].lineno == statement.lineno:  # `if x: y` shows no indentation
            continue
        inside = line_indent(module.source.text, module.span(body[0]).start)
        if inside:
            return inside.decode()
    return "    "


def line_start(text: bytes, at: int) -> int:
    """Return where the line of the byte ``at`` starts."""
    return max(text.rfind(b"\n", 0, at), text.rfind(b"\r", 0, at)) + 1


def line_above(text: bytes, start: int) -> int:
    """Return where the line above the one that starts at ``start`` starts."""
    return line_start(text, start - 2 if text[start - 2 : start] == b"\r\n" else start - 1)


def line_end(text: bytes, at: int) -> int:
    """Return where the line of the byte ``at`` ends, its newline included."""
    match = LINE_END_BYTES.search(text, at)
    return match.end() if match else len(text)


def line_indent(text: bytes, at: int) -> bytes:
    """Return the white space that the line of the byte ``at`` starts with."""
    match = _INDENT.match(text, line_start(text, at))
    return match.group() if match else b""


def blank_lines_around(text: bytes, at: int) -> tuple[int, int]:
    """Return how many blank lines are directly before and after the line start ``at``."""
    before = _BLANK_BEFORE.search(text, max(0, at - _FAR), at)
    after = _BLANK_AFTER.match(text, at)
    counts = [
        len(LINE_END_BYTES.findall(match.group())) if match else 0 for match in (before, after)
    ]
    # The first line end before ``at`` closes a line of code, except at the start of the file.
    closes_code = before is not None and before.start() > 0
    return max(0, counts[0] - closes_code), counts[1]


def without_blank_lines(text: bytes, span: Span) -> Span:
    """Return the lines ``span`` with the blank lines that would be too many if they went.

    The larger number of those above and below is left, none at the end of the file or at the
    start of a block, and one between plain statements where a definition went.
    """
    above, _ = blank_lines_around(text, span.start)
    _, below = blank_lines_around(text, span.end)
    start, end = span.start, span.end
    if not text[end:].strip():
        ends = [0, *(match.end() for match in LINE_END_BYTES.finditer(text, 0, start))]
        start = ends[max(0, len(ends) - 1 - above)]
        return Span(start, len(text))
    gone = below if _opens_block(text, span) else min(above, below)
    # Two blank lines set a definition apart; between plain statements one does.
    if _parts_statements(text, span) and min(above, below) > 1:
        gone = below
        for _ in range(above - 1):
            start = line_above(text, start)
    for _ in range(gone):
        end = line_end(text, end)
    return Span(start, end)


def _opens_block(text: bytes, span: Span) -> bool:
    """Whether the lines ``span`` are the first of a block that goes on after them."""
    following = len(text) - len(text[span.end :].lstrip())
    indent = line_indent(text, span.start)
    opens = bool(indent) and text[: span.start].rstrip().endswith(b":")
    return opens and line_indent(text, following).startswith(indent)


def _parts_statements(text: bytes, span: Span) -> bool:
    """Whether the lines ``span`` hold definitions between other top-level statements."""
    before, behind = text[: span.start].rstrip(), text[span.end :].lstrip()
    plain_above = bool(before) and not line_indent(text, len(before))
    plain_below = not behind.startswith((b"#", *_DEFINES))
    return text.startswith(_DEFINES, span.start) and plain_above and plain_below


def surroundings_of(module: Module, node: ast.AST, style: FileStyle) -> Surroundings:
    """Return what a rewriter of ``node`` may know of its place."""
    text, span = module.source.text, module.span(node)
    start = line_start(text, span.start)
    rest = LINE_END_BYTES.split(text[span.end : line_end(text, span.end)], maxsplit=1)[0]
    block = module.span(module.statement_of(node) or node).start
    return Surroundings(
        newline=style.newline,
        indent=style.indent,
        line_indent=line_indent(text, span.start).decode(),
        block_indent=line_indent(text, block).decode(),
        column=len(text[start : span.start].decode()),
        trailing=width_behind(rest.decode()),
        line_length=style.line_length,
        bracketed=_is_bracketed(module, node, span),
        parentheses=_parentheses(outer_pair_of(module, node)),
        breaks_around=_breaks_around(module, node, span),
        is_value=_is_value(module, node),
    )


def outer_pair_of(module: Module, node: ast.AST) -> OuterPair | None:
    """Return the pair of parentheses that only lets ``node`` go over several lines."""
    if not isinstance(node, ast.expr) or module.in_fstring(node):
        return None
    span = module.span(node)
    return outer_pair(module.source.text, span.start, span.end)


def _parentheses(pair: OuterPair | None) -> Parentheses | None:
    return None if pair is None else Parentheses(pair.column, pair.outdent, pair.trailing)


def _is_bracketed(module: Module, node: ast.AST, span: Span) -> bool:
    """Whether a bracket opened before ``node`` in its statement closes only after it."""
    statement = module.statement_of(node)
    if statement is None or statement is node:
        return False
    brackets = _brackets_of(module.source.text, module.span(statement).start)
    return brackets.open_at(span.start) > 0


def _breaks_around(module: Module, node: ast.AST, span: Span) -> bool:
    """Whether ``node`` is part of a larger expression on a line that can be broken elsewhere.

    Code in an f-string has to stay on its line, too.
    """
    parent = module.parent(node)
    # `await` before a call is no place to break at.
    while isinstance(parent, ast.Await):
        parent = module.parent(parent)
    if parent is None or isinstance(parent, ast.stmt):
        return False
    if module.in_fstring(node):
        return True
    text = module.source.text
    start, end = line_start(text, span.start), line_end(text, span.start)
    # Longer texts are not copied for each node.
    if span.end > end or end - start > 4 * LONGEST_LINE:
        return False
    return can_be_broken(text[start:end].decode())


def _is_value(module: Module, node: ast.AST) -> bool:
    """Whether a statement assigns, returns, iterates over or tests ``node`` and nothing else."""
    match module.parent(node):
        case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.AugAssign(value=value):
            return value is node
        case ast.Return(value=value):
            return value is node
        case ast.For(iter=value) | ast.AsyncFor(iter=value):
            return value is node
        case ast.If(test=value) | ast.While(test=value) | ast.Assert(test=value, msg=None):
            return value is node
    return False


# Edits come in the order of a file, so a few statements are enough; one with thousands of edits is
# still tokenized once.
@lru_cache(maxsize=8)
def _brackets_of(text: bytes, start: int) -> _Brackets:
    return _Brackets(text, start)


class _Brackets:
    """How many brackets are open at a place of a statement; its tokens are read once, in order."""

    def __init__(self, text: bytes, start: int) -> None:
        self._places: list[int] = []
        self._depths: list[int] = []
        self._tokens = self._read(text, start)
        self._end = start

    def open_at(self, place: int) -> int:
        """Return how many brackets of the statement are open in front of ``place``."""
        while self._end < place:
            self._end = next(self._tokens, sys.maxsize)
        at = bisect_left(self._places, place)
        return self._depths[at - 1] if at else 0

    def _read(self, text: bytes, start: int) -> Iterator[int]:
        """Yield where each token starts, and note where brackets open and close."""
        lines: list[tuple[int, str]] = []

        def readline() -> str:
            at = lines[-1][0] if lines else start
            end = line_end(text, at)
            line = LINE_END_BYTES.sub(b"\n", text[at:end]).decode()
            lines.append((end, line))
            return line

        depth, begin = 0, [start]
        # Any text may follow the statement; it does not belong to it.
        with suppress(tokenize.TokenError, SyntaxError):
            for token in tokenize.generate_tokens(readline):
                row, column = token.start
                while len(begin) < row:
                    begin.append(lines[len(begin) - 1][0])
                line = (
                    lines[row - 1][1] if row <= len(lines) else ""
                )  # ENDMARKER stands behind the last
                width = column if line.isascii() else len(line[:column].encode())
                if token.type == tokenize.OP and token.string in "([{)]}":
                    depth += 1 if token.string in "([{" else -1
                    self._places.append(begin[row - 1] + width)
                    self._depths.append(depth)
                yield begin[row - 1] + width
