"""Results that come row by row: ``async for row in await db.stream_scalars(statement)``.

A statement with ``yield_per`` or ``stream_results`` asks for that, and then the methods that give
a whole result raise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.reasons import STREAMED
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous import Resource, twins
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.modules import Module

_OPTIONS = {"stream_results", "yield_per"}
_OF_RESULTS = {"columns", "mappings", "partitions", "scalars", "tuples", "unique"}
"""Methods that an asynchronous result has as well, and that ask for no rows."""


class Streaming:
    """Writes the operations of one file whose result comes row by row."""

    def __init__(self, module: Module, awaiting: Awaiting) -> None:
        self._module = module
        self._awaiting = awaiting

    def writes(self, operation: Operation) -> bool:
        """Write an operation if its result comes row by row. Raises Refused."""
        node = operation.node
        resource: Resource = "connection" if operation.resource == "connection" else "session"
        name = twins().streamed[resource].get(operation.method)
        if name is None or not isinstance(node, ast.Call) or not self._is_streamed(node):
            return False
        if operation.method == "exec" or not isinstance(node.func, ast.Attribute):
            raise Refused(STREAMED, operation.method)
        whole = self._whole(node)
        if not isinstance(self._module.parent(whole), ast.For | ast.comprehension):
            raise Refused(STREAMED, operation.method)
        self._awaiting.renames(node.func, name)
        self._awaiting.awaits(node)
        self._awaiting.iterates(whole, name, has_end=True)
        return True

    def _is_streamed(self, call: ast.Call) -> bool:
        """Whether the statement, or its execution, asks for rows one after the other."""
        given = [*call.args[:1], *(node.value for node in call.keywords if node.arg == "statement")]
        options = [keyword.value for keyword in call.keywords if keyword.arg == "execution_options"]
        statements = [node for each in given for node in self._written_expressions(each, set())]
        return any(map(self._asks, [*statements, *options]))

    def _written_expressions(self, node: ast.expr, seen: set[ast.AST]) -> Iterator[ast.expr]:
        """Yield an expression, and those that a variable in it was given."""
        yield node
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                for binding in self._module.scopes.bindings_of(part):
                    value = binding.value
                    if value is not None and value not in seen:
                        seen.add(value)
                        yield from self._written_expressions(value, seen)

    def _asks(self, node: ast.expr) -> bool:
        for part in ast.walk(node):
            match part:
                case ast.Call(func=ast.Attribute(attr="execution_options"), keywords=keywords):
                    if any(each.arg in _OPTIONS and _is_set(each.value) for each in keywords):
                        return True
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        is_option = isinstance(key, ast.Constant) and key.value in _OPTIONS
                        if is_option and _is_set(value):
                            return True
        return False

    def _whole(self, node: ast.expr) -> ast.expr:
        """Return an expression with the methods of the result that follow."""
        module = self._module
        match module.parent(node):
            case ast.Attribute(attr=name) as attribute if name in _OF_RESULTS:
                call = module.call_of(attribute)
                return node if call is None else self._whole(call)
        return node


def _is_set(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and not value.value)
