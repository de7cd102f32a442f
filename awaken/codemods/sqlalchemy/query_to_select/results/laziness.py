"""Iterated queries whose rows are fetched later.

``Query.__iter__`` is a generator: the statement runs when the first row is asked for. The session
runs a ``select()`` at once. It is the same where whatever iterates does so on the spot.
"""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    asks_at_once,
    iterator_called,
)
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module

_AT_ONCE = library_names().consuming | {"next"}
# `extend` of lists, `join` of strings, `update` of sets and dictionaries.
_METHODS_AT_ONCE = frozenset({"extend", "join", "update"})


def runs_later(module: Module, query: ast.expr) -> bool:
    """Whether something else may run before the first row of ``query`` is asked for."""
    iterator = _iterator_over(module, query)
    if isinstance(iterator, ast.Call) and not asks_at_once(iterator, query):
        return True
    return iterator is not None and not _is_used_up(module, iterator)


def _iterator_over(module: Module, query: ast.expr) -> ast.expr | None:
    """Return what iterates ``query`` when it is iterated itself, if anything does."""
    parent = module.parent(query)
    if isinstance(parent, ast.comprehension):
        around = module.parent(parent)
        # Python evaluates only the first iterable of a generator expression immediately.
        is_first = isinstance(around, ast.GeneratorExp) and around.generators[0] is parent
        return around if is_first and isinstance(around, ast.expr) else None
    if isinstance(parent, ast.Call) and iterator_called(module, parent):
        return parent
    return None


def _is_used_up(module: Module, iterator: ast.expr) -> bool:
    """Whether ``iterator`` is iterated at once, before anything else is called."""
    if isinstance(iterator, ast.Call) and not _is_last_call(iterator):
        return False
    match module.parent(iterator):
        case ast.For(iter=used) | ast.YieldFrom(value=used) | ast.Starred(value=used):
            return used is iterator
        case ast.comprehension():
            return not runs_later(module, iterator)
        case ast.Compare(comparators=[used], ops=[ast.In() | ast.NotIn()]):
            return used is iterator
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            # Unpacking takes all rows at once.
            return True
        case ast.Call(func=func, args=args) as call if iterator in args:
            method = func.attr if isinstance(func, ast.Attribute) else ""
            # Later arguments are evaluated before the first row is fetched.
            later = _given_codes(args[args.index(iterator) + 1 :], call)
            if any(isinstance(part, ast.Call | ast.Await) for part in later):
                return False
            if iterator_called(module, call):
                return _is_used_up(module, call)
            name = module.scopes.builtin_called(call)
            return name in _AT_ONCE or method in _METHODS_AT_ONCE
    return False


def _is_last_call(iterator: ast.Call) -> bool:
    """Whether only the first of the arguments that are iterated is more than a plain value."""
    is_mapping = getattr(iterator.func, "id", "") in {"filter", "map"}
    later = iterator.args[2:] if is_mapping else iterator.args[1:]
    return not any(
        isinstance(part, ast.Call | ast.Await) for node in later for part in ast.walk(node)
    )


def _given_codes(later: list[ast.expr], call: ast.Call) -> list[ast.AST]:
    """Return the code that runs after an argument of ``call`` is evaluated, without lambdas."""
    # The body of a lambda does not run in its place.
    nodes = [*later, *(keyword.value for keyword in call.keywords)]
    return [part for node in nodes if not isinstance(node, ast.Lambda) for part in ast.walk(node)]
