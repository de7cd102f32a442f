"""Checks that need only the form of a file: awaits outside of coroutine functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_MANAGERS = {
    "contextlib.asynccontextmanager": ast.FunctionDef,
    "contextlib.contextmanager": ast.AsyncFunctionDef,
}
"""Decorators, with the kind of function that they are not for."""


def misplaced_awaits(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield what Python does not run: awaits elsewhere, and generators that return."""
    for node in module.walk():
        match node:
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                around = module.enclosing_function(node)
                if not isinstance(around, ast.AsyncFunctionDef):
                    yield (
                        module.place(node),
                        f"nothing can be awaited at `{_first_line(module, node)}`",
                    )
            case ast.Return(value=ast.expr()) | ast.YieldFrom():
                around = module.enclosing_function(node)
                if isinstance(around, ast.AsyncFunctionDef) and module.is_generator(around):
                    shown = _first_line(module, node)
                    yield module.place(node), f"an asynchronous generator has no `{shown}`"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for decorator in node.decorator_list:
                    name = after.qualified_name(module, decorator)
                    wrong = _MANAGERS.get(name or "")
                    if wrong is not None and isinstance(node, wrong):
                        yield module.place(node), f"`{name}` does not fit `{node.name}`"


def _first_line(module: Module, node: ast.AST) -> str:
    return module.text_of(node).splitlines()[0]
