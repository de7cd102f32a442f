"""The expressions at the places of loads and reads, as the control flow of a function has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.reads.read_expressions import call_or_attribute_at
from awaken.project.source.modules import Module
from awaken.project.source.trees import arguments_of

_RUNNING = library_names().executing_methods
# Calls that go through all items, or call the passed function, before they return.
_AT_ONCE = library_names().consuming | {"join", "next", "sort"}


def read_at(module: Module, place: Place) -> tuple[ast.expr, ast.expr] | None:
    """Return the object that is read at a place, and the expression that reads it.

    Of one in a generator or a function that is used up at once this is the whole of that. None
    where there is no such expression.
    """
    for node in module.walk():
        if not isinstance(node, ast.Attribute | ast.Call) or module.span(node) != place.span:
            continue
        owner = _owner(node)
        if owner is not None:
            return owner, _run_with(module, node)
    return None


def _owner(node: ast.Attribute | ast.Call) -> ast.expr | None:
    match node:
        case ast.Attribute(value=ast.Attribute(value=owner, attr="awaitable_attrs")):
            return owner
        case ast.Attribute(value=owner):
            return owner
        case ast.Call(func=ast.Name(id="getattr" | "hasattr" | "setattr"), args=[owner, *_]):
            return owner
        case ast.Call(func=ast.Attribute(attr="format")):
            return next(iter(arguments_of(node)), None)
    return None


def _run_with(module: Module, node: ast.expr) -> ast.expr:
    """Return the call that runs ``node``, if it is in an expression that is used up at once."""
    run, function = node, module.enclosing_function(node)
    for above in module.ancestors(node):
        if isinstance(above, ast.GeneratorExp | ast.Lambda):
            outer = module.call_taking(above)
            if outer is not None and _name_of(outer) in _AT_ONCE:
                run = above
            if above is function:
                function = module.enclosing_function(above)
        if above is function:
            break
    return run


def _name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def loading_call(module: Module, place: Place) -> ast.expr | None:
    """Return the whole chain of calls that begins at a place: it loads the objects.

    ``session.scalars(select(User).where(...)).all()`` for the place of ``select(User)``.
    """
    node: ast.expr | None = call_or_attribute_at(module, place)
    while node is not None:
        above = module.parent(node)
        match above:
            case ast.Attribute() | ast.Await():
                node = above
            case ast.Call(func=function) if function is node or _runs(above, node):
                node = above
            case _:
                return node
    return None


def _runs(call: ast.Call, statement: ast.expr) -> bool:
    return call.args[:1] == [statement] and _name_of(call) in _RUNNING


def uses_of(module: Module, made: ast.expr) -> Iterator[ast.AST]:
    """Yield the places where an object is given away: all but reads of its own attributes.

    An object that is no more than the value of one variable is followed through that variable.
    """
    above = module.parent(made)
    target = above.targets[0] if isinstance(above, ast.Assign) and len(above.targets) == 1 else None
    if not isinstance(target, ast.Name):
        yield made
        return
    for node in module.mentions(target.id):
        is_same = isinstance(node, ast.Name) and any(
            binding.node is target for binding in module.scopes.bindings_of(node)
        )
        # A returned value is seen where it is passed on, if the callers are visible.
        if is_same and not _reads_data(module, node):
            yield node


def _reads_data(module: Module, node: ast.AST) -> bool:
    """Whether only an attribute of the object is read: a method may give the object away."""
    is_read = isinstance(module.parent(node), ast.Attribute)
    return is_read and module.method_call_on(node) is None
