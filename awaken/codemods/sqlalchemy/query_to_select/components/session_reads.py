"""The session of a held query: read off it, as ``query.session``, or told to execute it."""

from __future__ import annotations

import ast
from typing import Literal

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import OF_SESSION, query_root
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.call_edges import FunctionContext
from awaken.project.source.trees import variable_of
from awaken.workspace.sources import LINE_END_BYTES

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
