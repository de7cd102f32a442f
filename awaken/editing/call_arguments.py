"""The arguments of a call: what replaces them keeps their layout, and a line too long is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import libcst as cst

from awaken.contract import Surroundings
from awaken.editing.parentheses import needs_parentheses, parenthesise

_MODULE = cst.Module([])
Node = TypeVar("Node", bound=cst.CSTNode)
_NO_SPACE = cst.SimpleWhitespace("")
_TIGHT = cst.AssignEqual(_NO_SPACE, _NO_SPACE)


def code(node: cst.CSTNode) -> str:
    """Return the source text of ``node``."""
    return _MODULE.code_for_node(node)


def keyword_argument(name: str, value: cst.BaseExpression) -> cst.Arg:
    """Return ``name=value``, in parentheses where the grammar asks for them: ``name=(1, 2)``."""
    argument = cst.Arg(value, keyword=cst.Name(name), equal=_TIGHT)
    if not needs_parentheses(argument, "value", value):
        return argument
    return argument.with_changes(value=parenthesise(value))


def bare_argument(argument: cst.Arg) -> cst.Arg:
    """Return ``argument`` without what separates it from the next one."""
    return argument.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=_NO_SPACE)


def appended_call(call: cst.Call, argument: cst.Arg) -> cst.Call:
    """Return ``call`` with one more argument at its end, laid out like the last one."""
    if not call.args:
        return call.with_changes(args=[argument])
    last = call.args[-1]
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    if comma is not None:  # a magic comma: what follows it closes the call
        between = _with_comment_of(_separator_of(call), comma.whitespace_after)
        closing = _with_comment_of(comma.whitespace_after, None)
        kept = last.with_changes(comma=comma.with_changes(whitespace_after=between))
        ended = argument.with_changes(comma=comma.with_changes(whitespace_after=closing))
        return call.with_changes(args=[*call.args[:-1], kept, ended])
    opening, closing = call.whitespace_before_args, last.whitespace_after_arg
    # A single argument on its own line may be there because of its length; two show the author's
    # style.
    one_per_line = (
        "\n" in code(opening) and len(call.args) > 1 and "\n" in code(_separator_of(call))
    )
    between = _with_comment_of(_separator_of(call), closing)
    if one_per_line:
        closing = _with_comment_of(closing, None)
    else:
        between = cst.SimpleWhitespace(" ")
    kept = last.with_changes(
        comma=cst.Comma(whitespace_after=between), whitespace_after_arg=_NO_SPACE
    )
    return call.with_changes(
        args=[*call.args[:-1], kept, argument.with_changes(whitespace_after_arg=closing)]
    )


def without_argument(call: cst.Call, index: int) -> cst.Call:
    """Return ``call`` without one argument; the last one left closes as the last one did."""
    kept: Sequence[cst.Arg] = [argument for at, argument in enumerate(call.args) if at != index]
    # Line breaks around the only argument would leave an open bracket.
    if not kept:
        return call.with_changes(args=[], whitespace_before_args=_NO_SPACE)
    if index == len(call.args) - 1:
        closing = call.args[-1]
        last = kept[-1].with_changes(
            comma=closing.comma, whitespace_after_arg=closing.whitespace_after_arg
        )
        kept = [*kept[:-1], last]
    return call.with_changes(args=kept)


def _with_comment_of(
    space: cst.BaseParenthesizableWhitespace, other: cst.BaseParenthesizableWhitespace | None
) -> cst.BaseParenthesizableWhitespace:
    """Return a line break with the comment that ``other`` has on its first line, if any."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    line = cst.TrailingWhitespace()
    if isinstance(other, cst.ParenthesizedWhitespace):
        line = other.first_line
    return space.with_changes(first_line=line)


def _separator_of(call: cst.Call) -> cst.BaseParenthesizableWhitespace:
    """Return the white space that separates the arguments of ``call``, without its comments."""
    space = call.whitespace_before_args
    if len(call.args) > 1 and isinstance(call.args[0].comma, cst.Comma):
        space = call.args[0].comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space if code(space) else cst.SimpleWhitespace(" ")
    return space.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])


