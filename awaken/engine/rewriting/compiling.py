"""The check that a file compiles: it is never run, and never at the price of this process."""

from __future__ import annotations

import ast
import sys
import warnings

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
            # Up to 3.11 the compiler refuses such code with an exception.
            if sys.version_info >= (3, 12):
                _protect_compiler(text)
            compile(text, "", "exec", dont_inherit=True)
            # Best effort, as the documentation of ast says: some newer syntax passes.
            if lowest_python < sys.version_info[:2]:
                ast.parse(text, filename="", feature_version=lowest_python)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return SyntaxError(str(error) or type(error).__name__)
    return None


def _protect_compiler(text: str) -> None:
    if blocks(ast.parse(text, filename="")) > MAX_BLOCKS:
        raise SyntaxError(f"more than {MAX_BLOCKS} blocks inside each other could crash Python")


def blocks(tree: ast.Module) -> int:
    """Return how many blocks stand inside each other at most, as the compiler counts or more.

    Loops, ``with`` items, ``try`` and comprehensions are blocks; a function starts anew.
    """
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, outside = waiting.pop()
        # The compiler counts the blocks of each function anew.
        inside = 0 if isinstance(node, _FUNCTIONS) else outside + _opened(node)
        deepest = max(deepest, inside)
        waiting += [(child, inside) for child in children(node) if type(child) not in CHILDLESS]
    return deepest


def _opened(node: ast.AST) -> int:
    match node:
        case ast.For() | ast.AsyncFor() | ast.While():
            return 1
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return len(items)
        case ast.Try() | ast.TryStar():
            return 1 + bool(node.handlers and node.finalbody)
        case ast.ExceptHandler(name=name):
            return 1 + bool(name)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return len(node.generators)
        case _:
            return 0
