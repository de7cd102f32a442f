"""Queries that begin at a class, ``Model.query``: what they ask for, and on which session."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    BUILDERS,
    EXECUTING,
    EXTENSIONS,
    WRITES,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import short_text
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.own_queries import OwnClass
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Place
from awaken.kit.names_here import Written
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.sqlalchemy.queries.class_queries import ClassQuery
from awaken.project.source.trees import last_name
from awaken.project.values.domain import Unknown

_METHODS = BUILDERS | EXECUTING | WRITES | EXTENSIONS
_TELLING = EXTENSIONS | {"filter_by", "filter", "order_by", "with_entities", "one_or_none", "join"}
"""Methods by which an attribute ``query`` of something unknown is taken for a Query."""


class Begin(Struct, frozen=True):
    """The session of ``Model.query``.

    ``session`` is the session as written at the place, ``extension`` the Flask-SQLAlchemy object
    that it belongs to, if there is one. ``refused`` says why no name of it can be written there:
    then only a query that is not executed can be rewritten. ``own`` is the class of the program's
    own that the query is of, if it is.
    """

    session: Written | None
    extension: Written | None = None
    refused: Refused | None = None
    own: OwnClass | None = None


def begin_of(reader: Reader, node: ast.Attribute) -> Begin | Refused | None:
    """Return the call after ``node``, an attribute ``query`` that is read.

    Refused says why the query stays as it is; None that ``node`` is no query of a mapped class.
    """
    model = node.value
    qualified, of_subclasses = _model(reader, model)
    query: ClassQuery | Unknown | None
    if qualified is None:
        query = _of_several(reader, model)
    elif of_subclasses:
        query = reader.project.orm.class_queries.of_subclasses(qualified)
    else:
        query = reader.project.orm.class_queries.source_of(qualified)
    if isinstance(query, ClassQuery):
        return _begin(reader, node, query)
    if isinstance(query, Unknown):
        because = Place(query.place.path, query.place.span, query.why)
        return Refused(reasons.UNPROVEN_CLASS_QUERY, short_text(node), because=(because,))
    # The class is visible, and it has no such query.
    if qualified is not None and reader.project.orm.models.status(qualified) != "unknown":
        return None
    return _unknown(reader, node)


def _of_several(reader: Reader, model: ast.expr) -> ClassQuery | None:
    """Return where ``query`` comes from if ``model`` is one of several classes that agree."""
    entity = entity_of(reader, model)
    if entity is None or entity.aliased:
        return None
    class_queries = [
        reader.project.orm.class_queries.of_subclasses(name) for name in sorted(entity.models)
    ]
    known = [query for query in class_queries if isinstance(query, ClassQuery)]
    if not known or len(known) < len(class_queries):
        return None
    return known[0] if all(query.is_like(known[0]) for query in known) else None


def _model(reader: Reader, model: ast.expr) -> tuple[str | None, bool]:
    """Return the class that ``model`` is, and whether any subclass of it may be meant."""
    qualified = reader.qualified_name(model)
    if qualified is not None and reader.project.class_facts(qualified) is not None:
        return qualified, False
    around = reader.module.enclosing_class(model)
    # A method that subclasses inherit may run with any of them.
    if around is not None and ast.unparse(model) in {"cls", "self", "type(self)", "self.__class__"}:
        return reader.module.full_name(around), True
    entity = entity_of(reader, model)
    if entity is not None and entity.model is not None and not entity.aliased:
        return entity.model, True
    return qualified, False


def _begin(reader: Reader, node: ast.Attribute, found: ClassQuery) -> Begin | Refused:
    because = () if found.place is None else (found.place,)
    if found.custom:
        return Refused(reasons.QUERY_HOOKS, found.custom, because=because)
    own = None
    if found.query_class is not None:
        own = OwnClass(found.query_class, because)
        refused = own.refuse_in(reader.module, node)
        if refused is not None:
            return refused
    if ast.unparse(node.value) == "self":
        return Refused(reasons.QUERY_OF_INSTANCE)
    way = reader.project.name_in_scope(reader.module, node, found.owner, node.value)
    if isinstance(way, str):
        return Begin(None, refused=Refused(reasons.SESSION_OUT_OF_SIGHT, way), own=own)
    needs = None if way.module is None else (way.module, way.text, None)
    # A scoped_session is the session itself; Flask-SQLAlchemy's object has it as an attribute.
    if not found.attribute:
        return Begin(Written(way.text, needs), own=own)
    session = Written(f"{way.text}.{found.attribute}", needs)
    return Begin(session, Written(way.text, needs), own=own)


def _unknown(reader: Reader, node: ast.Attribute) -> Refused | None:
    """Return the refusal of code that looks like a query of an external class."""
    call = reader.module.method_call_on(node)
    # Only where a method is called on it does it look like a query.
    if call is None or not _may_be_class(reader, node.value, last_name(call.func)):
        return None
    if not reader.project.has_sessions:
        return None
    return Refused(reasons.UNPROVEN_CLASS_QUERY, short_text(node))


def _may_be_class(reader: Reader, node: ast.expr, method: str) -> bool:
    """Whether ``node`` is a class, or is named like one, and ``method`` is one of Query."""
    last = last_name(node)
    # CamelCase is how a class is named, capitals alone a constant.
    if last[:1].isupper() and not last.isupper():
        return method in _METHODS
    if entity_of(reader, node) is not None:
        return method in _METHODS
    return method in _TELLING and ("model" in last.lower() or last == "cls")
