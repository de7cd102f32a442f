"""The pairs of ``ast`` kinds and LibCST nodes: in one slice the n-th pairs with the n-th."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import libcst as cst

Matches = Callable[[cst.CSTNode], bool]


def _always(_: cst.CSTNode) -> bool:
    return True


def _is_async(node: cst.CSTNode) -> bool:
    return getattr(node, "asynchronous", None) is not None


def _is_sync(node: cst.CSTNode) -> bool:
    return getattr(node, "asynchronous", None) is None


def _is_constant_name(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value in {"True", "False", "None"}


def _is_keyword(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Arg) and (node.keyword is not None or node.star == "**")


def _is_yield_from(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Yield) and isinstance(node.value, cst.From)


KINDS: Mapping[str, tuple[type[cst.CSTNode], Matches]] = {
    # expressions
    "Attribute": (cst.Attribute, _always),
    "Await": (cst.Await, _always),
    "BinOp": (cst.BinaryOperation, _always),
    "Call": (cst.Call, _always),
    "Compare": (cst.Comparison, _always),
    "Dict": (cst.Dict, _always),
    "DictComp": (cst.DictComp, _always),
    "GeneratorExp": (cst.GeneratorExp, _always),
    "IfExp": (cst.IfExp, _always),
    "Lambda": (cst.Lambda, _always),
    "List": (cst.List, _always),
    "ListComp": (cst.ListComp, _always),
    "Name": (cst.Name, lambda node: not _is_constant_name(node)),
    "NamedExpr": (cst.NamedExpr, _always),
    "Set": (cst.Set, _always),
    "SetComp": (cst.SetComp, _always),
    "Subscript": (cst.Subscript, _always),
    "UnaryOp": (cst.UnaryOperation, _always),
    "Yield": (cst.Yield, lambda node: not _is_yield_from(node)),
    "YieldFrom": (cst.Yield, _is_yield_from),
    # parts of expressions and statements
    "ExceptHandler": (cst.ExceptHandler, _always),
    "arg": (cst.Param, _always),
    "keyword": (cst.Arg, _is_keyword),
    # statements
    "AnnAssign": (cst.AnnAssign, _always),
    "Assert": (cst.Assert, _always),
    "Assign": (cst.Assign, _always),
    "AsyncFor": (cst.For, _is_async),
    "AsyncFunctionDef": (cst.FunctionDef, _is_async),
    "AsyncWith": (cst.With, _is_async),
    "AugAssign": (cst.AugAssign, _always),
    "Break": (cst.Break, _always),
    "ClassDef": (cst.ClassDef, _always),
    "Continue": (cst.Continue, _always),
    "Delete": (cst.Del, _always),
    "Expr": (cst.Expr, _always),
    "For": (cst.For, _is_sync),
    "FunctionDef": (cst.FunctionDef, _is_sync),
    "Global": (cst.Global, _always),
    "If": (cst.If, _always),
    "Import": (cst.Import, _always),
    "ImportFrom": (cst.ImportFrom, _always),
    "Match": (cst.Match, _always),
    "Nonlocal": (cst.Nonlocal, _always),
    "Pass": (cst.Pass, _always),
    "Raise": (cst.Raise, _always),
    "Return": (cst.Return, _always),
    "Try": (cst.Try, _always),
    "TryStar": (cst.TryStar, _always),
    "While": (cst.While, _always),
    "With": (cst.With, _is_sync),
    # a whole file
    "FileTree": (cst.Module, _always),
    "Module": (cst.Module, _always),
}
"""Kinds that ``ast`` and LibCST count alike. ``Tuple``, ``BoolOp``, ``Starred`` and constants are
missing on purpose: ``x[a, b]`` is a tuple for one and not for the other, ``a and b and c`` one
node for one and two for the other, adjacent strings are one constant. A rule edits what holds
them."""

_NOT_EXPRESSIONS = frozenset(
    {
        (cst.Arg, "keyword"),
        (cst.Attribute, "attr"),
        (cst.ClassDef, "name"),
        (cst.ExceptHandler, "name"),
        (cst.ExceptStarHandler, "name"),
        (cst.FunctionDef, "name"),
        (cst.Global, "names"),
        (cst.Import, "names"),
        (cst.ImportFrom, "module"),
        (cst.ImportFrom, "names"),
        (cst.MatchAs, "name"),
        (cst.MatchKeywordElement, "key"),
        (cst.MatchMapping, "rest"),
        (cst.MatchStar, "name"),
        (cst.Nonlocal, "names"),
        (cst.Param, "name"),
        (cst.ParamSpec, "name"),
        (cst.TypeVar, "name"),
        (cst.TypeVarTuple, "name"),
    }
)
"""Fields in which LibCST has Name and Attribute nodes where ``ast`` has plain strings."""


def is_name_only(parent: cst.CSTNode, field: str) -> bool:
    """Whether ``field`` of ``parent`` is a name for ``ast``, not an expression."""
    return (type(parent), field) in _NOT_EXPRESSIONS
