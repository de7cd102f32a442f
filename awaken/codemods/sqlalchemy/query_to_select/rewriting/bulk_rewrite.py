"""Writes bulk updates and deletes, and sliced queries, with the rewriter of queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.query_to_select.payload import Argument, BulkRewrite, SliceRewrite
from awaken.codemods.sqlalchemy.query_to_select.rewriting.enclosing import in_call
from awaken.codemods.sqlalchemy.query_to_select.rewriting.rewrite import rewrite_query
from awaken.contract import Surroundings
from awaken.editing.call_arguments import bare_argument, code, line_break
from awaken.editing.chains import chain_lines

_NO_SPACE = cst.SimpleWhitespace("")
_ROWCOUNT = "rowcount"
_FILTERS = frozenset({"filter", "filter_by", "options", "where"})


# ---------------------------------------------------------------------------------------- slices
def rewrite_slice(
    node: cst.Subscript, data: SliceRewrite, around: Surroundings
) -> cst.BaseExpression:
    """``session.query(A)[1:3]`` → ``session.scalars(select(A).slice(1, 3)).all()``."""
    subscript = f"[{data.subscript}]" if data.subscript is not None else ""
    # The rewriter of queries needs a terminator; `all()` gives a list, as the slice did.
    ended = cst.Call(cst.Attribute(node.value, cst.Name("all")))
    wider = chain_lines.followed_anchor(around, len(subscript))
    rows = rewrite_query(ended, data.query, wider)
    if subscript:
        template = cst.ensure_type(cst.parse_expression(f"x{subscript}"), cst.Subscript)
        rows = template.with_changes(value=rows)
    return rows.with_changes(lpar=node.lpar, rpar=node.rpar)


# ------------------------------------------------------------------------- bulk update and delete
def rewrite_write(node: cst.Call, data: BulkRewrite, around: Surroundings) -> cst.BaseExpression:
    """``session.query(A).delete()`` → ``session.execute(delete(A)).rowcount``."""
    if data.cast is None:
        written = _executed_node(node, data, around)
    else:
        function, wanted = data.cast
        wider = chain_lines.followed_anchor(around, len(f".{_ROWCOUNT}"))
        written = in_call(function, [wanted], lambda room: _executed_node(node, data, room), wider)
    if data.rowcount:
        written = cst.Attribute(written, cst.Name(_ROWCOUNT))
    return written.with_changes(lpar=node.lpar, rpar=node.rpar)


def _executed_node(node: cst.Call, data: BulkRewrite, around: Surroundings) -> cst.BaseExpression:
    by_criteria = node if data.by_criteria is None else _by_criteria(node, data.by_criteria, around)
    chain = _with_links(by_criteria, data, around)
    parameters = _parameters(chain, data)
    trailing = len(f", {code(parameters)}") if parameters is not None else 0
    trailing += len(f".{_ROWCOUNT}") if data.rowcount and data.cast is None else 0
    # The lines leave room for the text that follows the statement.
    wider = chain_lines.followed_anchor(around, trailing)
    written = rewrite_query(chain, data.statement, wider)
    if parameters is not None:
        written = _with_parameters(cst.ensure_type(written, cst.Call), parameters)
    return written.with_changes(lpar=[], rpar=[])


def _by_criteria(node: cst.Call, start: str, around: Surroundings) -> cst.Call:
    """``query.delete()`` → ``delete(A).where(query.whereclause).delete()``."""
    ended, step = cst.ensure_type(node.func, cst.Attribute), around.indent
    criteria = cst.Attribute(_with_where(ended.value), cst.Name("whereclause"), dot=ended.dot)
    where = cst.Attribute(cst.parse_expression(start), cst.Name("where"), dot=ended.dot)
    filtered = cst.Call(where, [cst.Arg(criteria)])
    if chain_lines.has_break(ended.dot):
        indent = chain_lines.line_indent(ended.dot, around)
        moved = chain_lines.move(criteria, ended.dot, indent + step, step)
        filtered = chain_lines.broken_call(where, moved, indent, step)
    return node.with_changes(func=ended.with_changes(value=filtered))


def _with_where(statement: cst.BaseExpression) -> cst.BaseExpression:
    """Return a chain with ``where`` for each ``filter``, as the statement around it has it."""
    func = statement.func if isinstance(statement, cst.Call) else None
    if not isinstance(func, cst.Attribute) or func.attr.value not in _FILTERS:
        return statement
    name = cst.Name("where") if func.attr.value == "filter" else func.attr
    return statement.with_changes(func=func.with_changes(value=_with_where(func.value), attr=name))


def _with_links(node: cst.Call, data: BulkRewrite, around: Surroundings) -> cst.Call:
    """Return the chain with builders in place of the arguments of its terminator."""
    ended = cst.ensure_type(node.func, cst.Attribute)
    made = list(_links(node, data, around))
    if not made:
        return node.with_changes(lpar=[], rpar=[])
    chain, dot = ended.value, ended.dot
    for name, call in made:
        chain = call.with_changes(func=cst.Attribute(chain, cst.Name(name), dot=dot))
        dot = chain_lines.clean_break(dot) if chain_lines.has_break(dot) else cst.Dot()
    return cst.ensure_type(chain, cst.Call)


def _links(
    node: cst.Call, data: BulkRewrite, around: Surroundings
) -> Iterator[tuple[str, cst.Call]]:
    given: dict[Argument, int] = {name: place for place, name in enumerate(data.arguments)}
    name = "ordered_values" if data.ordered else "values"
    if "values" in given:
        place = given["values"]
        argument = node.args[place].with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
        if data.ordered:
            yield name, _ordered_call(argument)
        else:
            yield name, _call_alone(node, place, argument, name, around)
    if "dialect" in given:
        yield "with_dialect_options", _dialect_options(node.args[given["dialect"]])
    if "synchronize_session" in given:
        place = given["synchronize_session"]
        argument = node.args[place].with_changes(
            keyword=cst.Name("synchronize_session"), equal=cst.AssignEqual(_NO_SPACE, _NO_SPACE)
        )
        name = "execution_options"
        yield name, _call_alone(node, place, argument, name, around)


def _call_alone(
    node: cst.Call, place: int, argument: cst.Arg, name: str, around: Surroundings
) -> cst.Call:
    """Return a call with one of the arguments of ``node``, on its own lines if it needs them."""
    if len(node.args) == 1:
        return node.with_changes(args=[argument], lpar=[], rpar=[])
    bare = bare_argument(argument)
    opening, closing = _spaces(node, place, around)
    line = f"{around.line_indent}{around.indent}.{name}({code(bare)})"
    fits = "\n" not in line and len(line) <= around.line_length
    has_comments = chain_lines.has_comment(opening) or chain_lines.has_comment(closing)
    if not has_comments and (fits or not chain_lines.has_break(opening)):
        return cst.Call(cst.Name(name), [bare])
    ending: dict[str, Any] = {"whitespace_after_arg": closing}
    if isinstance(node.args[-1].comma, cst.Comma):
        ending = {"comma": cst.Comma(whitespace_after=closing)}
    return cst.Call(cst.Name(name), [bare.with_changes(**ending)], whitespace_before_args=opening)


def _spaces(
    node: cst.Call, place: int, around: Surroundings
) -> tuple[cst.BaseParenthesizableWhitespace, cst.BaseParenthesizableWhitespace]:
    """Return the text before and after an argument of ``node`` once it is alone.

    Comments on lines of their own go with the argument below them, others with the one before them.
    """
    opening, closing = node.whitespace_before_args, _whitespace_after(node.args[-1])
    if not chain_lines.has_comment(opening) and not any(
        map(chain_lines.has_comment, map(_whitespace_after, node.args))
    ):
        return opening, closing
    indent = chain_lines.line_indent(cst.ensure_type(node.func, cst.Attribute).dot, around)
    if place > 0:
        step = (
            chain_lines.last_indent(opening)
            if chain_lines.has_break(opening)
            else indent + around.indent
        )
        opening = _with_comments(
            chain_lines.without_comments(opening), _whitespace_after(node.args[place - 1]), step
        )
    if place < len(node.args) - 1:
        closing = _at_end(
            chain_lines.without_comments(closing), _whitespace_after(node.args[place]), indent
        )
    if chain_lines.has_comment(opening) or chain_lines.has_comment(closing):
        opening = _with_line_break(opening, indent + around.indent)
        closing = _with_line_break(closing, indent)
    return opening, closing


def _whitespace_after(argument: cst.Arg) -> cst.BaseParenthesizableWhitespace:
    comma = argument.comma
    return comma.whitespace_after if isinstance(comma, cst.Comma) else argument.whitespace_after_arg


def _with_line_break(
    space: cst.BaseParenthesizableWhitespace, indent: str
) -> cst.ParenthesizedWhitespace:
    return space if isinstance(space, cst.ParenthesizedWhitespace) else line_break(indent)


def _with_comments(
    space: cst.BaseParenthesizableWhitespace, above: cst.BaseParenthesizableWhitespace, indent: str
) -> cst.BaseParenthesizableWhitespace:
    """Return ``space`` with the comments on lines of their own ``above`` an argument."""
    empty_lines = above.empty_lines if isinstance(above, cst.ParenthesizedWhitespace) else ()
    comments = [
        line.with_changes(indent=False, whitespace=cst.SimpleWhitespace(indent))
        for line in empty_lines
        if line.comment is not None
    ]
    return _with_line_break(space, indent).with_changes(empty_lines=comments) if comments else space


def _at_end(
    space: cst.BaseParenthesizableWhitespace, behind: cst.BaseParenthesizableWhitespace, indent: str
) -> cst.BaseParenthesizableWhitespace:
    """Return ``space`` with the comment ``behind`` an argument, on its line."""
    if isinstance(behind, cst.ParenthesizedWhitespace) and behind.first_line.comment is not None:
        return _with_line_break(space, indent).with_changes(first_line=behind.first_line)
    return space


def _ordered_call(argument: cst.Arg) -> cst.Call:
    """``[(A.x, 1), (A.y, 2)]`` → ``((A.x, 1), (A.y, 2))``, a variable → ``(*variable)``."""
    function, value = cst.Name("ordered_values"), argument.value
    # `ordered_values()` takes the pairs one by one, Query.update() a list of them.
    if isinstance(value, cst.List | cst.Tuple) and not any(
        isinstance(element, cst.StarredElement) for element in value.elements
    ):
        return cst.Call(
            function, [cst.Arg(element.value, comma=element.comma) for element in value.elements]
        )
    return cst.Call(function, [cst.Arg(value, star="*")])


def _dialect_options(argument: cst.Arg) -> cst.Call:
    """``{"mysql_limit": 1}`` → ``with_dialect_options(mysql_limit=1)``."""
    options = cst.ensure_type(argument.value, cst.Dict)
    return cst.Call(cst.Name("with_dialect_options"), _as_keywords(options.elements))


def _as_keywords(elements: Sequence[cst.BaseDictElement]) -> list[cst.Arg]:
    pairs = [cst.ensure_type(element, cst.DictElement) for element in elements]
    return [
        cst.Arg(
            pair.value,
            keyword=cst.Name(str(cst.ensure_type(pair.key, cst.SimpleString).evaluated_value)),
            equal=cst.AssignEqual(_NO_SPACE, _NO_SPACE),
        )
        for pair in pairs
    ]


# ------------------------------------------------------------------------------------ parameters
def _parameters(chain: cst.Call, data: BulkRewrite) -> cst.BaseExpression | None:
    """Return what ``params(...)`` of the old chain gives to ``execute``: a dictionary."""
    if data.params is None:
        return None
    # The chain is walked from its last call inwards, and the place is counted from its start.
    outer = len(data.statement.links) - 1 - data.params
    call = chain
    for _ in range(outer + (data.statement.ended == "call")):
        call = cst.ensure_type(cst.ensure_type(call.func, cst.Attribute).value, cst.Call)
    first = call.args[0]
    if first.keyword is None:
        return first.value
    return cst.Dict(
        [cst.DictElement(cst.SimpleString(f'"{_keyword(arg)}"'), arg.value) for arg in call.args]
    )


def _keyword(argument: cst.Arg) -> str:
    return cst.ensure_type(argument.keyword, cst.Name).value


def _with_parameters(execute: cst.Call, parameters: cst.BaseExpression) -> cst.Call:
    """Return ``session.execute(statement, parameters)``."""
    statement = execute.args[0]
    space: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
    if chain_lines.has_break(execute.whitespace_before_args):
        space = chain_lines.without_comments(execute.whitespace_before_args)
    first = statement.with_changes(
        comma=cst.Comma(whitespace_after=space), whitespace_after_arg=_NO_SPACE
    )
    second = cst.Arg(parameters, whitespace_after_arg=statement.whitespace_after_arg)
    return execute.with_changes(args=[first, second])
