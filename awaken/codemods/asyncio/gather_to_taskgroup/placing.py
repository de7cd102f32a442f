"""The position of the ``await`` of a gather, and the use of its results by the statement."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.asyncio.gather_to_taskgroup.reasons import POSITION
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import library_names
from awaken.project.source.lines.statement_lines import shares_line
from awaken.project.source.trees import SIMPLE, Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CONSUMERS = library_names().consuming
_COMPOUND = (ast.AsyncFor, ast.AsyncWith, ast.For, ast.If, ast.With)


class Position(Struct, frozen=True):
    """The ``await``, and the statement before which a block can be written.

    ``is_consumed``: the results are iterated over at once, and nobody sees the list itself.
    ``is_tuple``: the results may be, or by an annotation must be, a tuple: then ``is_annotated``.
    """

    awaited: ast.Await
    statement: ast.stmt
    is_consumed: bool = False
    is_tuple: bool = False
    is_annotated: bool = False

    @property
    def is_ignored(self) -> bool:
        """Whether nobody uses the results."""
        return isinstance(self.statement, ast.Expr) and self.statement.value is self.awaited

    @property
    def is_looped_over(self) -> bool:
        """Whether a ``for`` statement with a block of its own takes the results one by one."""
        match self.statement:
            case ast.For(iter=results, body=[first, *_]):
                return results is self.awaited and first.lineno > (results.end_lineno or 0)
        return False

    @property
    def targets(self) -> Sequence[ast.expr]:
        """The targets to which the results are given one by one; empty if they are not."""
        match self.statement:
            case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)]):
                if self.statement.value is self.awaited:
                    return targets
        return ()


def position_of(project: Project, module: Module, awaited: ast.Await) -> Position:
    """Return the place of ``awaited``. Raises Refused if a block before it changes the order."""
    statement = module.statement_of(awaited)
    if not isinstance(statement, SIMPLE + _COMPOUND):
        raise Refused(POSITION, "no block can come before this expression")
    if shares_line(module, statement):
        raise Refused(POSITION, "its line has other code")
    order = project.effects.order(module, awaited)
    if order is None or not order.once:
        raise Refused(POSITION, "the gather may be awaited several times")
    if not order.unconditional:
        raise Refused(POSITION, "the gather is only awaited on a condition")
    # The message names attributes that are read later; calls have other effects.
    called = [node for node in order.before if not isinstance(node, ast.Attribute)]
    if called:
        raise Refused(POSITION, f"`{module.excerpt(called[0])}` is evaluated before the gather")
    is_annotated = _is_annotated(module, awaited, statement)
    is_tuple = is_annotated or _is_indexed(module, awaited, statement)
    return Position(awaited, statement, _is_consumed(module, awaited), is_tuple, is_annotated)


def _is_annotated(module: Module, awaited: ast.Await, statement: ast.stmt) -> bool:
    """Whether the results are said to be a tuple, as stubs have it; gather returns a list."""
    annotation: ast.expr | None = None
    if isinstance(statement, ast.AnnAssign) and statement.value is awaited:
        annotation = statement.annotation
    elif isinstance(statement, ast.Return) and statement.value is awaited:
        function = module.enclosing_function(statement)
        annotation = function.returns if isinstance(function, Function) else None
    if isinstance(annotation, ast.Constant):
        annotation = module.parse_string(annotation)
    said = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return said is not None and last_name(said) in {"Tuple", "tuple"}


def _is_indexed(module: Module, awaited: ast.Await, statement: ast.stmt) -> bool:
    """Whether the results go into a variable of which single items are read, and nothing else."""
    match statement:
        case ast.Assign(targets=[ast.Name() as target], value=value) if value is awaited:
            scope = module.scopes.scope_of(target)
            bindings = scope.bindings_of(target.id)
        case _:
            return False
    reads = [
        name
        for inside in module.scopes.scopes_inside(scope)
        for name in inside.reads.get(target.id, ())
    ]
    return len(bindings) == 1 and bool(reads) and all(_reads_item(module, read) for read in reads)


def _reads_item(module: Module, read: ast.Name) -> bool:
    match module.parent(read):
        case ast.Subscript(value=value, slice=ast.Constant(value=int()), ctx=ast.Load()):
            return value is read
    return False


def _is_consumed(module: Module, awaited: ast.Await) -> bool:
    match module.parent(awaited):
        case ast.comprehension():
            return True
        case ast.Call(args=[only], keywords=[]) as call if only is awaited:
            return module.scopes.builtin_called(call) in _CONSUMERS
    return False


def which_await(module: Module, position: Position) -> int:
    """Return how many ``await`` expressions of the statement come before this one."""
    awaits = list(module.nodes_below(position.statement, ast.Await))
    return awaits.index(position.awaited)
