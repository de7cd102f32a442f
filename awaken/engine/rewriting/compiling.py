"""The check that a file compiles: it is never run, and never at the price of this process."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Callable
from typing import Any

from awaken.project.source.trees import CHILDLESS, children
from awaken.workspace.sources import SourceFile

MAX_BLOCKS = 15
"""Blocks inside each other that the compiler is given. Python itself refuses more than 20, but
3.12 and 3.13 crash on 18 comprehensions with ``async for``, and on 20 or 22 of other kinds
(cpython issues 118544 and 156091)."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def why_no_program(source: SourceFile, lowest_python: tuple[int, int]) -> SyntaxError | None:
    """Return why ``source`` is no program for this Python or for the lowest one it must run on."""
    text = source.text.decode()
    try:
        with warnings.catch_warnings(action="ignore"):
            is_older = lowest_python < sys.version_info[:2]
            tree = _tree(text, lowest_python) if is_older else None
            # Up to 3.11 the compiler refuses such code with an exception.
            if sys.version_info >= (3, 12):
                _protect_compiler(tree or ast.parse(text, filename=""))
            compile(text, "", "exec", dont_inherit=True)
            if is_older and tree is None:
                # Errors of every Python version were reported before.
                ast.parse(text, filename="", feature_version=lowest_python)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return SyntaxError(str(error) or type(error).__name__)
    return None


def _tree(text: str, lowest_python: tuple[int, int]) -> ast.Module | None:
    """Return the tree of ``text``; None if the lowest Python has none for it.

    Best effort, as the documentation of ast says: some newer syntax passes.
    """
    try:
        return ast.parse(text, filename="", feature_version=lowest_python)
    except (SyntaxError, ValueError):
        return None


def _protect_compiler(tree: ast.Module) -> None:
    if blocks(tree) > MAX_BLOCKS:
        raise SyntaxError(f"more than {MAX_BLOCKS} nested blocks could crash Python")


def blocks(tree: ast.Module) -> int:
    """Return how many blocks are inside each other at most, as the compiler counts or more.

    Loops, ``with`` items, ``try`` and comprehensions are blocks; a function starts at 0.
    """
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, outside = waiting.pop()
        # The compiler counts the blocks of each function separately.
        inside = 0 if isinstance(node, _FUNCTIONS) else outside + _opened_number(node)
        deepest = max(deepest, inside)
        waiting += [(child, inside) for child in children(node) if type(child) not in CHILDLESS]
    return deepest


_OPENED: dict[type[ast.AST], Callable[[Any], int]] = {
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.While), lambda _: 1),
    **dict.fromkeys((ast.With, ast.AsyncWith), lambda node: len(node.items)),
    **dict.fromkeys(
        (ast.Try, ast.TryStar), lambda node: 1 + bool(node.handlers and node.finalbody)
    ),
    ast.ExceptHandler: lambda node: 1 + bool(node.name),
    **dict.fromkeys(
        (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
        lambda node: len(node.generators),
    ),
}
"""How many blocks a node opens, for those that open some."""


def _opened_number(node: ast.AST) -> int:
    opened = _OPENED.get(type(node))
    return 0 if opened is None else opened(node)
