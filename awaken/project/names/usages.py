"""Usages of a function or class: a mention calls it, renames it or passes it on."""

from __future__ import annotations

import ast
from typing import Literal

from msgspec import Struct

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, parameters_of

UsageKind = Literal["call", "alias", "decorator", "injected", "value", "nothing"]

_OF_FUNCTIONS = {"cache_clear", "cache_info"}
CALLING = {"__call__", "__get__", "__wrapped__"}
"""Attributes of a function by which it is called after all."""
_TELLING = CALLING | {"__code__", "__defaults__", "__kwdefaults__", "__signature__"}
"""Attributes of a function by which others may call it, or read its parameters."""
_TYPE_QUESTIONS = name_list("about_types")
_INJECTING = {"Depends", "Provide", "Security", "inject"}


class Usage(Struct, frozen=True):
    """One use: ``node`` is the call for ``call``, ``name`` the new name for ``alias``.

    ``injected`` is a function for a framework to call: ``Depends(f)``. ``nothing`` neither calls
    the function nor lets anyone else do so.
    """

    kind: UsageKind
    node: ast.expr
    name: str = ""


def usage_of(module: Module, node: ast.expr, *, is_class: bool) -> Usage:
    """Return what happens to the function, or with ``is_class`` the class, that ``node`` means."""
    above = module.parent(node)
    if is_class and isinstance(above, ast.Subscript) and above.value is node:
        outer = module.call_of(above)
        if outer is not None:
            return Usage("call", outer)
    match above:
        case ast.Call() if above.func is node:
            return Usage("decorator" if _decorates(module, above) else "call", above)
        case ast.Call() if last_name(above.func) in _INJECTING:
            return Usage("injected", above)
        case ast.Attribute():
            # Any other attribute may be a way to call it, as ``task.delay`` is.
            is_plain = above.attr.startswith("__") and above.attr not in _TELLING
            harmless = is_class or above.attr in _OF_FUNCTIONS or is_plain
            return Usage("nothing" if harmless else "value", node)
        case ast.Assign(targets=[ast.Name(id=name)]):
            return Usage("alias", node, name)
        case ast.Compare() | ast.Expr() | ast.Delete():
            return Usage("nothing", node)
        case _ if _decorates(module, node):
            return Usage("decorator", node)
        case _ if is_class:
            return _use_of_class(module, node, above)
    return Usage("value", node)


def _use_of_class(module: Module, node: ast.expr, above: ast.AST | None) -> Usage:
    if is_annotation(module, node):
        # FastAPI makes what ``x: Repository = Depends()`` asks for.
        is_made = _injects(module) and not _is_returned(module, node)
        is_asked_for = is_made and not _is_provided(module, node)
        return Usage("injected" if is_asked_for else "nothing", node)
    match above:
        case ast.ClassDef():
            return Usage("nothing", node)
        case ast.Subscript() if isinstance(module.parent(above), ast.ClassDef):
            return Usage("nothing", node)
        # ``raise Error`` makes an instance of the class.
        case ast.ExceptHandler() | ast.MatchClass() | ast.Raise():
            return Usage("call" if isinstance(above, ast.Raise) else "nothing", node)
        case ast.Call() if last_name(above.func) in _TYPE_QUESTIONS:
            return Usage("nothing", node)
        case ast.keyword(arg="bound"):
            return Usage("nothing", node)
        case ast.Tuple():
            outer = module.parent(above)
            if isinstance(outer, ast.Call) and last_name(outer.func) in _TYPE_QUESTIONS:
                return Usage("nothing", node)
            # `ServiceDep = Annotated[Service, Depends(make)]`
            is_noted = isinstance(outer, ast.Subscript) and last_name(outer.value) == "Annotated"
            return Usage("nothing" if is_noted and _is_provided(module, node) else "value", node)
    return Usage("value", node)


def _decorates(module: Module, node: ast.expr) -> bool:
    above = module.parent(node)
    return isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and any(
        node is decorator for decorator in above.decorator_list
    )


def _injects(module: Module) -> bool:
    """Whether code of a file, no comment or text of it, names what has something injected."""
    return any(
        isinstance(mention, ast.Name | ast.Attribute)
        for name in sorted(_INJECTING)
        if name.encode() in module.source.text
        for mention in module.mentions(name)
    )


def _is_returned(module: Module, node: ast.expr) -> bool:
    """Whether an annotation says what a function returns, which nobody makes for it."""
    span = module.span(node)
    around = next(
        (ancestor for ancestor in module.ancestors(node) if isinstance(ancestor, ast.stmt)), None
    )
    returned = getattr(around, "returns", None)
    return isinstance(returned, ast.expr) and module.span(returned).contains(span)


def _is_provided(module: Module, node: ast.expr) -> bool:
    """Whether a function makes what is annotated: ``x: Repository = Depends(make)``."""
    above = next(x for x in module.ancestors(node) if isinstance(x, ast.arg | ast.stmt))
    around = module.parent(above)
    parameters = parameters_of(around) if isinstance(around, ast.arguments) else []
    defaults = [default for parameter, default in parameters if parameter is above]
    return any(
        isinstance(call, ast.Call) and last_name(call.func) in _INJECTING and bool(call.args)
        for written in (above, *defaults)
        if written is not None
        for call in ast.walk(written)
    )


def is_annotation(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is, or is part of, an annotation."""
    for below, above in module.steps_up(node):
        match above:
            case ast.arg() | ast.AnnAssign():
                return above.annotation is below
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return above.returns is below
            case ast.stmt() | ast.Call():
                return False
    return False
