"""Calls of ``query`` that nothing proves, and that look like one of SQLAlchemy all the same.

The evidence that a call of ``query`` is one of a session: that it asks for what is mapped.
"""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    BUILDERS,
    COLUMN_VALUES,
    EMBEDDING,
    EXECUTING,
    EXTENSIONS,
    WRITES,
)
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.f_strings import is_literal
from awaken.project.source.trees import last_name, without_arguments

_LIBRARIES = ("sqlalchemy", "flask_sqlalchemy", "sqlmodel", "flask_appbuilder", "alembic")
_OF_QUERIES = BUILDERS | EXECUTING | EMBEDDING | WRITES | COLUMN_VALUES | EXTENSIONS
_SESSIONS = frozenset({"db", "s", "sess", "dbs"})
_CLASSES = frozenset({"cls", "klass", "model", "model_class", "model_cls", "entity"})


def is_proved_by_use(reader: Reader, call: ast.Call) -> bool:
    """Whether this call, or another one on the same variable, asks for what is mapped."""
    if _asks_for_mapped(reader, call):
        return True
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    function = reader.module.enclosing_function(call)
    if not isinstance(receiver, ast.Name) or function is None:
        return False
    binding = reader.bindings(receiver)
    # A variable that is set twice may be something else at the other call.
    return len(binding) == 1 and any(
        isinstance(other, ast.Call)
        and isinstance(other.func, ast.Attribute)
        and other.func.attr == "query"
        and isinstance(other.func.value, ast.Name)
        and reader.bindings(other.func.value) == binding
        and _asks_for_mapped(reader, other)
        for other in reader.module.walk(function)
    )


def is_proved_by_use_alone(reader: Reader, call: ast.Call) -> bool:
    """Whether this call asks for what is mapped, and callers tell no more of its session."""
    sessions, module, function = reader.project.orm.sessions, reader.module, call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute)
        and any(
            _is_mapped(reader, node) or sessions.is_built_on(module, node) for node in call.args
        )
        and sessions.is_proved_by_use_alone(module, function.value)
        and _asks_for_mapped(reader, call)
    )


def _asks_for_mapped(reader: Reader, call: ast.Call) -> bool:
    if reader.project.orm.sessions.by_use(reader.module, call) is not None:
        return True
    evidence = next((argument for argument in call.args if _is_mapped(reader, argument)), None)
    if evidence is None:
        return False
    return reader.project.orm.sessions.by_use(reader.module, call, evidence) is not None


def _is_mapped(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` is a mapped class or an attribute of one, whatever name it has here."""
    for part in (node, node.value) if isinstance(node, ast.Attribute) else (node,):
        entity = entity_of(reader, part)
        if entity is not None:
            return not entity.certainty.is_presumed
    return False


def is_plausible(reader: Reader, call: ast.Call) -> bool:
    """Whether ``call`` may be a query although nothing proves its session.

    It must have an argument that is no text, and look like a query in one more way. In a file
    without SQLAlchemy two ways are needed. The ways are its name, a class as its argument, and the
    methods that are called on it.
    """
    # `Model.query()` of Google NDB asks for nothing.
    if not call.args or asks_for_text(call) or not reader.project.has_sessions:
        return False
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    signs = [
        _is_named_like_a_session(receiver),
        any(map(_is_like_a_class, call.args)),
        _is_continued(reader, call),
    ]
    return sum(signs) > 1 or (any(signs) and _is_with_library(reader))


def asks_for_text(call: ast.Call) -> bool:
    """Whether the first argument of ``call`` is a constant, a text or a dictionary."""
    # Clients of BigQuery and DuckDB, and data frames of pandas, are asked by a text.
    first = call.args[0] if call.args else None
    return first is not None and (is_literal(first) or isinstance(first, ast.Dict))


def imports_library(reader: Reader) -> bool:
    """Whether the reader's file imports anything of SQLAlchemy, or of what builds on it."""
    return any(
        isinstance(statement, ast.Import | ast.ImportFrom) and _imports_library(statement)
        for statement in reader.module.walk()
    )


def _imports_library(statement: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(statement, ast.ImportFrom):
        names = [statement.module or ""]
    else:
        names = [alias.name for alias in statement.names]
    return any(name.partition(".")[0] in _LIBRARIES for name in names)


def _is_with_library(reader: Reader) -> bool:
    """Whether the file uses SQLAlchemy, or will once its proven queries are rewritten."""
    return imports_library(reader) or any(
        isinstance(node, ast.Call) and _is_proved(reader, node) for node in reader.module.walk()
    )


def _is_proved(reader: Reader, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "query":
        return False
    known = reader.project.orm.session_of(reader.module, call.func.value)
    return isinstance(known, SessionProof) or is_proved_by_use(reader, call)


def _is_named_like_a_session(receiver: ast.expr) -> bool:
    name = last_name(without_arguments(receiver)).lower().strip("_")
    return "session" in name or name in _SESSIONS


def _is_like_a_class(node: ast.expr) -> bool:
    """Whether ``node`` is written like a class, ``models.User``, or an attribute of one."""
    parts = [node, node.value] if isinstance(node, ast.Attribute) else [node]
    names = [last_name(part) for part in parts if isinstance(part, ast.Name | ast.Attribute)]
    return any(
        name.lower().strip("_") in _CLASSES or (name[:1].isupper() and not name.isupper())
        for name in names
    )


def _is_continued(reader: Reader, call: ast.Call) -> bool:
    """Whether a method of Query is called on the result."""
    above = reader.module.parent(call)
    return isinstance(above, ast.Attribute) and above.attr in _OF_QUERIES
