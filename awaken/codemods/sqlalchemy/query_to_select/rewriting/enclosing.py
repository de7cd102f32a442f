"""Puts what is written into a call or in parentheses, on one line or on lines of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst
import msgspec

from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, fits_line, line_break


def in_call(
    function: str,
    before: Sequence[str],
    write: Callable[[Surroundings], cst.BaseExpression],
    around: Surroundings,
) -> cst.Call:
    """Return ``function(*before, text)``; ``write`` gets the column of that text.

    ``before`` are the arguments in front of it, as text.
    """
    called = cst.parse_expression(function)
    first = [cst.parse_expression(text) for text in before]
    # On one line, if that is to be had: nothing is broken in it.
    node = write(msgspec.structs.replace(around, breaks_around=True, parentheses=None))
    whole = cst.Call(called, [*map(cst.Arg, first), cst.Arg(node)])
    if around.breaks_around or fits_line(code(whole), around):
        return whole
    indent = around.line_indent + around.indent
    outer = around.parentheses
    room = msgspec.structs.replace(
        around,
        line_indent=indent,
        column=len(indent),
        trailing=len(",") if first else 0,
        line_length=around.line_length + (0 if outer is None else outer.outdent),
        bracketed=True,
        parentheses=None,
    )
    comma = cst.Comma(whitespace_after=line_break(indent))
    closing = cst.Comma() if first else cst.MaybeSentinel.DEFAULT
    last = cst.Arg(write(room), comma=closing, whitespace_after_arg=line_break(around.line_indent))
    if first:
        # The line break follows the comma, which the last of several has.
        close = cst.Comma(whitespace_after=line_break(around.line_indent))
        last = last.with_changes(comma=close, whitespace_after_arg=cst.SimpleWhitespace(""))
    arguments = [*(cst.Arg(part, comma=comma) for part in first), last]
    return cst.Call(called, arguments, whitespace_before_args=line_break(indent))


def inside_parentheses(around: Surroundings) -> Surroundings:
    """Return what is around a value that ``in_parentheses`` puts on lines of its own."""
    indent = around.line_indent + around.indent
    return msgspec.structs.replace(
        around, line_indent=indent, column=len(indent), trailing=0, bracketed=True, is_value=False
    )


def in_parentheses(value: cst.BaseExpression, around: Surroundings) -> cst.BaseExpression:
    """Return ``value``, written for ``inside_parentheses``, with parentheses on their own lines."""
    inner = line_break(around.line_indent + around.indent)
    opens = cst.LeftParen(whitespace_after=inner)
    closes = cst.RightParen(whitespace_before=line_break(around.line_indent))
    return value.with_changes(lpar=[opens], rpar=[closes])
