"""The rewriters: of the call to what it waits for, and of the statement to a block with a limit."""

from __future__ import annotations

import libcst as cst
from msgspec.structs import replace

from awaken.codemods.asyncio.wait_for_to_timeout.payload import Limited
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, fit_arguments
from awaken.editing.chains.chain_lines import last_indent, reindented_node
from awaken.editing.comments import lost_comments


def awaited_node(node: cst.Call, _data: None, around: Surroundings) -> cst.BaseExpression:
    """``wait_for(f(x), 3)`` → ``f(x)``."""
    given = next(
        (item for item in node.args if item.keyword is not None and item.keyword.value == "fut"),
        node.args[0],
    )
    value = given.value
    before = node.whitespace_before_args
    if "\n" in code(before):
        # A comment on its own line moves to the place of the call.
        indent = last_indent(before)
        value = reindented_node(value, indent, indent.removesuffix(around.indent))
    if not isinstance(value, cst.Call):
        return value
    inside = replace(
        around,
        column=around.column + len(around.indent),
        line_indent=around.line_indent + around.indent,
    )
    return fit_arguments(value, inside)


def limit(node: cst.BaseSmallStatement, data: Limited, _around: Surroundings) -> cst.With:
    """``await f(x)`` → ``async with timeout(3): await f(x)``."""
    item = cst.WithItem(cst.parse_expression(data.manager))
    lost = lost_comments("\n".join(data.comments), code(node))
    header = cst.TrailingWhitespace()
    if data.beside in lost:
        lost.remove(data.beside)
        header = cst.TrailingWhitespace(cst.SimpleWhitespace("  "), cst.Comment(data.beside))
    body = cst.IndentedBlock([cst.SimpleStatementLine([node])], header=header)
    above = [cst.EmptyLine(comment=cst.Comment(name)) for name in lost]
    return cst.With([item], body, asynchronous=cst.Asynchronous(), leading_lines=above)
