"""The holders of a value on its way: variables, parameters, and results of functions.

A value that outlives its expression is held by one after the other. The three questions are which
expressions give a holder its value (``values_of``), which expressions are that value
(``reads_of``), and what holds the value of an expression (``holding``): who asks them in turn gets
the connected component of all that shares a value, over any number of functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from awaken.project.graph.call_edges import CallEdge, CallEdges, FunctionContext, Unseen
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import whole_conditional
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import variable_of
from awaken.project.values.domain import TooLarge, Unknown

Placed = tuple[FunctionContext, ast.expr]
"""An expression, with the function that it stands in."""
PlacedRead = tuple[FunctionContext, ast.Call | ast.Name]
"""A read of a value: of a variable, or by a call that returns it."""


@dataclass(frozen=True, slots=True, eq=False)
class Holder:
    """A variable or parameter, or what a function returns (no ``binding``).

    ``element`` is its place where the function returns a tuple. ``Holders`` gives the same one for
    the same place.
    """

    context: FunctionContext
    binding: Binding | None
    element: int | None = None

    @property
    def display_name(self) -> str:
        """Its name in messages."""
        return self.context.function.name if self.binding is None else self.binding.name

    @property
    def parameter(self) -> ast.arg | None:
        """The parameter that it is; None if it is something else."""
        is_parameter = self.binding is not None and self.binding.kind == "parameter"
        node = self.binding.node if self.binding is not None and is_parameter else None
        return node if isinstance(node, ast.arg) else None


class Holders:
    """The holders of the values that go along ``edges``.

    ``is_passed`` says of an argument that the function may go on with the value: a call that uses
    it up holds nothing.
    """

    def __init__(self, edges: CallEdges, is_passed: Callable[[Module, ast.expr], bool]) -> None:
        self._edges = edges
        self._is_passed = is_passed

    def holder_of(
        self, context: FunctionContext, binding: Binding | None, element: int | None = None
    ) -> Holder:
        """Return the holder for a binding, or for what the function of ``context`` returns."""
        # One object for one place: components are found by comparing identities.
        return self._holder(context, binding, element)

    @cached_method
    def _holder(
        self, context: FunctionContext, binding: Binding | None, element: int | None
    ) -> Holder:
        return Holder(context, binding, element)

    # -------------------------------------------------------------------------------- its values
    def values_of(self, holder: Holder) -> Sequence[Placed] | Unseen | None:
        """Return the expressions whose value ``holder`` has; None if something else gives it one.

        A conditional expression counts as one.
        """
        binding, context = holder.binding, holder.context
        if binding is None and holder.element is not None:
            return self._edges.returned_elements(context, holder.element)
        if binding is None:
            return self._edges.returned_values(context)
        if holder.parameter is not None:
            return self._edges.arguments(context, holder.parameter)
        if binding.kind == "assignment" and binding.value is not None:
            return [(context, binding.value)]
        if isinstance(binding.node, ast.Name):
            unpacks = self._edges.unpacks(context, binding.node)
            if unpacks:
                return unpacks if isinstance(unpacks, Unseen) else [(context, binding.node)]
        return None

    def reads_of(self, holder: Holder) -> Sequence[PlacedRead] | Unseen | Unknown:
        """Return the expressions that are the value of ``holder``."""
        if holder.binding is None and holder.element is not None:
            return self._edges.unpacking_targets(holder.context, holder.element)
        if holder.binding is None:
            results = self._edges.results(holder.context)
            if isinstance(results, Unseen):
                return results
            return [(edge.context, edge.call) for edge in results]
        reached = holder.context.flow.reads_of(holder.binding)
        if isinstance(reached, Unknown):
            return reached
        return [(holder.context, read) for read in reached]

    # -------------------------------------------------------------------------- what holds a value
    def reaching(self, context: FunctionContext, read: ast.expr) -> tuple[Holder, ...]:
        """Return what may have held the value of ``read``: a variable, or a followed call."""
        return tuple(holder for _, holder in self.calls_and_holders(context, read))

    def calls_and_holders(
        self, context: FunctionContext, read: ast.expr
    ) -> Sequence[tuple[CallEdge | None, Holder]]:
        """Return the same, with the call by which the value came out of a function, if it did."""
        # A call that is followed gives what the function holds, not what a variable does.
        if read not in self._edges.known:
            return [(None, holder) for holder in self._reaching(context, read)]
        calls, element = self._edges.known[read]
        return [(call, self.holder_of(call.into, None, element)) for call in calls]

    @cached_by(lambda _context, read: read)
    def _reaching(self, context: FunctionContext, read: ast.expr) -> tuple[Holder, ...]:
        reaching = context.flow.reaching(read) if isinstance(read, ast.Name) else None
        bindings = reaching if isinstance(reaching, tuple) else ()
        return tuple([self.holder_of(context, binding) for binding in bindings])

    def holding(
        self, context: FunctionContext, node: ast.expr
    ) -> tuple[Holder, ...] | Unseen | TooLarge:
        """Return what holds ``node``, or one alternative of a conditional value, after it.

        That is one variable or function, or the parameters of a method and of its overrides.
        """
        module = context.module
        inner = whole_conditional(module, node)
        parent = module.parent(inner)
        match parent:
            case ast.Assign() | ast.AnnAssign() if (target := variable_of(parent)) is not None:
                return self._variable(context, target) if parent.value is inner else ()
            case ast.Return():
                return self._returned_items(context, None)
            # A name in a target that is unpacked holds an element itself.
            case ast.Tuple(ctx=ast.Store()) if isinstance(inner, ast.Name):
                return self._variable(context, inner)
            case ast.Tuple(elts=elements) if isinstance(module.parent(parent), ast.Return):
                return self._returned_items(context, elements.index(inner))
            case ast.Tuple() if isinstance(assigned := module.parent(parent), ast.Assign):
                return self._element(context, assigned, inner)
            case ast.Call() | ast.keyword() if self._is_passed(module, inner):
                return self._parameters(context, inner)
        return ()

    def _variable(
        self, context: FunctionContext, target: ast.Name
    ) -> tuple[Holder, ...] | TooLarge:
        known = context.flow.definitions(target.id)
        if isinstance(known, Unknown):
            return known if isinstance(known, TooLarge) else ()
        bound = context.flow.bound_at(target)
        return () if bound is None else (self.holder_of(context, bound),)

    def _element(
        self, context: FunctionContext, assigned: ast.Assign, value: ast.expr
    ) -> tuple[Holder, ...] | TooLarge:
        """Return the variable that alone gets ``value``, a part of ``a, b = x, y``."""
        targets = list(ast.walk(assigned.targets[0])) if len(assigned.targets) == 1 else []
        for name in targets:
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                bound = context.flow.bound_at(name)
                if bound is not None and bound.value is value:
                    return self._variable(context, name)
        return ()

    def _returned_items(
        self, context: FunctionContext, element: int | None
    ) -> tuple[Holder, ...] | Unseen:
        return self._edges.why_not_returned(context) or (self.holder_of(context, None, element),)

    def _parameters(
        self, context: FunctionContext, argument: ast.expr
    ) -> tuple[Holder, ...] | Unseen:
        entered = self._edges.receiving_parameters(context, argument)
        if isinstance(entered, Unseen):
            return entered
        return tuple(self._parameter(into, parameter) for into, parameter in entered)

    def _parameter(self, context: FunctionContext, parameter: ast.arg) -> Holder:
        scope = context.flow.scope
        bindings = scope.bindings[scope.mangled_name(parameter.arg)]
        return self.holder_of(
            context, next(binding for binding in bindings if binding.node is parameter)
        )
