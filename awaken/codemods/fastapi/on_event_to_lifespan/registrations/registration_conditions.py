"""The cases in which handlers are registered, and their order."""

from __future__ import annotations

import ast

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.kit.sites import Refused
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, Loop

_BRANCHES = (ast.If, ast.Try, ast.Match, ast.With, ast.AsyncWith)


def is_conditional(home: Home, statement: ast.stmt) -> bool:
    """Whether ``statement``, in the scope of ``home``, may be left out when that is executed.

    Raises Refused for what no flag can keep: loops, and functions that may end before it.
    """
    module = home.module
    around = _blocks(module, home.statement)
    # Blocks around the application too decide nothing: without it, no handler matters.
    own = [block for block in _blocks(module, statement) if block not in around]
    place = module.place(statement)
    # A flag cannot count how often the handler was registered.
    if any(isinstance(block, Loop) for block, _ in own):
        raise Refused(reasons.LOOP, because=(place,))
    if home.function is not None:
        returned = _return_between(home, statement)
        if returned is not None:
            why = f"`{module.excerpt(returned)}` may end the function before"
            raise Refused(reasons.CONDITIONAL, why, because=(place,))
    return bool(own)


def test_around(home: Home, statement: ast.stmt) -> ast.expr | None:
    """Return what decides alone whether ``statement`` is executed, if one condition does."""
    around = _blocks(home.module, home.statement)
    own = [pair for pair in _blocks(home.module, statement) if pair not in around]
    block, branch = own[0] if len(own) == 1 else (None, "")
    return block.test if isinstance(block, ast.If) and branch == "body" else None


def in_one_branch(module: Module, one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two statements are in one branch of an ``if``, so that both are executed or none.

    Nothing around them may catch what the code between them raises.
    """
    first, second = _blocks(module, one), _blocks(module, other)
    return first == second and all(isinstance(block, ast.If) for block, _ in first)


def _blocks(module: Module, statement: ast.stmt) -> list[tuple[ast.AST, str]]:
    """Return the compound statements around ``statement`` in its scope, each with its branch."""
    blocks: list[tuple[ast.AST, str]] = []
    for below, above in module.steps_up(statement):
        if isinstance(above, Function | ast.ClassDef | ast.Module):
            break
        if isinstance(above, (Loop, *_BRANCHES)):
            branch = next(
                (
                    name
                    for name, value in ast.iter_fields(above)
                    if isinstance(value, list) and any(candidate is below for candidate in value)
                ),
                "",
            )
            blocks.append((above, branch))
    return blocks


def _return_between(home: Home, statement: ast.stmt) -> ast.Return | None:
    start, end = home.module.span(home.statement).end, home.module.span(statement).start
    returns = home.module.returns_of(home.function) if home.function is not None else ()
    return next((x for x in returns if start <= home.module.span(x).start < end), None)
