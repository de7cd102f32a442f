"""Names for sessions that have none: a parameter, which every call passes, or a variable.

``def page(query): return query.limit(10).all()`` has nothing to execute the statement with;
``def page(session, query)`` has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.unexecuted import alias_of
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import LINKS, WITHOUT_KEY
from awaken.contract import Place
from awaken.kit.added_parameters import AddedParameter, has_room, is_name_used
from awaken.kit.names_here import Written
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.source.lines.statement_lines import shares_line
from awaken.project.source.trees import Loop, last_name, parameters_of, variable_of

_NAME = "session"
_OF_QUERIES = LINKS | WITHOUT_KEY | {"exists"}


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


class MadeSession(Struct, frozen=True):
    """The variable ``name`` for the session ``text``, which each of ``statements`` makes."""

    context: FunctionContext
    name: str
    text: str
    statements: tuple[ast.stmt, ...]

    @property
    def code(self) -> str:
        """The statement that keeps the session."""
        return f"{self.name} = {self.text}\n"


def made_session(component: Component, context: FunctionContext, text: str) -> MadeSession | None:
    """Return the variable for the sessions of queries in a function; None if none can be.

    ``query = factory().query(User)`` is executed later, where a second ``factory()`` may give
    another session. Queries that come from nowhere else are assigned together with theirs.
    """
    module = context.module
    fragments = [item for item in component.fragments if item.context is context]
    roots = [item for item in component.roots if item.context is context]
    statements = {root.start: module.statement_of(root.start) for root in roots}
    is_seen = all(
        item.recognised is not None or isinstance(item.start, ast.Name) for item in fragments
    )
    has_parameter = any(
        holder.context is context and holder.parameter for holder in component.definitions
    )
    if not is_seen or has_parameter or not all(_is_first(root, text) for root in roots):
        return None
    variables = {item.id for item in map(variable_of, statements.values()) if item}
    is_once = len(roots) == 1 and not _is_repeated(context, roots[0].start)
    is_alone = len(component.variables(context)) == 1
    if len(variables) != 1 or not (is_alone or (is_once and _is_set_once(context, *variables))):
        return None
    first = next(iter(variables))
    queries = [item for item in module.walk(context.function) if _begins(item)]
    names = [_NAME] if len(queries) == len(roots) else []
    name = module.scopes.fresh_name(*names, f"{first}_{_NAME}", within=context.function)
    return MadeSession(context, name, text, tuple(filter(None, statements.values())))


def _is_first(root: ChainFragment, text: str) -> bool:
    """Whether the statement of ``root`` makes the session ``text`` first, and names its query."""
    module = root.context.module
    statement = module.statement_of(root.start)
    variable = variable_of(statement)
    if statement is None or variable is None or shares_line(module, statement):
        return False
    is_own = root.receiver is not None and ast.unparse(root.receiver) == text
    # A query that had the name before has another session.
    names = [item for item in module.walk(statement) if getattr(item, "id", "") == variable.id]
    return is_own and names == [variable] and _start_of(statement) is root.start


def _start_of(statement: ast.AST) -> ast.AST | None:
    """Return the call of ``query`` with which the value of an assignment begins, or a name."""
    part: ast.AST | None = getattr(statement, "value", None)
    while isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and not _begins(part):
        part = part.func.value
    return part


def _begins(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "query"


def _is_set_once(context: FunctionContext, variable: str) -> bool:
    """Whether one query begins in a variable; others in it are made of its values."""
    bindings = context.flow.scope.bindings_of(variable)
    starts = [context.module.statement_of(binding.node) for binding in bindings]
    begun = [item for item in starts if item is None or not isinstance(_start_of(item), ast.Name)]
    return len(begun) == 1


def _is_repeated(context: FunctionContext, node: ast.AST) -> bool:
    """Whether a loop of the function may evaluate ``node`` again."""
    above = context.module.ancestors_inside(node)
    return any(isinstance(item, Loop) for item in above)
