"""Writes queries that begin at a class, and those that end in a method of Flask-SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ClassRewrite,
    ExtensionRewrite,
    GetRewrite,
    KindsRewrite,
    QueryRewrite,
    SliceRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.rewriting.bulk_rewrite import (
    rewrite_slice,
    rewrite_write,
)
from awaken.codemods.sqlalchemy.query_to_select.rewriting.get_rewrite import rewrite_get
from awaken.codemods.sqlalchemy.query_to_select.rewriting.kinds_rewrite import rewrite_kinds
from awaken.codemods.sqlalchemy.query_to_select.rewriting.rewrite import items_of, rewrite_query
from awaken.contract import Rewriter, Surroundings
from awaken.editing.call_arguments import bare_argument, code
from awaken.editing.chains import chain_lines

_NO_SPACE = cst.SimpleWhitespace("")


def write(node: Any, data: Any, around: Surroundings) -> cst.BaseExpression:
    """Return a query as a statement, by the way of ending it."""
    written: cst.BaseExpression = _WRITERS[type(data)](node, data, around)
    return written


def write_at_class(node: Any, data: ClassRewrite, around: Surroundings) -> cst.BaseExpression:
    """Return ``Model.query``, read as ``session.query(Model)``, as a statement."""
    return write(_read(node, cst.parse_expression(data.session)), data.data, around)


def _read(node: Any, session: cst.BaseExpression) -> Any:
    """Return ``node`` with the start of its chain as a call of ``session.query``."""
    match node:
        case cst.Attribute(attr=cst.Name("query")):
            # Brackets around `Model.query` go around the whole call that takes its place.
            query = node.with_changes(value=session, lpar=[], rpar=[])
            return cst.Call(query, [cst.Arg(node.value)], lpar=node.lpar, rpar=node.rpar)
        case cst.Call(func=cst.Attribute(attr=cst.Name("query")) as method):
            return node.with_changes(func=method.with_changes(value=session))
        case cst.Call():
            return node.with_changes(func=_read(node.func, session))
        case cst.Attribute() | cst.Subscript():
            return node.with_changes(value=_read(node.value, session))
    return node


def rewrite_extended(
    node: cst.Call, data: ExtensionRewrite, around: Surroundings
) -> cst.BaseExpression:
    """``db.query(User).paginate(page=1)`` → ``db.paginate(select(User), page=1)``."""
    arguments = [
        _keyword_argument(argument, data, number) for number, argument in enumerate(node.args)
    ]
    if data.statement is None:
        return _with_class(node, data, arguments)
    given = "".join(f", {code(argument)}" for argument in arguments)
    wider = chain_lines.followed_anchor(around, len(given))
    written = cst.ensure_type(rewrite_query(node, data.statement, wider), cst.Call)
    first = written.args[0]
    space: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
    if chain_lines.has_break(written.whitespace_before_args):
        space = chain_lines.without_comments(written.whitespace_before_args)
    comma = cst.Comma(whitespace_after=space)
    *others, last = [first.with_changes(whitespace_after_arg=_NO_SPACE), *arguments]
    args = [argument.with_changes(comma=comma) for argument in others]
    end = first.whitespace_after_arg
    if arguments and chain_lines.has_break(space) and chain_lines.has_break(end):
        last = last.with_changes(comma=cst.Comma(whitespace_after=end))
    else:
        last = last.with_changes(whitespace_after_arg=end)
    return written.with_changes(args=[*args, last])


def _keyword_argument(argument: cst.Arg, data: ExtensionRewrite, number: int) -> cst.Arg:
    """Return an argument without what separates it from the next, by name if it needs one."""
    bare = bare_argument(argument)
    is_key = data.statement is None and number == 0
    if bare.keyword is not None or data.keyword is None or is_key:
        return bare
    equal = cst.AssignEqual(_NO_SPACE, _NO_SPACE)
    return bare.with_changes(keyword=cst.Name(data.keyword), equal=equal)


def _with_class(node: cst.Call, data: ExtensionRewrite, arguments: list[cst.Arg]) -> cst.Call:
    """``db.query(User).get_or_404(1)`` → ``db.get_or_404(User, 1)``."""
    root = cst.ensure_type(cst.ensure_type(node.func, cst.Attribute).value, cst.Call)
    model = bare_argument(items_of(root)[0])
    func = cst.ensure_type(root.func, cst.Attribute).with_changes(attr=cst.Name(data.method))
    return cst.Call(func, [model, *arguments], lpar=node.lpar, rpar=node.rpar)


_WRITERS: Mapping[type, Rewriter] = {
    QueryRewrite: rewrite_query,
    GetRewrite: rewrite_get,
    BulkRewrite: rewrite_write,
    SliceRewrite: rewrite_slice,
    ExtensionRewrite: rewrite_extended,
    KindsRewrite: rewrite_kinds,
}
