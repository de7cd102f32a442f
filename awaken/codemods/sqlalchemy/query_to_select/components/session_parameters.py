"""A session that a function is not given: it becomes a parameter, and every call passes it.

``def page(query): return query.limit(10).all()`` has nothing to execute the statement with;
``def page(session, query)`` has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import (
    CallEdge,
    FunctionContext,
)
from awaken.codemods.sqlalchemy.query_to_select.components.session_reads import alias_of
from awaken.codemods.sqlalchemy.query_to_select.names import Written, name_here
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import LINKS
from awaken.contract import Place, Span
from awaken.project.source.trees import parameters_of

_NAME = "session"
_OF_QUERIES = LINKS | {"all", "first", "one", "one_or_none", "scalar", "count", "exists"}


@dataclass(frozen=True, slots=True)
class NewParameter:
    """A parameter called ``name`` that the function of ``context`` gets in front of ``before``.

    ``given`` is what each call passes to it, ``instead`` a statement that reads the session off the
    query, and goes.
    """

    context: FunctionContext
    before: ast.arg
    name: str
    given: Mapping[CallEdge, Written]
    instead: ast.stmt | None = None

    def places(self) -> Iterator[Place]:
        """Yield where the function and its calls are changed."""
        yield self.context.place(
            self.before, f"`{self.context.function.name}` is given the session"
        )
        for edge in self.given:
            argument = _argument(edge, self.before)
            if argument is not None:
                yield edge.context.place(argument, "the session is passed here as well")

    def written(self) -> Iterator[tuple[str, Span, str, Written | None]]:
        """Yield what is inserted: path, place, text, and a name that the file needs for it."""
        kind = self._annotation()
        text = self.name if kind is None else f"{self.name}: {kind.text}"
        own = [part for one in parameters_of(self.context.function.args) for part in one if part]
        yield _inserted(self.context, self.before, own, text, kind)
        for edge, session in self.given.items():
            argument = _argument(edge, self.before)
            if argument is not None:
                is_named = isinstance(argument, ast.keyword)
                text = f"{self.name}={session.text}" if is_named else session.text
                all_given = [*edge.call.args, *edge.call.keywords]
                yield _inserted(edge.context, argument, all_given, text, session)

    def _annotation(self) -> Written | None:
        """Return the type that is written, if the function tells the type of any parameter."""
        given = [one for one, _ in parameters_of(self.context.function.args)]
        if any(one.annotation is not None for one in given):
            return name_here(self.context.reader, self.context.function, "Session")
        return None


def _inserted(
    context: FunctionContext,
    before: ast.AST,
    among: Sequence[ast.AST],
    text: str,
    needs: Written | None,
) -> tuple[str, Span, str, Written | None]:
    """Return the insertion of ``text`` in front of ``before``, one of a list of arguments.

    It gets a line of its own where each of the list has one, as its last comma says.
    """
    at = context.span(before).start
    last = max(context.span(one).end for one in among)
    behind = context.reader.module.source.text[last:].lstrip()
    gap = _gap(context, at) if behind.startswith(b",") else ""
    return context.path, Span(at, at), f"{text},{gap or ' '}", needs


def new_parameter(
    context: FunctionContext,
    before: ast.arg,
    given: Mapping[CallEdge, Written],
    again: Iterable[CallEdge],
    reads: Iterable[ast.expr],
) -> NewParameter | None:
    """Return the parameter to add; None where the function, or a call, leaves no room for it.

    ``again`` are the calls by which the function passes its own query to itself, ``reads`` the
    places that read a session off its query.
    """
    aliases = filter(None, (alias_of(context, read) for read in reads))
    name, instead = next(aliases, (_NAME, None))
    if _has_default(context.function, before) or (instead is None and _is_used(context, name)):
        return None
    if _may_take_another(context, before):
        return None  # which may be of another session, and would ask for a parameter as well
    given = {**given, **dict.fromkeys(again, Written(name))}
    has_room = all(_has_room(one, _argument(one, before)) for one in given)
    return NewParameter(context, before, name, given, instead) if has_room else None


def _has_default(function: ast.FunctionDef | ast.AsyncFunctionDef, before: ast.arg) -> bool:
    return any(one is before and default for one, default in parameters_of(function.args))


def _may_take_another(context: FunctionContext, before: ast.arg) -> bool:
    """Whether a method of a query is called on another parameter of the function."""
    others = {one.arg for one, _ in parameters_of(context.function.args) if one is not before}
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in others
        and node.attr in _OF_QUERIES
        for node in context.reader.module.walk(context.function)
    )


def _is_used(context: FunctionContext, name: str) -> bool:
    for node in context.reader.module.walk(context.function):
        if name == getattr(node, "id", None) or name == getattr(node, "arg", None):
            return True
    return False


def _argument(edge: CallEdge, parameter: ast.arg) -> ast.expr | ast.keyword | None:
    """Return the argument of the call of ``edge`` that goes to ``parameter``."""
    value = edge.given(parameter)
    named = (one for one in edge.call.keywords if one.value is value)
    return next(named, None) or (value if value in edge.call.args else None)


def _has_room(edge: CallEdge, argument: ast.expr | ast.keyword | None) -> bool:
    """Whether nothing but the comma, or the bracket of the call, stands in front of it."""
    if argument is None:
        return False
    call, context = edge.call, edge.context
    ends = [context.span(one).end for one in (call.func, *call.args, *call.keywords)]
    start = context.span(argument).start
    text = context.reader.module.source.text
    first, *others = text[max(end for end in ends if end <= start) : start].splitlines()
    # What is said of the argument before may stand there, but nothing of the argument itself.
    return b"".join([first.partition(b"#")[0], *others]).strip() in {b"(", b","}


def _gap(context: FunctionContext, at: int) -> str:
    """Return the white space in front of ``at``."""
    before = context.reader.module.source.text[:at]
    return before[len(before.rstrip()) :].decode()
