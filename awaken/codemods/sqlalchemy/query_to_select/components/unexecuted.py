"""Uses of a held query that execute nothing: its value is dropped, or only its text is shown.

The text of a Query is that of its database's dialect, with labels of its own (``users_name``); a
``select()`` has neither.
"""

from __future__ import annotations

import ast
from typing import Literal

from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.knowledge.library_names import name_list
from awaken.project.source.trees import is_text

Unexecuted = tuple[Literal["dropped", "shown"], str, ast.expr]
"""Kind, name and whole of the end of a query, as ``read_end`` gives them."""

_LOGS = name_list("logging_methods")

OF_TEXT = (
    "a log or the screen shows the text of a `select()`, with other column names and "
    "without the database's dialect"
)
"""What may change where the text of a query is shown."""


def read_unexecuted(reader: Reader, node: ast.expr) -> Unexecuted | None:
    """Return how the query ``node`` ends if it is dropped, or shown by a logger or ``print``.

    The parts are those of ``read_end``.
    """
    module = reader.module
    if isinstance(module.parent(node), ast.Expr):
        return "dropped", "", node
    text = node
    while (longer := _longer_text(reader, text, node)) is not None:
        text = longer
    call = module.parent(text)
    if not isinstance(call, ast.Call) or text not in call.args:
        return None
    shows = isinstance(module.parent(call), ast.Expr) and _shows(reader, call)
    return ("shown", ast.unparse(call.func), node) if shows else None


def _longer_text(reader: Reader, text: ast.expr, query: ast.expr) -> ast.expr | None:
    """Return the text that replaces ``text``, or the text around it."""
    module = reader.module
    parent = module.parent(text)
    match parent:
        case ast.Call(func=ast.Name(id="str"), args=[_], keywords=[]) if text in parent.args:
            return None if module.scopes.is_bound("str", parent) else parent
        case ast.FormattedValue(conversion=-1 | 115):
            # No conversion (-1) and `!s` (115) show the text of the query, `!r` does not.
            joined = module.parent(parent)
            return joined if isinstance(joined, ast.expr) else None
        case ast.BinOp(op=ast.Add()) if text is not query:
            return parent
        case ast.BinOp(op=ast.Mod(), left=left):
            return parent if left is not text and is_text(left) else None
        case ast.Tuple():
            whole = module.parent(parent)
            if not isinstance(whole, ast.BinOp) or not isinstance(whole.op, ast.Mod):
                return None
            return whole if is_text(whole.left) else None
    return None


def _shows(reader: Reader, call: ast.Call) -> bool:
    """Whether ``call`` is one of a logger of Python's own, or of ``print`` to the screen."""
    match call.func:
        case ast.Name(id="print"):
            # With `file=` the text may go to where a program reads it.
            is_print = reader.module.scopes.builtin_called(call) == "print"
            return is_print and all(keyword.arg in {"sep", "end"} for keyword in call.keywords)
        case ast.Attribute(value=logger, attr=name) if name in _LOGS:
            instance = reader.project.instance_of(reader.module, logger)
            return instance == ("logging.Logger",) or reader.qualified_name(logger) == "logging"
    return False
