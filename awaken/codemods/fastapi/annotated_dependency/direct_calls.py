"""Direct calls of a function, which may prevent a change of its signature."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.markers import Marked, has_lazy_annotations
from awaken.codemods.fastapi.annotated_dependency.parameter_order import moved_parameters
from awaken.codemods.fastapi.annotated_dependency.payload import SignatureRewrite
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.knowledge.decorators import library_decorators
from awaken.knowledge.library_names import library_names
from awaken.project.graph.callers import CallSite, Obstacle
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.names.functions.opaque import OpaqueUse
from awaken.project.source.trees import Function, positional_parameters, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

ROUTES = library_names().http_methods | {"api_route", "trace", "websocket", "websocket_route"}
_REGISTERING = {"add_api_route", "add_api_websocket_route", "add_websocket_route"}
_UNWRAPPING = "0.123.5"
"""FastAPI evaluates annotations where the function is defined from then on, not its wrapper."""
_FOREIGN = {"inherited", "many", "named", "dynamic", "unresolved"}


class _Signature(Struct, frozen=True):
    """A function with its rewrite."""

    function: Function
    rewrite: SignatureRewrite
    losing: frozenset[str]
    gaining: frozenset[str]


def caveats_of(
    project: Project,
    module: Module,
    function: Function,
    marked: Sequence[Marked],
    rewrite: SignatureRewrite,
) -> list[str]:
    """Return what may change for whom calls the function directly. Raises Refused."""
    kept = {parameter.name for parameter in rewrite.parameters if parameter.kept}
    names = frozenset(parameter.name for parameter in marked)
    signature = _Signature(function, rewrite, names - kept, names & kept)
    caveats = list(_of_decorators(project, module, signature))
    if not may_be_called(project, module, function):
        return caveats
    callers = project.calls.callers_of(module, function)
    for site in callers.sites:
        caveats += _of_call(project, signature, site)
    for obstacle in callers.obstacles:
        caveats += _of_obstacle(project, signature, obstacle)
    return list(dict.fromkeys(caveats))


def may_be_called(project: Project, module: Module, function: Function) -> bool:
    """Whether anything but FastAPI may call ``function`` in a way that matters."""
    # FastAPI itself passes every parameter of an endpoint by keyword.
    return not is_route(function) or project.calls.may_be_mentioned(module, function)


def is_route(function: Function) -> bool:
    """Whether a decorator registers the function: ``@router.get("/")``."""
    return any(_registers(decorator) for decorator in function.decorator_list)


def _registers(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ROUTES
    return False


def _of_decorators(project: Project, module: Module, signature: _Signature) -> Iterator[str]:
    function = signature.function
    known = library_decorators()
    methods = {row.rpartition(".")[2] for row in known.unread}
    # FastAPI gets what the decorators below make.
    is_below = not is_route(function)
    for decorator in function.decorator_list:
        if _registers(decorator):
            is_below = True
            continue
        plain = without_arguments(decorator)
        name = project.qualified_name(module, plain) or ""
        if isinstance(plain, ast.Attribute) and plain.attr in methods:
            owners = project.instance_of(module, plain.value)
            name = f"{owners[0]}.{plain.attr}" if len(owners) == 1 else name
        wraps = OpaqueUse(wrapping={""}) if name in known.unread else None
        use = wraps or project.calls.opaque_use(name, decorator)
        text = f"`@{module.excerpt(plain)}`"
        if use is None and not known.is_same(name):
            yield f"{text} may read the defaults of the function"
        elif use is not None:
            yield from _of_wrapper(signature, use, text, is_below=is_below)
            homes = use.signing
            if project.targets.admits("fastapi", f"<{_UNWRAPPING}"):
                homes = homes | use.wrapping
            if is_below and has_lazy_annotations(module) and not homes <= {module.path}:
                yield f"FastAPI may evaluate the new annotation in the file of {text}"


def _of_wrapper(
    signature: _Signature, use: OpaqueUse, text: str, *, is_below: bool
) -> Iterator[str]:
    """Yield what may change although a decorator, shown as ``text``, reads no default."""
    if is_below and not use.carries:
        yield f"{text} hides the parameters, so FastAPI may not pass them"
    first = positional_parameters(signature.function)[: use.positional]
    moves = moved_parameters(signature.function, signature.rewrite)
    if moves.intersection(argument.arg for argument in first):
        yield f"{text} passes arguments by position, and the parameters change their order"
    for name in sorted(use.consumed & (signature.losing | signature.gaining)):
        yield f"{text} may call the function without `{name}`"


def _of_call(project: Project, signature: _Signature, site: CallSite) -> Iterator[str]:
    _, call = next(iter(project.calls_at(site.place)), (None, None))
    # An unpacked argument may contain the parameter that loses its default.
    if call is None or any(keyword.arg is None for keyword in call.keywords):
        raise Refused(reasons.UNSEEN_CALL, "a call unpacks a mapping", because=(site.place,))
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        raise Refused(reasons.UNSEEN_CALL, "a call unpacks a sequence", because=(site.place,))
    # A method that is called on its object is given `self` already.
    positional = positional_parameters(signature.function)[site.bound :]
    by_position = [parameter.arg for parameter in positional[: len(call.args)]]
    passed = {*by_position, *(keyword.arg for keyword in call.keywords)}
    # The call received the marker itself as the value, and would now fail with a TypeError.
    for name in sorted(signature.losing - passed):
        raise Refused(reasons.CALLED_WITHOUT, name, because=(site.place,))
    if moved_parameters(signature.function, signature.rewrite).intersection(by_position):
        raise Refused(reasons.CALLED_BY_POSITION, because=(site.place,))
    for name in sorted(signature.gaining - passed):
        yield f"a direct call now gets the default of `{name}`, not a FastAPI object"


def _of_obstacle(project: Project, signature: _Signature, obstacle: Obstacle) -> Iterator[str]:
    moves = moved_parameters(signature.function, signature.rewrite)
    match obstacle.kind:
        case "outside" if moves and not is_route(signature.function):
            yield f"{obstacle.why}, and the parameters change their order"
        case "value":
            for place in (obstacle.place, *obstacle.others):
                if not _is_registered(project, place):
                    raise Refused(reasons.UNSEEN_CALL, obstacle.why, because=(place,))
        case kind if kind in _FOREIGN and not is_route(signature.function):
            places = (obstacle.place, *obstacle.others)
            # The path "/items" often has the name of its endpoint, and calls nothing.
            if not all(_is_url(project, place) for place in places):
                yield f"{obstacle.why}, so awaken may miss a direct call of it"


def _is_url(project: Project, place: Place) -> bool:
    """Whether a string that names the function is the path of a URL."""
    module = project.module(place.path)
    text = b"" if module is None else module.source.text[place.span.start : place.span.end]
    return text.lstrip(b"rbuRBU").lstrip(b"\"'").startswith(b"/")


def _is_registered(project: Project, place: Place) -> bool:
    """Whether what is passed on at ``place`` is only registered or overridden."""
    return any(
        isinstance(node, ast.Name | ast.Attribute) and _registers_value(module, node)
        for module, node in project.expressions_at(place)
    )


def _registers_value(module: Module, node: ast.expr) -> bool:
    above = module.parent(node)
    match above:
        case ast.Subscript(value=ast.Attribute(attr=name), slice=key):
            return name == OVERRIDES and key is node
        case ast.Subscript(value=ast.Name(id=name), slice=key):
            return name == OVERRIDES and key is node
        case ast.Call(func=ast.Attribute(attr=name, value=owner)):
            return name in _REGISTERING or getattr(owner, "attr", "") == OVERRIDES
        case ast.Call(func=ast.Call(func=ast.Attribute(attr=name))):
            return name in ROUTES
        case ast.keyword(arg="endpoint"):
            return True
        case ast.Dict():
            return _is_overrides(module, above)
    return False


def _is_overrides(module: Module, node: ast.Dict) -> bool:
    """Whether a mapping becomes the overrides of an application."""
    above = module.parent(node)
    targets = above.targets if isinstance(above, ast.Assign) else []
    return any(getattr(target, "attr", "") == OVERRIDES for target in targets)
