"""``next(get_db())``: the first item of a generator that nothing else holds.

A generator that nobody holds is closed: a plain one at once, before its item is used, and that
does nothing to a session. An asynchronous one is closed by a task of the event loop, while its item
is in use. So the function has to hold it as long as it uses the item, if its end does anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameters_of, walk


def has_end(module: Module, generator: Function) -> bool:
    """Whether closing a generator runs code of it: what leaves a ``with``, or a ``finally``."""
    return any(
        isinstance(above, ast.AsyncWith | ast.With | ast.Try | ast.TryStar)
        and module.enclosing_function(above) is generator
        for node in module.yields_of(generator)
        for above in module.ancestors(node)
    )


def kept_attribute(statement: ast.AST | None) -> ast.Attribute | None:
    """Return the attribute that ``statement`` assigns a value to, if it is the only target."""
    match statement:
        case ast.Assign([ast.Attribute() as kept]) | ast.AnnAssign(ast.Attribute() as kept):
            return kept
    return None


def is_used_here(module: Module, call: ast.expr, keeps_nothing: Callable[[ast.Call], bool]) -> bool:
    """Whether only the function around ``call``, or its instance, uses the item that it takes.

    ``keeps_nothing`` says of a call that takes the item whether its result is only that.
    """
    match module.statement_of(call):
        case ast.Return():
            return not _escapes(module, call)
        case (
            ast.Assign(targets=[ast.Name() as kept], value=value)
            | ast.AnnAssign(target=ast.Name() as kept, value=value)
        ) if value is call:
            function = module.enclosing_function(call)
            return function is not None and not _is_handed_out(
                module, function, kept, keeps_nothing
            )
        case ast.stmt() as whole if module.parent(call) is whole and (own := kept_attribute(whole)):
            return _is_own(module, whole, own, keeps_nothing)
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Name) for target in targets)
        case ast.AnnAssign(target=target):
            return isinstance(target, ast.Name)
        case ast.stmt():
            return True
    return False


def last_statement(module: Module, taking: ast.AST | None) -> ast.stmt | None:
    """Return where the function around ``taking`` always ends, which reads nothing that waits.

    ``taking`` is a statement of its body; None where it may end elsewhere.
    """
    function = None if taking is None else module.parent(taking)
    if not isinstance(function, Function) or module.is_generator(function):
        return None
    last = function.body[-1]
    is_plain = not isinstance(last, ast.Return) or isinstance(
        last.value, ast.Constant | ast.Name | None
    )
    others = [node for node in module.returns_of(function) if node is not last]
    is_apart = not any(module.text_alongside(last)) and last is not taking
    return last if is_plain and is_apart and not others else None


def _is_own(
    module: Module,
    statement: ast.stmt,
    kept: ast.Attribute,
    keeps_nothing: Callable[[ast.Call], bool],
) -> bool:
    """Whether ``kept`` is an attribute of the instance that only methods of its class use.

    The class can have one more attribute, and the statement is on lines of its own.
    """
    method, owner = module.enclosing_function(statement), module.enclosing_class(statement)
    if not isinstance(method, Function) or owner is None or module.parent(method) is not owner:
        return False
    first = next((parameter.arg for parameter, _ in parameters_of(method.args)), None)
    return (
        ast.unparse(kept.value) == first
        and {"__setattr__", "__slots__"}.isdisjoint(module.scopes.scope_made_by(owner).bindings)
        and not module.text_alongside(statement)[0]
        and not _is_handed_out(module, owner, kept, keeps_nothing)
    )


def _is_handed_out(
    module: Module,
    around: ast.AST,
    kept: ast.Attribute | ast.Name,
    keeps_nothing: Callable[[ast.Call], bool],
) -> bool:
    """Whether a variable or attribute, or what is made with it, is returned or kept elsewhere."""
    for node in walk(around):
        match node:
            case ast.Global(names=names) | ast.Nonlocal(names=names) if last_name(kept) in names:
                return True
            case ast.Return(value=ast.expr() as value) | ast.Assign([ast.Attribute()], value):
                reads = (part for part in ast.walk(value) if isinstance(part, type(kept)))
                if any(
                    last_name(read) == last_name(kept)
                    and _escapes(module, read)
                    and ((call := module.call_taking(read)) is None or not keeps_nothing(call))
                    for read in reads
                ):
                    return True
    return False


def _escapes(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` itself goes where its statement puts it: no method is called on it."""
    return not isinstance(module.parent(node), ast.Attribute)
