"""``generator = get_db()``, of which ``next`` takes items: the variable and what handles its end.

``next`` and ``__next__`` raise ``StopIteration`` at the end, ``anext`` and ``__anext__`` raise
``StopAsyncIteration``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async.reasons import GENERATOR_USE
from awaken.kit.sites import Refused
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

_END = "StopIteration"


def iterator_of(module: Module, call: ast.Call) -> ast.expr | None:
    """Return the iterator of which ``call`` takes an item, by ``next`` or ``__next__``, or None."""
    match call:
        case ast.Call(func=ast.Attribute(value=iterator, attr="__next__"), args=[], keywords=[]):
            return iterator
        case ast.Call(args=[iterator, *_]) if module.scopes.builtin_called(call) == "next":
            return iterator
    return None


def asked_method(module: Module, call: ast.Call) -> ast.Constant | None:
    """Return the name in ``hasattr(generator, "__next__")``; None for other calls."""
    match call.args:
        case [_, ast.Constant(value="__next__" | "__iter__") as name]:
            return name if module.scopes.builtin_called(call) == "hasattr" else None
    return None


def call_for_item(module: Module, iterator: ast.expr) -> ast.Call | None:
    """Return the call that takes an item of ``iterator``; None where none does."""
    call = module.method_call_on(iterator) or module.call_taking(iterator)
    return call if call is not None and iterator_of(module, call) is iterator else None


def generator_uses(module: Module, kept: ast.Name, shown: str) -> Iterator[ast.Call | ast.For]:
    """Yield what takes the items of a generator in a variable, asks for its methods, or closes it.

    Raises Refused where the variable may have another value, or is used in another way.
    """
    function = module.enclosing_function(kept)
    bindings = module.scopes.bindings_of(kept)
    if function is None or [binding.scope.node for binding in bindings] != [function]:
        raise Refused(GENERATOR_USE, shown)
    for read in module.scopes.reads_of(kept):
        use = _use(module, read)
        if use is None or module.enclosing_function(read) is not function:
            raise Refused(GENERATOR_USE, shown)
        yield use


def _use(module: Module, read: ast.Name) -> ast.Call | ast.For | None:
    match module.parent(read):
        case ast.For(iter=iterated) as loop if iterated is read:
            return loop
        case ast.Attribute(attr="close") as method:
            return module.call_of(method)
        case ast.Call() as call if asked_method(module, call):
            return call
    return call_for_item(module, read)


def handled_ends(module: Module, call: ast.Call, shown: str) -> list[ast.Name]:
    """Return the names of ``StopIteration`` in what handles the end that ``call`` finds.

    ``call`` takes an item, without a default. Raises Refused where such a handler, or a
    function that calls this one, may handle another end.
    """
    ours: list[ast.Name] = []
    for mention in module.mentions(_END):
        block = _handled_statements(module, mention)
        if block is None or not isinstance(mention, ast.Name):
            raise Refused(GENERATOR_USE, shown)
        calls = [node for part in block for node in ast.walk(part) if isinstance(node, ast.Call)]
        if call in calls:
            if any(node is not call and not _never_stops(module, node, call) for node in calls):
                raise Refused(GENERATOR_USE, shown)
            ours.append(mention)
        elif any(
            iterator_of(module, node) is None and not _never_stops(module, node, call)
            for node in calls
        ):
            raise Refused(GENERATOR_USE, shown)
    return ours


def _never_stops(module: Module, call: ast.Call, taking: ast.Call) -> bool:
    """Whether a call surely raises no ``StopIteration``: of a builtin, or to close a generator."""
    match call.func, iterator_of(module, taking):
        case ast.Attribute(value=ast.Name() as closed, attr="close"), ast.Name() as kept:
            return module.scopes.bindings_of(closed) == module.scopes.bindings_of(kept)
    return module.scopes.builtin_called(call) in {"len", "list", "print", "str"}


def _handled_statements(module: Module, mention: ast.AST) -> list[ast.stmt] | None:
    """Return the statements whose error ``mention`` names in a handler; None elsewhere."""
    child, above = mention, module.parent(mention)
    if isinstance(above, ast.Tuple):
        child, above = above, module.parent(above)
    match above:
        case ast.ExceptHandler(type=handled) if handled is child:
            block = module.parent(above)
            return block.body if isinstance(block, ast.Try) else None
        case ast.Call(func=manager) if last_name(manager) in {"raises", "suppress"}:
            item = module.parent(above)
            block = None if item is None else module.parent(item)
            return block.body if isinstance(block, ast.With) else None
    return None
