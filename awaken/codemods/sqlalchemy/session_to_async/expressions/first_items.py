"""``next(get_db())``: the first item of a generator that nothing else holds.

A generator that nobody holds is closed: a plain one at once, before its item is used, and that
does nothing to a session. An asynchronous one is closed by a task of the event loop, while its item
is in use. So the function has to hold it as long as it uses the item, if its end does anything.

``next`` and ``__next__`` raise ``StopIteration`` at the end, ``anext`` and ``__anext__`` raise
``StopAsyncIteration``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.codemods.sqlalchemy.session_to_async.reasons import GENERATOR_USE
from awaken.kit.sites import Refused
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
    function = module.parent(taking)
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
            block = module.parent(module.parent(above))
            return block.body if isinstance(block, ast.With) else None
    return None
