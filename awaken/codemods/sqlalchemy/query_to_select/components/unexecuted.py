"""Uses of a held query that execute nothing: its value is dropped, or only its text is shown.

The text of a Query is that of its database's dialect, with labels of its own (``users_name``); a
``select()`` has neither.
"""

from __future__ import annotations

import ast
from typing import Literal

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import OF_SESSION, query_root
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.call_edges import FunctionContext
from awaken.project.source.trees import is_text, variable_of
from awaken.workspace.sources import LINE_END_BYTES

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


SessionRead = tuple[Literal["session", "argument"], str, ast.expr]
"""Kind, name and whole of the end of a query, as ``read_end`` gives them."""


def read_by_session(reader: Reader, node: ast.expr) -> SessionRead | None:
    """Return how the query ``node`` ends if its session is read off it, or executes it.

    The parts are those of ``read_end``.
    """
    whole = session_read_off(reader, node)
    if whole is not None:
        return "session", "session", whole
    call = reader.module.parent(node)
    if not isinstance(call, ast.Call) or call.args[:1] != [node]:
        return None
    called = call.func
    if isinstance(called, ast.Attribute) and called.attr in OF_SESSION:
        is_its_own = ast.unparse(called.value) == f"{ast.unparse(node)}.session"
        proof = reader.project.orm.session_of(reader.module, called.value)
        # A session takes a Query as well as a select(), up to SQLAlchemy 2.0.
        if is_its_own or (isinstance(proof, SessionProof) and "async" not in proof.kind):
            return "argument", called.attr, node
    return None


def query_read(
    reader: Reader, context: FunctionContext, receiver: ast.Attribute
) -> ast.Name | None:
    """Return the variable of ``query.session`` if it holds queries, as far as it is seen."""
    query = receiver.value
    if receiver.attr != "session" or not isinstance(query, ast.Name):
        return None
    bindings = context.flow.scope.bindings_of(query.id)
    notes = filter(None, (binding.declared_annotation for binding in bindings))
    is_noted = any(reader.library_name(note) == "Query" for note in notes)
    is_made = any(binding.value is not None and query_root(binding.value) for binding in bindings)
    return query if is_noted or is_made else None


def session_read_off(reader: Reader, node: ast.expr) -> ast.Attribute | None:
    """Return ``node.session`` or ``inspect(node).session`` around ``node``, if there is one."""
    module = reader.module
    parent = module.parent(node)
    if isinstance(parent, ast.Call) and parent.args == [node] and not parent.keywords:
        if reader.qualified_name(parent.func) != "sqlalchemy.inspect":
            return None
        parent = module.parent(parent)
    if not isinstance(parent, ast.Attribute) or parent.attr != "session":
        return None
    return parent if isinstance(parent.ctx, ast.Load) else None


def alias_of(context: FunctionContext, read: ast.expr) -> tuple[str, ast.stmt] | None:
    """Return the variable that the session is read into, and the statement that does it.

    None where it does more, has a comment, or may not run, or where the variable is set elsewhere
    too.
    """
    module = context.module
    statement = module.parent(read)
    variable, body = variable_of(statement), context.function.body
    if variable is None:
        return None
    bindings = context.flow.scope.bindings_of(variable.id)
    values = [binding for binding in bindings if binding.kind != "annotation"]
    # The only statement of a function cannot go.
    if statement not in body or len(body) == 1 or len(values) != 1:
        return None
    span, text = module.span(statement), module.source.text
    # A comment above or next to the statement would lose its subject.
    lines = [
        *text[: span.start].rstrip().splitlines()[-1:],
        LINE_END_BYTES.split(text[span.end :], maxsplit=1)[0],
    ]
    return None if any(b"#" in line for line in lines) else (variable.id, statement)
