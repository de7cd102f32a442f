"""Function contexts, and the call edges between them.

A context is one function with its file and the flow of its variables; an edge is a call in one
context that reaches the function of another. Both are compared by identity: what made them
(``call_edges``) gives the same one for the same place.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from awaken.contract import Place, Span
from awaken.project.graph.passing import argument_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.flow import Flow


@dataclass(frozen=True, slots=True, eq=False)
class FunctionContext:
    """One function, with its file and the flow of its variables."""

    module: Module
    function: Function
    flow: Flow

    @property
    def path(self) -> str:
        """The file."""
        return self.module.path

    def span(self, node: ast.AST) -> Span:
        """Return where ``node`` stands in the file."""
        return self.module.span(node)

    def place(self, node: ast.AST, note: str = "") -> Place:
        """Return the place of ``node``."""
        return Place(self.path, self.span(node), note)


@dataclass(frozen=True, slots=True, eq=False)
class CallEdge:
    """A call in ``context`` that reaches the function of ``into``, and maybe what overrides it.

    ``bound`` is 1 where the receiver is the first argument.
    """

    context: FunctionContext
    call: ast.Call
    into: FunctionContext
    bound: int

    def given(self, parameter: ast.arg) -> ast.expr | None:
        """Return what is passed to ``parameter``; None if nothing, or if it cannot be told."""
        positional = [*self.into.function.args.posonlyargs, *self.into.function.args.args]
        if self.bound and positional and parameter is positional[0]:
            return self._receiver()
        return argument_of(self.call, self.into.function, parameter, self.bound)

    def _receiver(self) -> ast.expr | None:
        """Return what the method is given as itself; None where that has no name at the call.

        That is what stands in front of its name, of ``super()`` the caller's own first parameter. A
        class method is given a class, which an instance in front of its name is not.
        """
        receiver = self.call.func.value if isinstance(self.call.func, ast.Attribute) else None
        own = self.context.function.args
        first = [one.arg for one in (*own.posonlyargs, *own.args)][:1]
        if isinstance(receiver, ast.Call) and ast.unparse(receiver) == "super()":
            # `super()` hands on what the caller was given as itself.
            receiver = ast.Name(first[0], ast.Load()) if first else None
        if not _is_class_method(self.into.function):
            return receiver
        is_class = _is_class_method(self.context.function) and isinstance(receiver, ast.Name)
        return receiver if is_class and [receiver.id] == first else None  # type: ignore[union-attr]


def _is_class_method(function: Function) -> bool:
    return any(ast.unparse(one) == "classmethod" for one in function.decorator_list)
