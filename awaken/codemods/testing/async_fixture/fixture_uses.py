"""Uses of a fixture in a test that requests it."""

from __future__ import annotations

import ast
from typing import Literal

from awaken.knowledge.library_names import name_list
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.frameworks.testing.fixture_requests import Request
from awaken.project.source.expressions.alternatives import conditions_passed
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

Use = Literal["by-hand", "as-value", "unknown"]

_OF_COROUTINES = name_list("of_coroutines")


_LAZY = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


def use_of(request: Request) -> Use:
    """Return whether a function awaits a fixture itself, or uses it as what it is to be.

    ``as-value`` is proven: a coroutine or an asynchronous generator fails there, on the first
    statement of the function that may fail with it.
    """
    if request.parameter is None:
        return "unknown"
    module, name = request.module, request.parameter.arg
    reads = module.scopes.reads_in(module.scopes.scope_made_by(request.function), name)
    uses = [_use(module, node) for node in reads]
    if "by-hand" in uses:
        return "by-hand"
    return "as-value" if any(_is_certain(module, request, node) for node in reads) else "unknown"


def _use(module: Module, node: ast.Name) -> Use:
    match module.parent(node):
        case ast.Await() | ast.AsyncFor() | ast.comprehension(is_async=1):
            return "by-hand"
        case ast.Attribute(attr=attribute):
            return "by-hand" if attribute in _OF_COROUTINES else "as-value"
        case ast.Subscript(value=value) if value is node:
            return "as-value"
        case ast.Call(func=func) if func is node:
            return "as-value"
    return "unknown"


def _is_certain(module: Module, request: Request, node: ast.Name) -> bool:
    """Whether a function always comes to a use that fails with a coroutine, and fails with it.

    Only statements at the top of its body count, or in ``with`` blocks there.
    """
    if _use(module, node) != "as-value":
        return False
    for below, above in module.steps_up(node):
        if above is request.function:
            return isinstance(below, ast.stmt) and _comes_to(request.function.body, below)
        if _may_pass_over(above, below):
            return False
    return False


def _may_pass_over(above: ast.AST, below: ast.AST) -> bool:
    """Whether ``above`` runs without ``below``, or is content with its failure."""
    match above:
        case ast.With() | ast.AsyncWith():
            # `with pytest.raises(AttributeError):` is content with the failure.
            return below not in above.items and _catches(above)
        case ast.Compare():
            # A comparison of several parts stops at the first that is false.
            return len(above.ops) > 1
        case ast.stmt():
            # The first part of a block is run before the block decides anything.
            return isinstance(below, ast.stmt | ast.ExceptHandler | ast.match_case)
    return isinstance(above, _LAZY) or any(conditions_passed(above, below))


def _catches(statement: ast.With | ast.AsyncWith) -> bool:
    words = {last_name(part) for item in statement.items for part in ast.walk(item.context_expr)}
    return bool(words & {"raises", "suppress", "subtests", "assertRaises"})


def _comes_to(body: list[ast.stmt], statement: ast.stmt) -> bool:
    """Whether nothing in front of ``statement`` may leave the function in good order."""
    for part in body:
        if part is statement:
            return True
        if any(isinstance(node, ast.Return) for node in own_nodes([part])):
            return False
        # Functions inside may be called by then.
        if any(
            isinstance(node, ast.Raise) or last_name(node) in {"skip", "xfail", "exit"}
            for node in ast.walk(part)
        ):
            return False
    return False
