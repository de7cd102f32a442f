"""The parameters of functions that listen to the events of a connection pool.

They are connections of the database driver and records of the pool, never sessions (SQLAlchemy,
``PoolEvents``).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import NotRelevant, Values

if TYPE_CHECKING:
    from awaken.project.values.questions import Questions

_REGISTERING = frozenset({"sqlalchemy.event.listen", "sqlalchemy.event.listens_for"})
_EVENTS = name_list("pool_events")


def parameter_of_listener(evaluator: Questions, module: Module, function: ast.AST) -> Values:
    """Return what a parameter of ``function`` is if only a pool calls that; else nothing."""
    if not isinstance(function, Function):
        return ()
    registering = [
        *function.decorator_list,
        *(module.parent(mention) for mention in module.mentions(function.name)),
    ]
    if not registering or not all(_is_of_pool(evaluator, module, node) for node in registering):
        return ()
    return (NotRelevant("an argument of a listener on a connection pool"),)


def _is_of_pool(evaluator: Questions, module: Module, node: ast.AST | None) -> bool:
    """Whether ``node`` registers a function for one of the events of a pool."""
    match node:
        case ast.Call(func=called, args=[_, ast.Constant(value=str() as event), *_]):
            # The name costs a question, and most strings are no event.
            return (
                event in _EVENTS and evaluator.names.qualified_name(module, called) in _REGISTERING
            )
    return False
