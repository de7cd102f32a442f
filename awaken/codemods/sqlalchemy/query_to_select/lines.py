"""The layout of rewritten queries: a chain keeps its lines, and a line too long is broken."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from awaken.contract import Surroundings

_MODULE = cst.Module([])


def code(node: cst.CSTNode) -> str:
    """Return the source text of ``node``."""
    return _MODULE.code_for_node(node)


def has_break(node: cst.CSTNode) -> bool:
    """Whether ``node`` takes more than one line."""
    return "\n" in code(node)


def clean_break(dot: cst.Dot) -> cst.Dot:
    """Return a dot with the line break of ``dot`` but without its comments and blank lines."""
    return dot.with_changes(
        whitespace_before=without_comments(dot.whitespace_before),
        whitespace_after=without_comments(dot.whitespace_after),
    )


def without_comments(
    space: cst.BaseParenthesizableWhitespace,
) -> cst.BaseParenthesizableWhitespace:
    """Return ``space`` with its line break but without its comments and blank lines."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    return space.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])


def has_comment(space: cst.BaseParenthesizableWhitespace) -> bool:
    """Whether ``space`` holds a comment."""
    return "#" in code(space)


def behind(space: cst.ParenthesizedWhitespace, dot: cst.Dot, line_break: cst.Dot) -> cst.Dot:
    """Return ``dot`` behind the comments of ``space``, on a line that starts like another."""
    before = dot.whitespace_before
    later: Sequence[cst.EmptyLine] = ()
    last_line = space.last_line
    if isinstance(before, cst.ParenthesizedWhitespace):
        last_line = before.last_line
        later = [cst.EmptyLine(comment=before.first_line.comment), *before.empty_lines]
    elif has_break(line_break):
        indent = code(line_break).replace(".", "").rpartition("\n")[2]
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
    """Return ``call``, whose argument stands on a line of its own, with comments in front of it."""
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
    opening = break_at(indent).with_changes(first_line=first.first_line, empty_lines=lines)
    return call.with_changes(whitespace_before_args=opening)


def line_indent(dot: cst.Dot, around: Surroundings) -> str:
    """Return the white space in front of the line on which ``dot`` stands."""
    for space in (dot.whitespace_after, dot.whitespace_before):
        text = code(space)
        if "\n" in text:
            return text.rpartition("\n")[2]
    return around.line_indent


class _Shift(cst.CSTTransformer):
    """Replaces the end of the white space in front of each line but the first."""

    def __init__(self, removed: int, added: str) -> None:
        super().__init__()
        self._removed = removed
        self._added = added

    def leave_ParenthesizedWhitespace(  # noqa: N802  named by LibCST
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        del original_node
        empty_lines = [
            line.with_changes(whitespace=self._moved(line.whitespace))
            if line.comment is not None
            else line
            for line in updated_node.empty_lines
        ]
        last_line = self._moved(updated_node.last_line)
        return updated_node.with_changes(empty_lines=empty_lines, last_line=last_line)

    def _moved(self, space: cst.SimpleWhitespace) -> cst.SimpleWhitespace:
        kept = space.value[: max(0, len(space.value) - self._removed)]
        return cst.SimpleWhitespace(kept + self._added)


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
    moved = node.visit(_Shift(removed, added))
    return moved if isinstance(moved, cst.BaseExpression) else node


def break_at(indent: str) -> cst.ParenthesizedWhitespace:
    """Return a line break, the next line indented by ``indent``."""
    return cst.ParenthesizedWhitespace(indent=False, last_line=cst.SimpleWhitespace(indent))


def enclose(
    function: cst.BaseExpression,
    argument: cst.BaseExpression,
    indent: str,
    step: str,
    ending: cst.BaseParenthesizableWhitespace | None = None,
) -> cst.Call:
    """Return ``function(argument)``; an argument of several lines gets lines of its own.

    ``argument`` must already stand where it would then be: ``step`` beyond ``indent``. Comments
    in ``ending`` are put behind the argument.
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
    close = break_at(indent)
    if isinstance(ending, cst.ParenthesizedWhitespace) and has_comment(ending):
        close = close.with_changes(first_line=ending.first_line, empty_lines=ending.empty_lines)
    return cst.Call(
        function,
        [cst.Arg(argument, whitespace_after_arg=close)],
        whitespace_before_args=break_at(indent + step),
    )


def split_chain(node: cst.BaseExpression, indent: str) -> cst.BaseExpression:
    """Put every builder of a one-line chain on a line of its own, at ``indent``."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return node
    value = node.func.value
    if isinstance(value, cst.Name):
        return node
    dot = cst.Dot(whitespace_before=break_at(indent))
    return node.with_changes(func=node.func.with_changes(value=split_chain(value, indent), dot=dot))


def chain_length(node: cst.BaseExpression) -> int:
    """Return how many builders are called on the start of a chain."""
    count = 0
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if isinstance(node.func.value, cst.Name):
            break
        count += 1
        node = node.func.value
    return count


def split_arguments(node: cst.BaseExpression, indent: str, step: str) -> cst.BaseExpression:
    """Put the arguments of the last call of a one-line chain on a line of their own."""
    if not isinstance(node, cst.Call) or not node.args:
        return node
    last = node.args[-1].with_changes(
        comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=break_at(indent)
    )
    return node.with_changes(
        args=[*node.args[:-1], last], whitespace_before_args=break_at(indent + step)
    )


def fit(node: cst.BaseExpression, indent: str, step: str, length: int) -> cst.BaseExpression:
    """Return a one-line chain that stands at ``indent``, broken if it is too long for that."""
    if len(indent) + len(code(node)) <= length:
        return node
    if chain_length(node) > 1:
        return split_chain(node, indent)
    return split_arguments(node, indent, step)


def is_continued(dot: cst.Dot) -> bool:
    """Whether the line is broken at ``dot`` by a backslash."""
    return "\\" in code(dot)


def in_brackets(dot: cst.Dot, indent: str) -> cst.Dot:
    """Return ``dot`` as it is written inside brackets, where no backslash is needed."""
    return cst.Dot(whitespace_before=break_at(indent)) if is_continued(dot) else dot


def dot_of(call: cst.Call) -> cst.Dot:
    """Return the dot of a method call."""
    return cst.ensure_type(call.func, cst.Attribute).dot


def with_dot(call: cst.Call, dot: cst.Dot) -> cst.Call:
    """Return the method call ``call`` with another dot."""
    return call.with_changes(func=cst.ensure_type(call.func, cst.Attribute).with_changes(dot=dot))
