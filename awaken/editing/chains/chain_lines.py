"""The lines of a chain of calls: dots, comments and indentation, as they are moved along."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import libcst as cst
import msgspec

from awaken.contract import Surroundings
from awaken.editing.call_arguments import Node, code, line_break, with_line_starts

_NOTHING = cst.SimpleWhitespace("")


def has_break(node: cst.CSTNode) -> bool:
    """Whether ``node`` takes more than one line."""
    return "\n" in code(node)


def clean_break(dot: cst.Dot) -> cst.Dot:
    """Return a dot with the line break of ``dot`` but without its comments and blank lines."""
    return dot.with_changes(
        whitespace_before=without_comments(dot.whitespace_before),
        whitespace_after=without_comments(dot.whitespace_after),
    )


def without_comments(space: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    """Return ``space`` with its line break but without its comments and blank lines."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    return space.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])


def has_comment(space: cst.BaseParenthesizableWhitespace) -> bool:
    """Whether ``space`` holds a comment."""
    return "#" in code(space)


def dot_behind(space: cst.ParenthesizedWhitespace, dot: cst.Dot, other: cst.Dot) -> cst.Dot:
    """Return ``dot`` after the comments of ``space``, on a line that starts like another."""
    before = dot.whitespace_before
    later: Sequence[cst.EmptyLine] = ()
    last_line = space.last_line
    if isinstance(before, cst.ParenthesizedWhitespace):
        last_line = before.last_line
        later = [cst.EmptyLine(comment=before.first_line.comment), *before.empty_lines]
    elif has_break(other):
        indent = code(other).replace(".", "").rpartition("\n")[2]
        last_line = cst.SimpleWhitespace(indent)
    comments = [
        line.with_changes(indent=False, whitespace=last_line)
        for line in (*space.empty_lines, *later)
        if line.comment is not None
    ]
    after = cst.ParenthesizedWhitespace(space.first_line, comments, False, last_line)
    return dot.with_changes(whitespace_before=after)


def with_leading(
    call: cst.Call, spaces: Sequence[cst.ParenthesizedWhitespace], indent: str
) -> cst.Call:
    """Return ``call``, whose argument is on a line of its own, with comments before it."""
    if not spaces:
        return call
    first, *others = spaces
    comments = [line.comment for line in first.empty_lines]
    for space in others:
        comments += [space.first_line.comment, *(line.comment for line in space.empty_lines)]
    lines = [
        cst.EmptyLine(indent=False, whitespace=cst.SimpleWhitespace(indent), comment=comment)
        for comment in comments
        if comment is not None
    ]
    opening = line_break(indent).with_changes(first_line=first.first_line, empty_lines=lines)
    return call.with_changes(whitespace_before_args=opening)


def line_indent(dot: cst.Dot, around: Surroundings) -> str:
    """Return the white space at the start of the line of ``dot``."""
    for space in (dot.whitespace_after, dot.whitespace_before):
        text = code(space)
        if "\n" in text:
            is_relative = isinstance(space, cst.ParenthesizedWhitespace) and space.indent
            return (around.block_indent if is_relative else "") + text.rpartition("\n")[2]
    return around.line_indent


def followed_anchor(around: Surroundings, width: int) -> Surroundings:
    """Return what is around an anchor on which ``width`` more characters follow."""
    outer = around.parentheses
    if outer is not None:
        outer = msgspec.structs.replace(outer, trailing=outer.trailing + width)
    return msgspec.structs.replace(around, trailing=around.trailing + width, parentheses=outer)


def move(node: cst.BaseExpression, dot: cst.Dot, indent: str, step: str) -> cst.BaseExpression:
    """Indent the lines of a chain so that its builders stand at ``indent``.

    ``dot`` is one of those in front of which the chain breaks; where it breaks inside arguments
    alone, everything moves by ``step``. The text of strings stays as it is.
    """
    removed, added = 0, step
    if has_break(dot):
        now = code(dot).rstrip(".").rpartition("\n")[2]
        if indent.startswith(now):
            added = indent[len(now) :]
        elif now.startswith(indent):
            removed, added = len(now) - len(indent), ""
    return with_line_starts(node, lambda now: now[: max(0, len(now) - removed)] + added)


def reindented_node(node: Node, old: str, new: str) -> Node:
    """Return ``node`` with the lines that start with ``old`` white space at ``new``."""
    return with_line_starts(
        node, lambda now: new + (now.removeprefix(old) if now.startswith(old) else "")
    )


def last_indent(space: cst.BaseParenthesizableWhitespace) -> str:
    """Return the white space that the line after ``space`` starts with."""
    return code(space).rpartition("\n")[2]


def enclose(
    function: cst.BaseExpression,
    argument: cst.BaseExpression,
    indent: str,
    step: str,
    ending: cst.BaseParenthesizableWhitespace | None = None,
) -> cst.Call:
    """Return ``function(argument)``; an argument of several lines gets lines of its own.

    ``argument`` must already be where it would then be: ``step`` beyond ``indent``. Comments in
    ``ending`` are put after the argument.
    """
    if not has_break(argument) and (ending is None or not has_comment(ending)):
        return cst.Call(function, [cst.Arg(argument)])
    return broken_call(function, argument, indent, step, ending)


