"""Explains, for ``awaken explain``, why a place that looks like a query is not a site."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    BUILDERS,
    COLUMN_VALUES,
    EMBEDDING,
    EXECUTING,
    WRITES,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import prove_session, short_text
from awaken.codemods.sqlalchemy.query_to_select.recognise.plausible import (
    asks_for_text,
    imports_library,
)
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import (
    recognise,
    recognise_at_class,
)
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Place, Span
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.trees import last_name, receivers
from awaken.project.values.domain import Unknown

_STATEMENTS = frozenset({"select", "insert", "update", "delete", "text"})
_SESSION_METHODS = library_names().executing_methods | library_names().by_key
_OF_QUERIES = BUILDERS | EXECUTING | EMBEDDING | WRITES | COLUMN_VALUES
_SPELLING = re.compile(rb"[\w)\]]\.query\s*\(|\bQuery\(")


def why_no_site(reader: Reader, span: Span) -> str | None:
    """Return why nothing in ``span`` of the reader's file is a query; None if nothing looks so.

    Code in the span itself counts first, then the innermost expression around it.
    """
    # Operators and contexts have no place in the source.
    placed = [node for node in reader.module.walk() if hasattr(node, "lineno")]
    named = [node for node in placed if _touches(_name_span(reader, node), span)]
    around = [
        node
        for node in placed
        if isinstance(node, ast.Call) and reader.module.span(node).contains(span)
    ]
    around.sort(key=lambda node: -reader.module.span(node).start)
    return (
        _first(reader, named)
        or _in_string(reader, placed, span)
        or _in_comment(reader, span)
        or _first(reader, around)
    )


def _first(reader: Reader, nodes: Sequence[ast.AST]) -> str | None:
    return next((result for why in _WHYS for node in nodes if (result := why(reader, node))), None)


def _touches(one: Span | None, other: Span) -> bool:
    return one is not None and one.start <= other.end and other.start < one.end


def _name_span(reader: Reader, node: ast.AST) -> Span | None:
    """Return the place of the name of a call, an attribute or a definition."""
    module = reader.module
    match node:
        case ast.Attribute(attr=name):
            end = module.span(node).end
            return Span(end - len(name.encode()), end)
        case ast.Name():
            return module.span(node)
        case ast.Call(func=ast.Attribute() | ast.Name() as function):
            return _name_span(reader, function)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            start = module.span(node).start
            return Span(start, start + len("def"))
    return None


# ----------------------------------------------------------------------------- calls of ``query``
def _other_call(reader: Reader, node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr != "query" or recognise(reader, node) is not None:
        return None
    receiver = node.func.value
    text, origin = short_text(receiver), _origin(reader, receiver)
    proof = reader.project.orm.session_of(reader.module, receiver)
    # Any other session would have been recognised.
    if isinstance(proof, SessionProof):
        return f"`{text}` is an AsyncSession, which has no `query()`"
    if isinstance(proof, Unknown):
        why = f"{origin and f'{origin}; '}{proof.why}{_where(reader, node, proof.place)}"
        doubt = _doubt(reader, node)
        return f"nothing shows that `{text}` is a SQLAlchemy session ({why}); {doubt}"
    others = " or ".join(reader.project.orm.sessions.others(reader.module, receiver)) or "None"
    return f"`{text}` is {others}, not a SQLAlchemy session{origin and f' ({origin})'}"


def _doubt(reader: Reader, call: ast.Call) -> str:
    """Return what else speaks against a query of SQLAlchemy."""
    if not call.args:
        return "the call names no class or column to select"
    if asks_for_text(call):
        return (
            f"its first argument, `{short_text(call.args[0])}`, is not a class or column to select"
        )
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    help_text = prove_session(reader, receiver).removeprefix("If it is one, ").rstrip(".")
    nothing = "no argument is known to be a mapped class"
    if not imports_library(reader):
        nothing += ", and this file imports nothing of SQLAlchemy"
    return f"{nothing}. If it is a session, {help_text}"


def _origin(reader: Reader, receiver: ast.expr) -> str:
    """Return where a variable got its value, if that is one place of this file."""
    if not isinstance(receiver, ast.Name):
        return ""
    bindings = reader.bindings(receiver)
    if len(bindings) != 1 or bindings[0].value is None:
        return ""
    if bindings[0].kind not in {"assignment", "with", "for"}:
        return ""
    line = reader.module.line_column(reader.module.span(bindings[0].value))[0]
    return f"it comes from `{short_text(bindings[0].value)}` in line {line}"


def _where(reader: Reader, node: ast.AST, place: Place) -> str:
    """Return ``, app.py:12`` for a place that is not on the line of ``node``."""
    module = reader.project.module(place.path)
    if module is None:
        return f", {place.path}"
    line = module.line_column(place.span)[0]
    if place.path != reader.module.path:
        return f", {place.path}:{line}"
    return "" if line == getattr(node, "lineno", 0) else f", line {line}"


def _other_constructor(reader: Reader, node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or recognise(reader, node) is not None:
        return None
    if last_name(node.func) != "Query":
        return None
    name = reader.qualified_name(node.func)
    meant = "not known" if name is None else f"`{name}`"
    return f"`{short_text(node.func)}` is {meant}, and not `sqlalchemy.orm.Query`"


# ------------------------------------------------------------------- other things of that name
def _read(reader: Reader, node: ast.AST) -> str | None:
    """Explain an attribute ``query`` that is not called."""
    if not isinstance(node, ast.Attribute) or node.attr != "query":
        return None
    if reader.module.call_of(node) is not None or recognise_at_class(reader, node) is not None:
        return None
    text = short_text(node)
    if not isinstance(node.ctx, ast.Load):
        return f"`{text}` is assigned here, not called"
    if owner := _class_named(reader, node.value):
        return (
            f"`{text}` is read from {owner}, but nothing shows that it is a SQLAlchemy "
            f"query. If it is one, write `db.session.query({short_text(node.value)})`"
        )
    if isinstance(reader.project.orm.session_of(reader.module, node.value), SessionProof):
        return f"`{text}` is not called here; the rule looks only at its calls"
    return f"`{text}` is only read here; the rule looks at calls `query(...)`"


def _class_named(reader: Reader, node: ast.expr) -> str | None:
    """Return the class that ``node`` is, as a noun phrase, or None."""
    name = reader.qualified_name(node)
    status = "unknown" if name is None else reader.project.orm.models.status(name)
    if status in {"mapped", "base"}:
        return "a mapped class"
    last = last_name(node)
    if last == "cls":
        return "the class itself"
    known = name is not None and reader.project.class_facts(name) is not None
    # CamelCase is how a class is named, capitals alone a constant.
    camel = last[:1].isupper() and not last.isupper()
    return "a class" if known or (camel and status == "unknown") else None


def _definition(reader: Reader, node: ast.AST) -> str | None:
    del reader
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "query":
        return "this defines a `query`; the rule looks at calls of a session's `query`"
    return None


def _modern(reader: Reader, node: ast.AST) -> str | None:
    """Explain what is written in the style of SQLAlchemy 2.0 already."""
    if not isinstance(node, ast.Call):
        return None
    name = reader.library_name(node.func)
    if name in _STATEMENTS:
        return f"`{short_text(node.func)}(...)` already has the style of SQLAlchemy 2.0"
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in _SESSION_METHODS:
        return None
    if isinstance(reader.project.orm.session_of(reader.module, function.value), SessionProof):
        return f"`{short_text(function)}(...)` already has the style of SQLAlchemy 2.0"
    return None


def _continued_text(reader: Reader, node: ast.AST) -> str | None:
    """Explain a method of a query that an earlier statement began."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr not in _OF_QUERIES:
        return None
    start = _chain_start(node)
    if not isinstance(start, ast.Name):
        return None
    for root in _queries_in(reader, start):
        line = reader.module.line_column(reader.module.span(root))[0]
        return f"`{start.id}` holds the query that begins in line {line}, which has its own finding"
    return None


