"""The block of an environment of Alembic that enters a connection, to be run by ``run_sync``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from awaken.knowledge.asynchronous import twins
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, variable_of

_SAME = {"dialect", "echo", "name"}
"""Attributes of an engine that say the same of the database by an asynchronous one."""
_OF_URL = {"database", "get_backend_name", "host", "password", "port", "query", "username"}
"""What a URL tells without its driver."""


class Entering(NamedTuple):
    """A ``with`` statement that enters a connection of an engine, and where it gets the engine.

    ``engine`` is the variable that holds it, None where ``given`` is in the statement itself.
    ``disposals`` are statements that close its connections.
    """

    block: ast.With
    method: str
    connection: str
    given: ast.expr
    engine: str | None
    disposals: tuple[ast.Expr, ...] = ()


def entering(module: Module, given: ast.expr) -> list[Entering] | None:
    """Return all blocks that enter connections of an engine; None if more is done with it."""
    holder = _holder(module, given)
    if holder is None:
        result = _entered_block(module, given, given, None)
        return None if result is None else [result]
    blocks: list[Entering] = []
    disposals: list[ast.Expr] = []
    for read in module.scopes.reads_of(holder):
        above = module.parent(read)
        disposal = _disposal(module, read)
        if disposal is not None:
            disposals.append(disposal)
        elif not (isinstance(above, ast.Attribute) and is_told_alike(module, above)):
            result = _entered_block(module, read, given, holder.id)
            if result is None:
                return None
            blocks.append(result)
    if not blocks:
        return None
    return [blocks[0]._replace(disposals=tuple(disposals)), *blocks[1:]]


def is_told_alike(module: Module, read: ast.Attribute) -> bool:
    """Whether an attribute of an engine says the same where the engine is asynchronous."""
    above = module.parent(read)
    is_part = isinstance(above, ast.Attribute) and above.attr in _OF_URL
    return read.attr in _SAME or (read.attr == "url" and is_part)


def _holder(module: Module, given: ast.expr) -> ast.Name | None:
    """Return the variable that is given an engine and nothing else."""
    name = variable_of(module.parent(given))
    return None if module.scopes.only_binding(name) is None else name


def _entered_block(
    module: Module, engine: ast.expr, given: ast.expr, name: str | None
) -> Entering | None:
    """Return the block of ``with engine.connect() as connection:`` that may become a function."""
    method = module.parent(engine)
    call = None if method is None else module.parent(method)
    item = None if call is None else module.parent(call)
    block = None if item is None else module.parent(item)
    match method, call, item, block:
        case (
            ast.Attribute(attr=attr),
            ast.Call(args=[], keywords=[]),
            ast.withitem(optional_vars=ast.Name(id=connection)),
            ast.With(items=[_]) as found,
        ) if attr in twins().entered["engine"]:
            is_movable = not any(_leaves(module, found)) and not _is_seen(module, found)
            return Entering(found, attr, connection, given, name) if is_movable else None
    return None


def _disposal(module: Module, engine: ast.expr) -> ast.Expr | None:
    method = module.parent(engine)
    call = None if method is None else module.parent(method)
    statement = None if call is None else module.parent(call)
    match method, call, statement:
        case ast.Attribute(attr="dispose"), ast.Call(args=[], keywords=[]), ast.Expr() as found:
            # Something has to be left of its block.
            return found if len(module.block_of(found)) > 1 else None
    return None


def _leaves(module: Module, block: ast.With) -> Iterator[bool]:
    """Yield for each part of a block whether it leaves it, or waits, other than at its end."""
    around = module.enclosing_function(block)
    for node in module.walk(block):
        if module.enclosing_function(node) is not around:
            continue
        if isinstance(node, ast.Break | ast.Continue):
            loops = (one for one in module.ancestors(node) if isinstance(one, ast.For | ast.While))
            yield not any(block in module.ancestors(loop) for loop in loops)
        else:
            yield isinstance(
                node, ast.Return | ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal
            )


def _is_seen(module: Module, block: ast.With) -> bool:
    """Whether a name that the block binds is bound or read elsewhere, so that it has to stay."""
    inside = set(map(id, module.walk(block)))
    around = module.enclosing_function(block)
    scope = module.scopes.scope_of(block.body[0])
    for name, bindings in scope.bindings.items():
        own = [binding for binding in bindings if id(binding.node) in inside]
        if not own:
            continue
        if len(own) < len(bindings):
            return True
        if any(id(read) not in inside for read in module.scopes.reads_in(scope, name)):
            return True
    return isinstance(around, Function) and module.is_generator(around)
