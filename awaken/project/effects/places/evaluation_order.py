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
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.worklist import preorder

_SILENT = (ast.Constant, ast.JoinedStr, ast.Lambda, ast.List, ast.Name, ast.NamedExpr, ast.Slice)
"""Making one of these runs no code of others, whatever its parts do."""


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
        order = None if statement is None else _Walk(node).order_in(statement)
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


_Work = ast.AST | Callable[[], object]


class _Walk:
    """One statement, without recursion, for trees can be deep; it ends where ``wanted`` begins."""

    def __init__(self, wanted: ast.expr) -> None:
        self._wanted = wanted
        self._done: list[ast.expr] = []
        self._skippable = 0
        self._repeated = 0

    def order_in(self, statement: ast.stmt) -> Order | None:
        """Return the order of ``wanted``; None if the statement does not evaluate it."""
        for work in preorder(self._head(statement), self._parts_below):
            if work is self._wanted:
                return Order(not self._repeated, not self._skippable, tuple(self._done))
            if not isinstance(work, ast.AST):
                work()
        return None

    def _parts_below(self, work: _Work) -> Iterable[_Work]:
        return self._parts(work) if isinstance(work, ast.AST) else ()

    def _acts(self, node: ast.AST) -> Callable[[], object]:
        """Return the step at which ``node`` has its own effect, after its parts."""

        def note() -> None:
            if isinstance(node, ast.expr):
                self._done.append(node)

        return note

    def _maybe(self, parts: Iterable[_Work], *, often: bool = False) -> Iterator[_Work]:
        """Yield parts that may be skipped, and with ``often`` may run several times."""

        def begin() -> None:
            self._skippable += 1
            self._repeated += often

        def end() -> None:
            self._skippable -= 1
            self._repeated -= often

        yield begin
        yield from parts
        yield end

    # ------------------------------------------------------------------------------ statements
    def _head(self, node: ast.stmt) -> Iterator[_Work]:
        visit = self._STATEMENTS.get(type(node))
        return iter(()) if visit is None else visit(self, node)

    def _value(self, node: ast.Expr | ast.Return) -> Iterator[_Work]:
        if node.value is not None:
            yield node.value

    def _assign(self, node: ast.Assign) -> Iterator[_Work]:
        yield node.value
        for target in node.targets:
            yield from self._store(target)

    def _annotated_work(self, node: ast.AnnAssign) -> Iterator[_Work]:
        if node.value is not None:
            yield node.value
            yield from self._store(node.target)

    def _augmented_work(self, node: ast.AugAssign) -> Iterator[_Work]:
        yield from self._parts(node.target)
        yield node.value

    def _store(self, target: ast.expr) -> Iterator[_Work]:
        """Yield what assigning to ``target`` evaluates."""
        match target:
            case ast.Name():
                pass
            case ast.Attribute() | ast.Subscript():
                yield from self._parts(target)
            case ast.Tuple() | ast.List():
                # Unpacking iterates over the value before anything is stored.
                yield self._acts(target)
                for element in target.elts:
                    yield from self._store(element)
            case ast.Starred():
                yield from self._store(target.value)

    def _test(self, node: ast.If) -> Iterator[_Work]:
        yield node.test

    def _while(self, node: ast.While) -> Iterator[_Work]:
        self._repeated += 1
        yield node.test

    def _work_for(self, node: ast.For | ast.AsyncFor) -> Iterator[_Work]:
        yield node.iter
        yield from self._maybe([self._acts(node.iter), *self._store(node.target)], often=True)

    def _work_with(self, node: ast.With | ast.AsyncWith) -> Iterator[_Work]:
        for item in node.items:
            yield item.context_expr
            yield self._acts(item.context_expr)
            if item.optional_vars is not None:
                yield from self._store(item.optional_vars)

    def _raise(self, node: ast.Raise) -> Iterator[_Work]:
        yield from (part for part in (node.exc, node.cause) if part is not None)

    def _assert(self, node: ast.Assert) -> Iterator[_Work]:
        # With ``python -O`` nothing of it runs.
        yield from self._maybe([node.test, self._acts(node.test)])
        yield from self._maybe([node.msg] if node.msg is not None else [])

    def _delete(self, node: ast.Delete) -> Iterator[_Work]:
        for target in node.targets:
            yield from self._deleting(target)

    def _deleting(self, target: ast.expr) -> Iterator[_Work]:
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                yield from self._deleting(element)
        elif not isinstance(target, ast.Name):
            yield from self._parts(target)

    def _definition(self, node: Function) -> Iterator[_Work]:
        yield from node.decorator_list
        yield from self._defaults(node.args)

    def _class(self, node: ast.ClassDef) -> Iterator[_Work]:
        yield from (*node.decorator_list, *node.bases, *node.keywords)

    def _try(self, node: ast.Try | ast.TryStar) -> Iterator[_Work]:
        # After the body, which does not belong to this statement.
        yield from self._maybe(part.type for part in node.handlers if part.type is not None)

    def _match(self, node: ast.Match) -> Iterator[_Work]:
        yield node.subject
        for case in node.cases:
            inside = [part for part in ast.walk(case.pattern) if isinstance(part, ast.expr)]
            outermost = [part for part in inside if isinstance(part, ast.Attribute | ast.Constant)]
            guard = [] if case.guard is None else [case.guard]
            yield self._acts(node.subject)
            yield from self._maybe([*outermost, *guard])

    # ----------------------------------------------------------------------------- expressions
    def _parts(self, node: ast.AST) -> Iterator[_Work]:
        visit = self._EXPRESSIONS.get(type(node))
        if visit is not None:
            yield from visit(self, node)
        else:
            yield from ast.iter_child_nodes(node)
        if not isinstance(node, _SILENT):
            yield self._acts(node)

    def _defaults(self, args: ast.arguments) -> Iterator[_Work]:
        yield from (node for node in (*args.defaults, *args.kw_defaults) if node is not None)

    def _lambda(self, node: ast.Lambda) -> Iterator[_Work]:
        return self._defaults(node.args)

    def _boolean(self, node: ast.BoolOp) -> Iterator[_Work]:
        yield from self._first_always(node, node.values)

    def _compare(self, node: ast.Compare) -> Iterator[_Work]:
        yield node.left
        yield from self._first_always(node, node.comparators)

    def _first_always(self, node: ast.AST, parts: Iterable[ast.expr]) -> Iterator[_Work]:
        first, *others = parts
        yield first
        yield from self._maybe(step for part in others for step in (self._acts(node), part))

    def _choice(self, node: ast.IfExp) -> Iterator[_Work]:
        yield node.test
        yield self._acts(node)
        tested: list[int] = []
        yield lambda: tested.append(len(self._done))
        yield from self._maybe([node.body])
        # Code of one branch never precedes the other.
        aside: list[ast.expr] = []

        def turn() -> None:
            aside.extend(self._done[tested[0] :])
            del self._done[tested[0] :]

        yield turn
        yield from self._maybe([node.orelse])
        yield lambda: self._done.extend(aside)

    def _dict(self, node: ast.Dict) -> Iterator[_Work]:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                yield key
            yield value

    def _comprehension(self, node: ast.expr) -> Iterator[_Work]:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        yield generators[0].iter
        if isinstance(node, ast.GeneratorExp):
            return
        inside: list[_Work] = []
        for number, generator in enumerate(generators):
            if number:
                inside.append(generator.iter)
            inside += [self._acts(generator.iter), *self._store(generator.target), *generator.ifs]
        inside += (
            [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]
        )
        yield from self._maybe(inside, often=True)

    def _call(self, node: ast.Call) -> Iterator[_Work]:
        # Positional arguments first, also a ``*`` after a keyword.
        yield from (node.func, *node.args, *node.keywords)

    def _walrus(self, node: ast.NamedExpr) -> Iterator[_Work]:
        yield node.value

    def _formatted_work(self, node: ast.FormattedValue) -> Iterator[_Work]:
        yield from (part for part in (node.value, node.format_spec) if part is not None)

    _STATEMENTS: ClassVar[dict[type[ast.AST], Callable[[_Walk, Any], Iterator[_Work]]]] = {
        **dict.fromkeys((ast.Expr, ast.Return), _value),
        **dict.fromkeys((ast.For, ast.AsyncFor), _work_for),
        **dict.fromkeys((ast.With, ast.AsyncWith), _work_with),
        **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef), _definition),
        **dict.fromkeys((ast.Try, ast.TryStar), _try),
        ast.AnnAssign: _annotated_work,
        ast.Assert: _assert,
        ast.Assign: _assign,
        ast.AugAssign: _augmented_work,
        ast.ClassDef: _class,
        ast.Delete: _delete,
        ast.If: _test,
        ast.Match: _match,
        ast.Raise: _raise,
        ast.While: _while,
    }
    _EXPRESSIONS: ClassVar[dict[type[ast.AST], Callable[[_Walk, Any], Iterator[_Work]]]] = {
        **dict.fromkeys(
            (ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp), _comprehension
        ),
        ast.BoolOp: _boolean,
        ast.Call: _call,
        ast.Compare: _compare,
        ast.Dict: _dict,
        ast.FormattedValue: _formatted_work,
        ast.IfExp: _choice,
        ast.Lambda: _lambda,
        ast.NamedExpr: _walrus,
    }
