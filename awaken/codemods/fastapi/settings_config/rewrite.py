"""The rewriter of a `class Config`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
from msgspec import Struct, field
from msgspec.structs import replace

from awaken.codemods.fastapi.settings_config.payload import ConfigRewrite
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, deeper, fit_arguments, keyword_argument
from awaken.editing.pragmas import width_behind

_TARGET = "model_config"
_COMMENT_GAP = "  "


class _Item(Struct):
    """One setting with the comments above it and the one after it."""

    argument: cst.Arg
    above: list[cst.Comment] = field(default_factory=list)
    behind: cst.Comment | None = None


def rewrite_config(
    node: cst.ClassDef, data: ConfigRewrite, around: Surroundings
) -> cst.SimpleStatementLine:
    """``class Config: env_file = ".env"`` → ``model_config = SettingsConfigDict(env_file=...)``."""
    items = list(_items(node, data))
    header = _header(node)
    function = cst.parse_expression(data.function)
    call = cst.Call(function, [item.argument for item in items])
    # Each setting with a comment needs a line of its own to keep it.
    apart = any(item.above or item.behind for item in items)
    comment = None
    if items and (apart or any("\n" in code(item.argument) for item in items)):
        call = _exploded_call(call, items, header, around)
    else:
        comment = header
        # The call starts after the target, which takes room on its line.
        width = around.column + len(f"{_TARGET} = ")
        call = fit_arguments(call, replace(around, column=width, trailing=_width(comment)))
    above = [
        cst.EmptyLine(comment=cst.Comment(f"# {line}" if line else "#")) for line in data.docstring
    ]
    return cst.SimpleStatementLine(
        [cst.Assign([cst.AssignTarget(cst.Name(_TARGET))], call)],
        leading_lines=[*node.leading_lines, *node.lines_after_decorators, *above],
        trailing_whitespace=_trailing(comment),
    )


def _width(comment: cst.Comment | None) -> int:
    return 0 if comment is None else width_behind(_COMMENT_GAP + comment.value)


def _trailing(comment: cst.Comment | None) -> cst.TrailingWhitespace:
    gap = cst.SimpleWhitespace(_COMMENT_GAP if comment is not None else "")
    return cst.TrailingWhitespace(gap, comment)


def _header(node: cst.ClassDef) -> cst.Comment | None:
    """Return the comment after ``class Config:``."""
    body = node.body
    if isinstance(body, cst.SimpleStatementSuite):
        return body.trailing_whitespace.comment
    return body.header.comment if isinstance(body, cst.IndentedBlock) else None


def _items(node: cst.ClassDef, data: ConfigRewrite) -> Iterator[_Item]:
    keys, pending = iter(data.keys), list[cst.Comment]()
    for line in node.body.body:
        if isinstance(line, cst.SimpleStatementLine):
            pending += [item.comment for item in line.leading_lines if item.comment is not None]
            behind = line.trailing_whitespace.comment
            small: Sequence[cst.BaseSmallStatement] = line.body
        else:
            behind = None
            small = [line] if isinstance(line, cst.BaseSmallStatement) else []
        made = [_argument(item, next(keys), data) for item in small if _is_setting(item)]
        for argument in made:
            # Statements on one line share its comment: it stays after the last one.
            yield _Item(argument, pending, behind if argument is made[-1] else None)
            pending = []
        # The comment of a `pass` or a docstring moves to the next setting.
        if not made and behind is not None:
            pending.append(behind)


def _is_setting(node: cst.BaseSmallStatement) -> bool:
    return isinstance(node, cst.Assign | cst.AnnAssign)


def _argument(node: cst.BaseSmallStatement, key: str, data: ConfigRewrite) -> cst.Arg:
    if key in data.literals:
        return keyword_argument(key, cst.SimpleString(f'"{data.literals[key]}"'))
    value = node.value if isinstance(node, cst.Assign | cst.AnnAssign) else None
    if value is None:
        raise TypeError(f"no value: {code(node)}")
    return keyword_argument(key, value)


def _exploded_call(
    call: cst.Call, items: Sequence[_Item], header: cst.Comment | None, around: Surroundings
) -> cst.Call:
    outer = around.line_indent
    inner = outer + around.indent
    arguments = []
    for number, item in enumerate(items):
        last = number == len(items) - 1
        above = [] if last else items[number + 1].above
        space = _line_break(item.behind, above, inner, outer if last else inner)
        argument = cst.ensure_type(deeper(item.argument, around.indent), cst.Arg)
        # The comma comes before the comment, so the comment hangs on the comma's whitespace.
        arguments.append(argument.with_changes(comma=cst.Comma(whitespace_after=space)))
    opening = _line_break(header, items[0].above, inner, inner)
    return call.with_changes(args=arguments, whitespace_before_args=opening)


def _line_break(
    behind: cst.Comment | None, above: Sequence[cst.Comment], indent: str, last: str
) -> cst.ParenthesizedWhitespace:
    """Return the end of a line, lines of comments, and what the next line starts with."""
    lines = [
        cst.EmptyLine(indent=False, whitespace=cst.SimpleWhitespace(indent), comment=comment)
        for comment in above
    ]
    return cst.ParenthesizedWhitespace(
        _trailing(behind), lines, indent=False, last_line=cst.SimpleWhitespace(last)
    )
