"""A parameter that a function gets in front of another one, with what every call passes for it.

The caller knows all calls of the function (``project/graph/call_edges.py``), and puts the
insertions of one parameter into one change: half of them would break the program.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.contract import Span
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.source.trees import Function, parameters_of


class Insertion(Struct, frozen=True):
    """Text that is inserted into a file; ``anchor`` is an empty span."""

    path: str
    anchor: Span
    text: str


class AddedParameter(Struct, frozen=True):
    """A parameter called ``name`` that the function of ``context`` gets in front of ``before``.

    ``annotation`` is the text of its type, if it gets one, ``given`` what each call passes.
    """

    context: FunctionContext
    before: ast.arg
    name: str
    annotation: str
    given: Mapping[CallEdge, str]

    def arguments(self) -> Iterator[tuple[CallEdge, ast.expr | ast.keyword]]:
        """Yield what each call passes to ``before``, in front of which it gets the new argument."""
        for edge in self.given:
            argument = argument_to(edge, self.before)
            if argument is not None:
                yield edge, argument

    def insertions(self) -> Iterator[Insertion]:
        """Yield what is inserted: into the function first, then into its calls."""
        text = f"{self.name}: {self.annotation}" if self.annotation else self.name
        # Defaults count: the last of them may end after the last parameter.
        own = [part for pair in parameters_of(self.context.function.args) for part in pair if part]
        yield _insertion(self.context, self.before, own, text)
        for edge, argument in self.arguments():
            given = self.given[edge]
            # A positional argument cannot follow a keyword.
            text = f"{self.name}={given}" if isinstance(argument, ast.keyword) else given
            yield _insertion(edge.context, argument, [*edge.call.args, *edge.call.keywords], text)


def has_room(function: Function, before: ast.arg, edges: Iterable[CallEdge]) -> bool:
    """Whether ``function`` and its calls leave room for a parameter in front of ``before``.

    That one has no default; each of ``edges`` passes something to it, and no comment would be torn
    from what it is about.
    """
    return not any(
        argument is before and default for argument, default in parameters_of(function.args)
    ) and all(_has_gap(edge, argument_to(edge, before)) for edge in edges)


def is_name_used(context: FunctionContext, name: str) -> bool:
    """Whether anything in the function of ``context`` is called ``name``."""
    return any(
        # Keywords count as well: too many names are harmless, too few are not.
        name in {getattr(node, "id", None), getattr(node, "arg", None)}
        for node in context.module.walk(context.function)
    )


def argument_to(edge: CallEdge, parameter: ast.arg) -> ast.expr | ast.keyword | None:
    """Return the argument of the call of ``edge`` that goes to ``parameter``."""
    value = edge.argument_for(parameter)
    named = (keyword for keyword in edge.call.keywords if keyword.value is value)
    return next(named, None) or (value if value in edge.call.args else None)


def _has_gap(edge: CallEdge, argument: ast.expr | ast.keyword | None) -> bool:
    """Whether only the comma, or the bracket of the call, is before it."""
    # A call that leaves the parameter out has no place to insert in front of.
    if argument is None:
        return False
    call, context = edge.call, edge.context
    ends = [context.span(node).end for node in (call.func, *call.args, *call.keywords)]
    start = context.span(argument).start
    text = context.module.source.text
    first, *others = text[max(end for end in ends if end <= start) : start].splitlines()
    # A comment about the previous argument may be there, but not one about the argument itself.
    return b"".join([first.partition(b"#")[0], *others]).strip() in {b"(", b","}


def _insertion(
    context: FunctionContext, before: ast.AST, among: Sequence[ast.AST], text: str
) -> Insertion:
    """Return the insertion of ``text`` in front of ``before``, one of a list of arguments.

    It gets a line of its own where each of the list has one, as its last comma says.
    """
    at = context.span(before).start
    last = max(context.span(node).end for node in among)
    source = context.module.source.text
    # Formatters put one argument on each line because of it.
    has_last_comma = source[last:].lstrip().startswith(b",")
    gap = source[len(source[:at].rstrip()) : at].decode() if has_last_comma else ""
    return Insertion(context.path, Span(at, at), f"{text},{gap or ' '}")
