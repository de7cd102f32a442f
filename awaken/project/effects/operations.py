"""Operators and loops that raise nothing, for the builtin types of what they work on."""

from __future__ import annotations

import ast

from awaken.project.effects.callees import CONTAINERS, Callees
from awaken.project.source.modules import Module

_ITERATORS = {"builtins.enumerate", "builtins.range", "builtins.reversed", "builtins.zip"}
_VIEWS = {"items", "keys", "values"}
_OF_TWO = {"builtins.enumerate", "dict.items"}


class Operations:
    """Answers for one project; ``float`` is any number."""

    def __init__(self, callees: Callees) -> None:
        self._callees = callees

    def is_container(self, module: Module, node: ast.expr) -> bool:
        """Whether iterating over ``node`` raises nothing."""
        return self._callees.builtin_type(module, node) in CONTAINERS

    def is_hashable(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a constant, a number or a text."""
        kind = self._callees.builtin_type(module, node)
        return isinstance(node, ast.Constant) or kind in {"float", "str"}

    def is_quiet(self, module: Module, op: ast.operator, left: ast.expr, right: ast.expr) -> bool:
        """Whether the operator raises nothing between the two."""
        first = self._callees.builtin_type(module, left)
        second = self._callees.builtin_type(module, right)
        if first != second or first is None:
            return False
        if isinstance(op, ast.Div | ast.FloorDiv | ast.Mod):
            # Only a constant is proven not to be zero.
            divisor = right.value if isinstance(right, ast.Constant) else 0
            return first == "float" and bool(divisor)
        # A power of numbers may overflow, a shift may be negative.
        allowed = (ast.Add, ast.Sub, ast.Mult) if first == "float" else (ast.Add,)
        return isinstance(op, allowed) and first in {"float", "list", "str", "tuple"}

    def is_quiet_comparison(self, module: Module, node: ast.Compare) -> bool:
        """Whether a chain of comparisons raises nothing."""
        sides = [node.left, *node.comparators]
        return all(
            self._compares(module, op, *sides[number : number + 2])
            for number, op in enumerate(node.ops)
        )

    def _compares(self, module: Module, op: ast.cmpop, left: ast.expr, right: ast.expr) -> bool:
        first = self._callees.builtin_type(module, left)
        second = self._callees.builtin_type(module, right)
        match op:
            case ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot():
                return True
            case ast.In() | ast.NotIn():
                # What is looked up in them is hashed, which may raise.
                hashed = second in {"dict", "set"} and self.is_hashable(module, left)
                # These compare by `==`, which is taken to raise nothing.
                return hashed or second in {"list", "tuple"}
            case _:
                return first == second and first in {"float", "str"}

    def iterated(
        self, module: Module, node: ast.For | ast.comprehension
    ) -> tuple[bool, list[ast.expr]]:
        """Return whether a loop takes its items without raising, and what it reads before."""
        source = node.iter
        name, inner = self._iterator(module, source)
        if name in _ITERATORS and isinstance(source, ast.Call):
            read = source.args
            known = name == "builtins.range" or all(self.is_container(module, one) for one in read)
        elif inner is not None:
            read, known = [inner], True
        else:
            read, known = [source], self.is_container(module, source)
        # Unpacking raises if the number of items is another one.
        fits = isinstance(node.target, ast.Name) or name in _OF_TWO
        return known and fits and not getattr(node, "is_async", 0), list(read)

    def _iterator(self, module: Module, source: ast.expr) -> tuple[str, ast.expr | None]:
        """Return the name of what makes the iterator, and the dictionary of which it is a view."""
        if not isinstance(source, ast.Call):
            return "", None
        match source.func:
            case ast.Attribute(value=base, attr=view) if (
                view in _VIEWS and self._callees.builtin_type(module, base) == "dict"
            ):
                return f"dict.{view}", base
            case func:
                return self._callees.function_name(module, func) or "", None