def fits_line(text: str, around: Surroundings, *, fluent: bool = False) -> bool:
    """Whether a line can take the code, the first one without the parentheses around it.

    On one line the parentheses around it are not needed, unless it is ``fluent``.
    """
    outer = around.parentheses
    if "\n" in text:
        return False
    if outer is not None and outer.column + len(text) + outer.trailing <= around.line_length:
        return True
    is_inside = outer is None or fluent
    return is_inside and around.column + len(text) + around.trailing <= around.line_length


def fit_arguments(call: cst.Call, around: Surroundings, *, stays: bool = True) -> cst.Call:
    """Return ``call`` with its arguments on lines of their own, if its line would be too long.

    All on one line if they fit there, else one on each. A call with other line breaks ``stays``.
    """
    text = code(call)
    is_broken = "\n" in text
    # Lines that the author broke otherwise are left; only this shape is one of a formatter.
    if stays and is_hugged(text):
        fits = max(map(len, text.split("\n"))) <= around.line_length
    elif is_broken:
        fits = stays
    else:
        fits = around.column + len(text) + around.trailing <= around.line_length
    if fits:
        return call
    outer = around.line_indent
    inner = outer + around.indent
    plain = [bare_argument(argument) for argument in call.args]
    together = (stays or not is_broken) and len(inner) + len(
        ", ".join(code(item) for item in plain)
    ) <= around.line_length
    between = cst.SimpleWhitespace(" ") if together else line_break(inner)
    args: Sequence[cst.Arg] = [
        argument.with_changes(comma=cst.Comma(whitespace_after=between)) for argument in plain[:-1]
    ]
    ending = (
        cst.MaybeSentinel.DEFAULT if together else cst.Comma(whitespace_after=line_break(outer))
    )
    last = plain[-1].with_changes(
        comma=ending, whitespace_after_arg=line_break(outer) if together else _NO_SPACE
    )
    return call.with_changes(whitespace_before_args=line_break(inner), args=[*args, last])


def is_hugged(text: str) -> bool:
    """Whether all between the parentheses is on one line of its own, without a comment."""
    opening, _, rest = text.partition("\n")
    inside, _, closing = rest.partition("\n")
    if "#" in text or "\n" in closing or not inside:
        return False
    return opening.rstrip().endswith("(") and closing.lstrip().startswith(")")


def line_break(indent: str) -> cst.ParenthesizedWhitespace:
    """Return a line break, the next line indented by ``indent``."""
    return cst.ParenthesizedWhitespace(indent=False, last_line=cst.SimpleWhitespace(indent))


def deeper(node: Node, indent: str) -> Node:
    """Return ``node`` with each of its lines but the first moved right by ``indent``."""
    return with_line_starts(node, lambda now: indent + now)


def shallower(node: Node, width: int) -> Node:
    """Return ``node`` with each of its lines but the first moved left by ``width``, if it can."""
    return with_line_starts(node, lambda now: now[width:])


def with_line_starts(node: Node, changed: Callable[[str], str]) -> Node:
    """Return ``node`` with ``changed`` of the white space in front of each line but the first.

    Blank lines and the text of strings stay as they are.
    """
    moved = node.visit(_LineStarts(changed))
    return moved if isinstance(moved, type(node)) else node


class _LineStarts(cst.CSTTransformer):
    """Changes the white space in front of each line but the first, if it holds anything."""

    def __init__(self, changed: Callable[[str], str]) -> None:
        super().__init__()
        self._changed = changed

    def leave_ParenthesizedWhitespace(  # noqa: N802  named by LibCST
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        del original_node
        return updated_node.with_changes(last_line=self._moved_space(updated_node.last_line))

    def leave_EmptyLine(  # noqa: N802  named by LibCST
        self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine
    ) -> cst.EmptyLine:
        if original_node.comment is None:
            return updated_node
        return updated_node.with_changes(whitespace=self._moved_space(updated_node.whitespace))

    def _moved_space(self, space: cst.SimpleWhitespace) -> cst.SimpleWhitespace:
        return cst.SimpleWhitespace(self._changed(space.value))
