"""The order in which the parts of one statement are evaluated.

Of a statement with blocks only its head belongs to it: the test of an ``if``, the iterable of a
``for``, the decorators and defaults of a definition.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from msgspec import Struct

from awaken.project.effects.callees import Callees
from awaken.project.effects.instance_attributes import Attributes
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of
from awaken.project.source.worklist import reachable
from awaken.project.values.local.control import ControlGraph

_SILENT = (ast.Constant, ast.JoinedStr, ast.Lambda, ast.List, ast.Name, ast.NamedExpr, ast.Slice)
"""Making one of these runs no code of others, whatever its parts do."""
_UNPACKED = (ast.Tuple, ast.List)
_Work = ast.AST | Callable[[], object]


class Order(Struct, frozen=True):
    """When an expression is evaluated in its statement.

    ``once``: at most once each time the statement runs. ``unconditional``: at least once each time,
    unless something raises before. ``before``: expressions with possible effects that are evaluated
    earlier, in this order. One with effects at several moments, such as a chain of comparisons,
    appears once for each.
    """

    once: bool
    unconditional: bool
    before: tuple[ast.expr, ...]


class Ordering:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._attributes = Attributes(evaluator)
        self._callees = Callees(evaluator)

    def order_of(self, module: Module, node: ast.expr) -> Order | None:
        """Return when ``node`` is evaluated in the statement around it.

        None if it is not evaluated with the statement. Parts of an inner function, of a generator
        expression and of an annotation are not.
        """
        statement = module.statement_of(node)
        if statement is None:
            return None
        order = _Evaluation(statement, module.scopes.scope_of(statement), node).order()
        if order is None:
            return None
        before = (part for part in order.before if not self._is_quiet(module, part))
        return Order(order.once, order.unconditional, tuple(before))

    def _is_quiet(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is proven to run no code but that of builtin types."""
        match node:
            case ast.Attribute(ctx=ast.Load()):
                return self._attributes.is_plain(module, node)
            case ast.Compare():
                return all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops)
            case ast.BinOp():
                return self._is_quiet_operation(module, node)
        return False

    def _is_quiet_operation(self, module: Module, node: ast.BinOp) -> bool:
        """Whether the operator raises nothing between two values of one builtin type."""
        kind = self._callees.builtin_type(module, node.left)
        if kind is None or kind != self._callees.builtin_type(module, node.right):
            return False
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            # Only a constant is proven not to be zero.
            divisor = node.right.value if isinstance(node.right, ast.Constant) else 0
            return kind == "float" and bool(divisor)
        # A power of numbers may overflow, a shift may be negative.
        allowed = (ast.Add, ast.Sub, ast.Mult) if kind == "float" else (ast.Add,)
        return isinstance(node.op, allowed) and kind in {"float", "list", "str", "tuple"}


class _Evaluation(ControlGraph):
    """The control flow of one statement, up to its blocks, with a point for each effect."""

    def __init__(self, statement: ast.stmt, scope: Scope, wanted: ast.expr) -> None:
        self._statement = statement
        self._wanted = wanted
        self._begin: int | None = None
        self._left_out: set[ast.AST | None] = set()
        if isinstance(statement, Function):
            # Python evaluates the annotations of a definition at once, later, or never.
            self._left_out = {part.annotation for part, _ in parameters_of(statement.args)}
            self._left_out.add(statement.returns)
        super().__init__([statement], scope)

    def order(self) -> Order | None:
        """Return the order of ``wanted``; None if the statement does not evaluate it."""
        begin = self._begin
        if begin is None:
            return None
        after = self.after
        before = {begin}
        for point in reversed(range(begin)):
            # On the way back to the head of a loop nothing comes before its first round.
            if any(point < other and other in before for other in after[point]):
                before.add(point)
        effects = (node for point, node in enumerate(self.events) if point in before)
        others = reachable([0], lambda point: [other for other in after[point] if other != begin])
        return Order(
            begin not in reachable(after[begin], after.__getitem__),
            # With ``python -O`` no ``assert`` runs, and without an error no handler does.
            not isinstance(self._statement, ast.Assert | ast.Try | ast.TryStar)
            and all(after[point] for point in others),
            tuple(node for node in effects if isinstance(node, ast.expr)),
        )

    def _parts(self, node: ast.AST) -> Iterator[_Work]:
        if node in self._left_out or (isinstance(node, ast.stmt) and node is not self._statement):
            return
        if node is self._wanted:
            yield self._note_begin
        is_target = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        if is_target and isinstance(node, _UNPACKED):
            # Unpacking iterates over the value before anything is stored.
            yield from self._effect(node) if isinstance(node.ctx, ast.Store) else ()
            yield from node.elts
            return
        yield from super()._parts(node)
        if not isinstance(node, _SILENT) and not (is_target and isinstance(node, ast.Starred)):
            yield from self._effect(node)

    def _note_begin(self) -> None:
        self._begin = self._point(None)

    def _effect(self, node: ast.AST) -> Iterable[_Work]:
        return (lambda: self._point(node),) if isinstance(node, ast.expr) else ()

    def _event(self, node: ast.AST, name: str) -> None:
        """Names run no code."""

    def _leave(self, way: str, *, stays: bool = False) -> None:
        """Leave the statement; errors lead nowhere."""
        if not stays:
            super()._leave(way)

    def _augmented_work(self, node: ast.AugAssign) -> Iterator[_Work]:
        yield node.target
        yield node.value

    def _call(self, node: ast.Call) -> Iterator[_Work]:
        # Positional arguments first, also a ``*`` after a keyword.
        yield from (node.func, *node.args, *node.keywords)

    def _assert(self, node: ast.Assert) -> Iterator[_Work]:
        return self._maybe(node.test, [node.test, *([node.msg] if node.msg is not None else [])])

    def _try(self, node: ast.Try | ast.TryStar) -> Iterator[_Work]:
        # After the body, which does not belong to this statement.
        yield from (handler.type for handler in node.handlers if handler.type is not None)

    special: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Iterator[_Work]]]] = {
        **ControlGraph.special,
        ast.Assert: _assert,
        ast.AugAssign: _augmented_work,
        ast.Call: _call,
        **dict.fromkeys((ast.Try, ast.TryStar), _try),
    }
