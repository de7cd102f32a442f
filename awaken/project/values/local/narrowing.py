"""Checks that narrow what a variable may be where it is read.

``isinstance``, ``is None`` and the truth of the variable itself, or of an item of its tuple, in
``if``, ``while``, ``assert``, conditional expressions, ``and``, ``or`` and comprehensions, and
before what follows a branch that leaves. A check counts as long as nothing can give the variable
another value after it. One of an attribute counts until any other code may run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import conditions_in, conditions_passed
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import Comprehension, Loop, is_none, position
from awaken.project.values.domain import (
    InstanceOf,
    NoneValue,
    Unknown,
    Value,
    Values,
    union,
    without_none,
)
from awaken.project.values.library.promises import with_items
from awaken.project.values.questions import EvaluatorPart

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_Position = tuple[int, int]
_Read = ast.Name | ast.Subscript | ast.Attribute
_CHANGING = ast.Await | ast.Call | ast.Delete | ast.Yield | ast.YieldFrom
"""They may run other code, which may change any attribute."""


class _Check(NamedTuple):
    """An expression that was true, or false, and holds up to the position ``until``."""

    test: ast.expr
    is_true: bool
    until: _Position


class Narrowing(EvaluatorPart):
    """Narrows the values of a variable by the checks around a read of it."""

    def narrow(
        self, module: Module, read: _Read, bindings: Sequence[Binding], found: Values
    ) -> Values:
        """Return what is left of ``found`` where a variable, an item or attribute of it is read."""
        if len(found) == 1 and not isinstance(found[0], Unknown | InstanceOf):
            return found
        if _variable(read) not in _checked_variables(module):
            return found  # as most are: what stands around the read need not be gone through
        here = module.enclosing_function(read)
        functions = {module.enclosing_function(binding.node) for binding in bindings}
        if len(bindings) > 1 and functions != {here}:
            # Another function may give it a value at any time.
            return found
        ends = [_end_of_binding(module, binding.node) for binding in bindings]
        for check in checks_before(module, read):
            start = position(check.test)
            is_given = any(start < end <= check.until for end in ends)
            if not is_given and not _may_change(module, check, read):
                found = self._narrow_by(module, read, check, found)
        return found

    def _narrow_by(self, module: Module, read: _Read, check: _Check, found: Values) -> Values:
        match check.test:
            case ast.Compare(
                left=checked, ops=[ast.Is() | ast.IsNot() as operator], comparators=[other]
            ) if is_none(other) and _is_same(checked, read):
                is_not_none = isinstance(operator, ast.IsNot) is check.is_true
                return without_none(found) if is_not_none else (NoneValue(),)
            case ast.Call(func=ast.Name(id="isinstance"), args=[checked, kind]) if (
                _is_same(checked, read)
                and not module.scopes.is_bound("isinstance", check.test)
                and not check.test.keywords
            ):
                return self._of_class(module, kind, found, is_true=check.is_true)
            case _ if _is_same(check.test, read):
                return without_none(found) if check.is_true else found
        return found

    def _of_class(self, module: Module, kind: ast.expr, found: Values, *, is_true: bool) -> Values:
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        declared = union(*(self._evaluator.declared_values(module, node) for node in kinds))
        if any(isinstance(alternative, Unknown) for alternative in declared):
            return found
        if not is_true:
            left = tuple(item for item in found if not self._is_one_of(item, declared))
            return left or found
        narrowed: Values = ()
        for value in found:
            narrowed = union(narrowed, self._as(value, declared))
        return narrowed or (declared if found else ())

    def _as(self, value: Value, declared: Values) -> Values:
        """Return what ``value`` is if it is an instance of one of ``declared``."""
        if isinstance(value, Unknown):
            # Its items are as unknown as it is.
            return tuple(with_items(kind, (value,)) for kind in declared)
        if self._is_one_of(value, declared):
            return (value,)
        if isinstance(value, NoneValue):
            return ()
        below = tuple(candidate for candidate in declared if self._is_one_of(candidate, (value,)))
        if below or not isinstance(value, InstanceOf):
            return below or (value,)
        builtin = value.qualified.startswith("builtins.") and value.qualified != "builtins.object"
        # A class may inherit from both, unless nothing that is a `str` is an `int` as well.
        return () if builtin else (value,)

    def _is_one_of(self, value: Value, declared: Values) -> bool:
        if value in declared:
            return True
        if not isinstance(value, InstanceOf):
            return False
        ancestors = self._evaluator.classes.ancestors(value.qualified)
        names = {value.qualified}
        if ancestors is not None:
            names |= {facts.qualified for facts in ancestors.inside} | set(ancestors.outside)
        if "builtins.bool" in names:
            names.add("builtins.int")
        return any(isinstance(item, InstanceOf) and item.qualified in names for item in declared)


def _may_change(module: Module, check: _Check, read: _Read) -> bool:
    """Whether other code may run between a check of an attribute and a read of it."""
    if not isinstance(read, ast.Attribute):
        return False
    # Expressions around the read run after it.
    later, end = {*module.ancestors(read)}, (check.test.end_lineno, check.test.end_col_offset)
    is_repeated = any(isinstance(above, Comprehension) for above in later)
    return (
        check.until != position(read)
        or is_repeated
        or any(
            end < position(node) < position(read) and node not in later
            for node in module.walk(module.enclosing_def(read) or module.tree)
            if isinstance(node, _CHANGING)
            or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
        )
    )


def _end_of_binding(module: Module, node: ast.AST) -> _Position:
    """Return where a variable has been given its value: an assignment ends with its statement."""
    statement = module.statement_of(node)
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and not isinstance(
        module.parent(node), ast.NamedExpr | ast.comprehension
    ):
        return statement.end_lineno or 0, statement.end_col_offset or 0
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


@cached_in_file
def _checked_variables(module: Module) -> frozenset[str]:
    """Return the variables of a file that any check is about, in whatever function."""
    return frozenset[str]().union(*map(_variables_about, conditions_in(module)))


def _variables_about(test: ast.expr) -> set[str]:
    """Return the variable that a check may narrow; the parts of ``and`` and ``or`` are apart."""
    while isinstance(test, ast.UnaryOp):
        test = test.operand
    match test:
        case ast.Compare(left=checked) | ast.Call(args=[checked, *_]):
            pass
        case _:
            checked = test
    name = _variable(checked)
    return set() if name is None else {name}


def _variable(checked: ast.expr) -> str | None:
    """Return the variable that an expression is, assigns, or reads an item or attribute of."""
    match checked:
        case ast.Name(id=name):
            return name
        case ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant()):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return f"{name}.{attribute}"
    return None


def _is_same(checked: ast.expr, read: _Read) -> bool:
    """Whether a check is about what is read: the same variable, or the same item of it."""
    return _variable(checked) == _variable(read) and _key(checked) == _key(read)


def _key(node: ast.expr) -> object:
    return (
        node.slice.value
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        else None
    )


def checks_before(module: Module, read: ast.expr | ast.stmt) -> Iterator[_Check]:
    """Yield the checks that were passed before a read, the nearest first."""
    inner: ast.AST = read
    until = position(read)
    for outer in module.ancestors(read):
        for test, is_true in (*conditions_passed(outer, inner), *_pairs_before(outer, inner)):
            for part, was_true in _parts(test, is_true=is_true):
                yield _Check(part, was_true, until)
        if isinstance(outer, _FUNCTIONS):
            # A check outside need not hold any more when the function is called.
            return
        if isinstance(outer, Loop):
            # The end of a loop comes before its beginning.
            until = outer.end_lineno or 0, outer.end_col_offset or 0
        inner = outer


def _pairs_before(outer: ast.AST, inner: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """Yield what the statements in front of ``inner``, in the same block, have checked."""
    for block in ("body", "orelse", "finalbody") if isinstance(inner, ast.stmt) else ():
        statements = getattr(outer, block, None)
        if not isinstance(statements, list) or inner not in statements:
            continue
        for statement in reversed(statements[: statements.index(inner)]):
            match statement:
                case ast.Assert(test=test):
                    yield test, True
                # Code after it has passed the check.
                case ast.If(test=test, body=body) if isinstance(body[-1], _LEAVES):
                    yield test, False
                case ast.If(test=test, orelse=[*_, last]) if isinstance(last, _LEAVES):
                    yield test, True


def _parts(test: ast.expr, *, is_true: bool) -> Iterator[tuple[ast.expr, bool]]:
    """Yield what is certain of the parts of a test that was true, or false."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _parts(operand, is_true=not is_true)
        # Of an `and` that is false no single part is certain, nor of an `or` that is true.
        case ast.BoolOp(op=operator, values=values) if isinstance(operator, ast.And) is is_true:
            for node in values:
                yield from _parts(node, is_true=is_true)
        case _:
            yield test, is_true
