"""Checks that narrow a variable: ``if not isinstance(x, C): raise`` before a use."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def checked_class(module: Module, name: ast.Name, bindings: Sequence[Binding]) -> ast.expr | None:
    """Return the second argument of the ``isinstance`` that holds wherever ``name`` is read.

    None if nothing checks it, or if the variable may be given a value after the check.
    """
    for check in _checks(module, name):
        last = max((getattr(one.node, "lineno", 0) for one in bindings), default=0)
        is_builtin = not module.scopes.is_bound("isinstance", check)
        if check.lineno > last and is_builtin and not check.keywords and len(check.args) == 2:  # noqa: PLR2004
            return check.args[1]
    return None


def _checks(module: Module, name: ast.Name) -> Iterator[ast.Call]:
    """Yield the calls of ``isinstance`` that were true when ``name`` is read, the nearest first."""
    inner: ast.AST = name
    for outer in module.ancestors(name):
        if isinstance(outer, ast.If) and inner in outer.body:
            yield from _of_name(_all_of(outer.test), name)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _before(outer, inner, name)
            # What was checked outside need not hold any more when the function is called.
            return
        yield from _before(outer, inner, name)
        inner = outer


def _before(outer: ast.AST, inner: ast.AST, name: ast.Name) -> Iterator[ast.Call]:
    """Yield what the statements in front of ``inner``, in the same block, have checked."""
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(outer, block, None)
        if not isinstance(statements, list) or inner not in statements:
            continue
        for statement in reversed(statements[: statements.index(inner)]):
            match statement:
                case ast.Assert(test=test):
                    yield from _of_name(_all_of(test), name)
                # Whoever gets behind it has passed the check.
                case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test), body=body, orelse=[]):
                    if isinstance(body[-1], _LEAVES):
                        yield from _of_name([test], name)


def _all_of(test: ast.expr) -> list[ast.expr]:
    # All parts of an `and` are true in its branch; of an `or` no single one is certain.
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _of_name(tests: Sequence[ast.expr], name: ast.Name) -> Iterator[ast.Call]:
    for test in tests:
        match test:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=checked), *_]):
                if checked == name.id:
                    yield test
