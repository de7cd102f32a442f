"""A session that a function is not given: it becomes a parameter, and every call passes it.

``def page(query): return query.limit(10).all()`` has nothing to execute the statement with;
``def page(session, query)`` has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.components.session_reads import alias_of
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import LINKS
from awaken.contract import Place
from awaken.kit.added_parameters import AddedParameter, has_room, is_name_used
from awaken.kit.names_here import Written
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.source.trees import parameters_of

_NAME = "session"
_OF_QUERIES = LINKS | {"all", "first", "one", "one_or_none", "scalar", "count", "exists"}


class SessionParameter(Struct, frozen=True):
    """A parameter for the session; ``annotation`` is its type, ``given`` what each call passes.

    ``instead`` is a statement that reads the session off the query, and goes.
    """

    added: AddedParameter
    annotation: Written | None
    given: Mapping[CallEdge, Written]
    instead: ast.stmt | None = None

    @property
    def context(self) -> FunctionContext:
        """The function that gets it."""
        return self.added.context

    def places(self) -> Iterator[Place]:
        """Yield where the function and its calls are changed."""
        function = self.context.function.name
        yield self.context.place(self.added.before, f"`{function}` gets the session as a parameter")
        for edge, argument in self.added.arguments():
            yield edge.context.place(argument, "this call passes the session as well")

    def needs(self) -> Iterator[tuple[str, Written]]:
        """Yield the names that are written, with the file of each."""
        if self.annotation is not None:
            yield self.context.path, self.annotation
        yield from ((edge.context.path, session) for edge, session in self.given.items())


class Wanted(Struct, frozen=True):
    """A session that the function of ``context`` is not given with the query in ``before``.

    ``given`` is what its calls would pass, ``again`` those by which it passes its own query to
    itself, ``reads`` the places that read a session off its query.
    """

    context: FunctionContext
    before: ast.arg
    given: Mapping[CallEdge, Written]
    again: Sequence[CallEdge]
    reads: Sequence[ast.expr]


def session_parameter(wanted: Wanted, annotation: Written | None) -> SessionParameter | None:
    """Return the parameter to add; None where the function, or a call, leaves no room for it."""
    context, before = wanted.context, wanted.before
    aliases = filter(None, (alias_of(context, read) for read in wanted.reads))
    name, instead = next(aliases, (_NAME, None))
    # The parameter would hide, or be overwritten by, what has the name already.
    if instead is None and is_name_used(context, name):
        return None
    if _may_take_another(context, before):
        return None  # which may be of another session, and would ask for a parameter as well
    given = {**wanted.given, **dict.fromkeys(wanted.again, Written(name))}
    if not has_room(context.function, before, given):
        return None
    kind = "" if annotation is None else annotation.text
    texts = {edge: session.text for edge, session in given.items()}
    added = AddedParameter(context, before, name, kind, texts)
    return SessionParameter(added, annotation, given, instead)


def is_typed(context: FunctionContext) -> bool:
    """Whether the function of ``context`` tells the type of any parameter."""
    given = [argument for argument, _ in parameters_of(context.function.args)]
    return any(argument.annotation is not None for argument in given)


def _may_take_another(context: FunctionContext, before: ast.arg) -> bool:
    """Whether a method of a query is called on another parameter of the function."""
    others = {node.arg for node, _ in parameters_of(context.function.args) if node is not before}
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in others
        and node.attr in _OF_QUERIES
        and context.module.call_of(node) is not None
        for node in context.module.walk(context.function)
    )
