"""``next(get_db())``: the first item of a generator that nothing else holds.

A generator that nobody holds is closed: a plain one at once, before its item is used, and that
does nothing to a session. An asynchronous one is closed by a task of the event loop, while its item
is in use. So the function has to hold it as long as it uses the item, if its end does anything.
"""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, walk


def has_end(module: Module, generator: Function) -> bool:
    """Whether closing a generator runs code of it: what leaves a ``with``, or a ``finally``."""
    return any(
        isinstance(above, ast.AsyncWith | ast.With | ast.Try | ast.TryStar)
        and module.enclosing_function(above) is generator
        for node in walk(generator)
        if isinstance(node, ast.Yield | ast.YieldFrom)
        for above in module.ancestors(node)
    )


def is_used_here(module: Module, call: ast.expr) -> bool:
    """Whether only the function around ``call`` uses the result of ``next``."""
    match module.statement_of(call):
        case ast.Return():
            return not _escapes(module, call)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call:
            function = module.enclosing_function(call)
            return function is not None and not _is_handed_out(module, function, name)
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is call:
            function = module.enclosing_function(call)
            return function is not None and not _is_handed_out(module, function, name)
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Name) for target in targets)
        case ast.stmt():
            return True
        case _:
            return False


def _is_handed_out(module: Module, function: ast.AST, name: str) -> bool:
    """Whether a variable, or what is made with it, is returned or kept elsewhere."""
    for node in walk(function):
        match node:
            case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
                return True
            case ast.Return(value=ast.expr() as value) | ast.Assign([ast.Attribute()], value):
                reads = (part for part in ast.walk(value) if isinstance(part, ast.Name))
                if any(part.id == name and _escapes(module, part) for part in reads):
                    return True
            case _:
                pass
    return False


def _escapes(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` itself goes where its statement puts it: no method is called on it."""
    return not isinstance(module.parent(node), ast.Attribute)