def _chain_start(node: ast.expr) -> ast.AST:
    """Return what a chain of methods is called on: ``q`` of ``q.filter(x).all()``."""
    for part in receivers(node):
        if isinstance(part, ast.Call) and _is_query_call(part):
            break
    return part


def _is_query_call(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "query"


def _queries_in(reader: Reader, name: ast.Name) -> Iterator[ast.Call]:
    """Yield the queries that a variable may hold, through other variables as well."""
    waiting, seen = [name], set[ast.AST]()
    while waiting:
        for binding in reader.bindings(waiting.pop()):
            if binding.value is None or binding.node in seen:
                continue
            seen.add(binding.node)
            start = _chain_start(binding.value)
            if isinstance(start, ast.Name):
                waiting.append(start)
            elif isinstance(start, ast.Call) and recognise(reader, start) is not None:
                yield start


# --------------------------------------------------------------------------- strings and comments
def _in_string(reader: Reader, placed: Sequence[ast.AST], span: Span) -> str | None:
    for node in placed:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            own = reader.module.span(node)
            part = Span(max(own.start, span.start), min(own.end, span.end))
            if _SPELLING.search(reader.module.source.text[part.start : part.end]):
                return "the query is inside a string, which does not run"
    return None


def _in_comment(reader: Reader, span: Span) -> str | None:
    """Explain the text after a ``#``; one in a string is explained as code."""
    line = reader.module.source.text[span.start : span.end]
    if _SPELLING.search(line.partition(b"#")[2]):
        return "the query is inside a comment, which does not run"
    return None


_WHYS: tuple[Callable[[Reader, ast.AST], str | None], ...] = (
    _other_call,
    _other_constructor,
    _read,
    _definition,
    _continued_text,
    _modern,
)