def broken_call(
    function: cst.BaseExpression,
    argument: cst.BaseExpression,
    indent: str,
    step: str,
    ending: cst.BaseParenthesizableWhitespace | None = None,
) -> cst.Call:
    """Return ``function(argument)`` with the argument on lines of its own."""
    close = line_break(indent)
    if isinstance(ending, cst.ParenthesizedWhitespace) and has_comment(ending):
        close = close.with_changes(first_line=ending.first_line, empty_lines=ending.empty_lines)
    return cst.Call(
        function,
        [cst.Arg(argument, whitespace_after_arg=close)],
        whitespace_before_args=line_break(indent + step),
    )


class _CommaBeforeBreak(cst.CSTVisitor):
    """Looks for a call or display whose last comma precedes a line break."""

    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        parts: Sequence[Any] = getattr(node, "args", None) or getattr(node, "elements", None) or ()
        if parts and isinstance(parts[-1].comma, cst.Comma):
            closing = [getattr(node, name, None) for name in ("rbrace", "rbracket")]
            closing += getattr(node, "rpar", [])
            ends = [parts[-1].comma, *(bracket for bracket in closing if bracket is not None)]
            self.found = self.found or any(map(has_break, ends))
        return not self.found


def ends_in_comma(node: cst.CSTNode) -> bool:
    """Whether a list in ``node`` ends in a comma before its line break: it is to stay a list."""
    if not has_break(node):
        return False
    search = _CommaBeforeBreak()
    node.visit(search)
    return search.found


def is_continued(dot: cst.Dot) -> bool:
    """Whether the line is broken at ``dot`` by a backslash."""
    return "\\" in code(dot)


def in_brackets(dot: cst.Dot, indent: str) -> cst.Dot:
    """Return ``dot`` as it is written inside brackets, where no backslash is needed."""
    return cst.Dot(whitespace_before=line_break(indent)) if is_continued(dot) else dot


def dot_of(call: cst.Call) -> cst.Dot:
    """Return the dot of a method call."""
    return cst.ensure_type(call.func, cst.Attribute).dot


def with_dot(call: cst.Call, dot: cst.Dot) -> cst.Call:
    """Return the method call ``call`` with another dot."""
    return call.with_changes(func=cst.ensure_type(call.func, cst.Attribute).with_changes(dot=dot))


@lru_cache(maxsize=8)  # asked again while one statement is laid out
def one_line(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return an expression without comments on one line, as far as its strings allow it."""
    # Most are on one line unchanged: visiting a tree takes longer than printing it.
    text = code(node)
    if "\n" not in text and "\r" not in text:
        return node
    changed = node.visit(_OneLine())
    return changed if isinstance(changed, type(node)) else node


def _ended_value(before: cst.BaseExpression, after: Any) -> Any:
    """Return a display that was broken without the comma after its last element."""
    if not has_break(before) or not after.elements:
        return after
    *others, last = after.elements
    is_one = isinstance(after, cst.Tuple) and not others
    comma = cst.Comma() if is_one else cst.MaybeSentinel.DEFAULT
    return after.with_changes(elements=[*others, last.with_changes(comma=comma)])


class _OneLine(cst.CSTTransformer):
    """Puts an expression without comments on one line."""

    def leave_ParenthesizedWhitespace(  # noqa: N802  named by LibCST
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.BaseParenthesizableWhitespace:
        del original_node, updated_node
        return cst.SimpleWhitespace(" ")

    def leave_Dot(self, original_node: cst.Dot, updated_node: cst.Dot) -> cst.Dot:  # noqa: N802
        return cst.Dot() if has_break(original_node) else updated_node

    def leave_Call(  # noqa: N802
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        if not has_break(original_node) or not updated_node.args:
            return updated_node
        last = updated_node.args[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=_NOTHING
        )
        return updated_node.with_changes(
            args=[*updated_node.args[:-1], last], whitespace_before_args=_NOTHING
        )

    def leave_SimpleWhitespace(  # noqa: N802
        self, original_node: cst.SimpleWhitespace, updated_node: cst.SimpleWhitespace
    ) -> cst.SimpleWhitespace:
        return cst.SimpleWhitespace(" ") if "\n" in original_node.value else updated_node

    def leave_ConcatenatedString(  # noqa: N802
        self, original_node: cst.ConcatenatedString, updated_node: cst.ConcatenatedString
    ) -> cst.ConcatenatedString:
        return updated_node.with_changes(whitespace_between=original_node.whitespace_between)

    def _leave_display(self, original_node: Any, updated_node: Any) -> Any:
        return _ended_value(original_node, updated_node)

    leave_List = leave_Set = leave_Dict = leave_Tuple = _leave_display  # noqa: N815  LibCST's names

    def _leave_bracket(self, original_node: Any, updated_node: Any) -> Any:
        return type(original_node)() if has_break(original_node) else updated_node

    leave_LeftParen = leave_RightParen = _leave_bracket  # noqa: N815
    leave_LeftCurlyBrace = leave_RightCurlyBrace = _leave_bracket  # noqa: N815
    leave_LeftSquareBracket = leave_RightSquareBracket = _leave_bracket  # noqa: N815
