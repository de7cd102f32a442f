"""The rule: each function with markers as defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.markers import (
    MARKERS,
    Marked,
    functions,
    has_lazy_annotations,
    read,
)
from awaken.codemods.fastapi.annotated_dependency.payload import ParameterRewrite, SignatureRewrite
from awaken.contract import Constraints, Edit, Phase, Place, Plan
from awaken.kit.changes import decide, plan_of
from awaken.kit.imports import imports_here
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site, listed_names
from awaken.knowledge.decorators import library_decorators, library_effects
from awaken.knowledge.library_names import library_names
from awaken.project.graph.callers import CallSite, Obstacle
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.names.functions.opaque import OpaqueUse
from awaken.project.source.expressions.attribute_texts import named_owner
from awaken.project.source.trees import (
    Function,
    parameters_of,
    positional_parameters,
    without_arguments,
)
from awaken.workspace.manifests.describing import TYPE_CHECKER_READS

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ANNOTATED = "Annotated"
_ANY = "Any"
_HOMES = {"typing", "typing_extensions"}
_ROUTES = library_names().http_methods | {"api_route", "trace", "websocket", "websocket_route"}
_REGISTERING = {"add_api_route", "add_api_websocket_route", "add_websocket_route"}
_UNWRAPPING = "0.123.5"
"""FastAPI evaluates annotations where the function is defined from then on, not its wrapper."""
_FOREIGN = {"inherited", "many", "unresolved"}


class AnnotatedDependency(Rule):
    """Rewrites ``x: T = Depends(f)`` to ``x: Annotated[T, Depends(f)]``."""

    name = "annotated-dependency"
    family = "fastapi"
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"fastapi",)
    # FastAPI reads `Annotated` from 0.95 on, and `typing` has it from 3.9 on.
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.95", "python": ">=3.9"}
    reads = TYPE_CHECKER_READS
    reasons = reasons.ALL
    pieces: ClassVar[Mapping[str, str]] = {
        "*,": "the next parameter loses its default, but follows one that has a default",
        "Any,": "FastAPI treats a parameter without a type as Any",
    }
    writers = (f"{__package__}.rewrite",)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per function with marked parameters, and its change."""
        sites = _Sites(project, constraints.decided)
        project.calls.search_callers(
            sites.functions_of(
                site_modules(project, self.triggers, calling=project.spellings_of(MARKERS))
            )
        )
        return plan_of(
            decide(
                Site(self.name, module, marked[0].parameter),
                _rewrite,
                project,
                function,
                marked,
            )
            for module, function, marked in sites
        )


class _Sites:
    """The functions with marked parameters, except those that are ``decided`` already.

    They are gone through twice: all their callers are searched at once, before any is judged.
    """

    def __init__(self, project: Project, decided: frozenset[Place]) -> None:
        self._project = project
        self._decided = decided
        self._paths: list[str] = []

    def functions_of(self, modules: Iterable[Module]) -> Iterator[tuple[Module, Function]]:
        """Yield those functions of ``modules``."""
        for module in modules:
            result = [function for function, _ in self._pairs_of(module)]
            if result:
                self._paths.append(module.path)
            yield from ((module, function) for function in result)

    def __iter__(self) -> Iterator[tuple[Module, Function, Sequence[Marked]]]:
        for module in self._project.modules_at(self._paths):
            yield from ((module, *pair) for pair in self._pairs_of(module))

    def _pairs_of(self, module: Module) -> Iterator[tuple[Function, Sequence[Marked]]]:
        for function, marked in functions(self._project, module):
            if module.place(marked[0].parameter) not in self._decided:
                yield function, marked


def _rewrite(
    site: Site[ast.arg], project: Project, function: Function, marked: Sequence[Marked]
) -> Rewrite:
    """Return how the parameters of ``function`` are annotated. Raises Refused."""
    parameters = [read(project, site.module, parameter) for parameter in marked]
    rewrite = _ordered_signature(function, marked, parameters)
    caveats = _caveats_of(project, site.module, function, marked, rewrite)
    untyped = [parameter.name for parameter in marked if parameter.parameter.annotation is None]
    edits = [
        site.rewrite_header(function, "rewrite-function", rewrite),
        *_imports(site, function, _ANNOTATED),
        *(_imports(site, function, _ANY) if untyped else ()),
    ]
    names = listed_names([parameter.name for parameter in marked])
    verb = "becomes" if len(marked) == 1 else "become"
    message = f"{names} of `{function.name}` {verb} `Annotated`"
    if rewrite.star:
        message += f"; `*` comes before `{rewrite.star}`, which no longer has a default"
    in_front, first = _put_in_front(function, rewrite)
    if in_front:
        moves = "moves" if len(in_front) == 1 else "move"
        message += f"; {listed_names(in_front)} {moves} before `{first}`, which has a default"
    if untyped:
        message += f"; the type of {listed_names(untyped)} is `Any`"
    return Rewrite(message, edits, caveats)


def _imports(site: Site[ast.arg], function: Function, name: str) -> list[Edit]:
    """Return the edit that imports ``name``, if the file does not. Raises Refused."""
    taken = Refused(reasons.NAME_TAKEN, name)
    statements = imports_here(site.module, function, name, _HOMES, taken)
    # A statement in a branch may not have run when the function is defined.
    if any(site.module.parent(statement) is not site.module.tree for statement in statements):
        raise taken
    return [] if statements else [site.need_import("typing", name)]


class _Signature(Struct, frozen=True):
    """A function with its rewrite; ``name`` is its dotted name."""

    name: str
    function: Function
    rewrite: SignatureRewrite
    losing: frozenset[str]
    gaining: frozenset[str]


def _caveats_of(
    project: Project,
    module: Module,
    function: Function,
    marked: Sequence[Marked],
    rewrite: SignatureRewrite,
) -> list[str]:
    """Return what may change for whom calls the function directly. Raises Refused."""
    kept = {parameter.name for parameter in rewrite.parameters if parameter.kept}
    names = frozenset(parameter.name for parameter in marked)
    signature = _Signature(
        module.full_name(function), function, rewrite, names - kept, names & kept
    )
    caveats = list(_of_decorators(project, module, signature))
    callers = project.calls.callers_of(module, function)
    for site in callers.sites:
        caveats += _of_call(project, signature, site)
    for obstacle in callers.obstacles:
        caveats += _of_obstacle(project, signature, obstacle)
    uses = project.web.taken_back.uses_affecting(module, [parameter.marker for parameter in marked])
    caveats += [f"`{text}` may call it, or read its defaults" for text in islice(uses, 1)]
    return list(dict.fromkeys(caveats))


def _is_route(function: Function) -> bool:
    """Whether a decorator registers the function: ``@router.get("/")``."""
    return any(_registers(decorator) for decorator in function.decorator_list)


def _registers(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _ROUTES
    return False


def _of_decorators(project: Project, module: Module, signature: _Signature) -> Iterator[str]:
    function = signature.function
    unread = library_decorators().unread
    # FastAPI gets what the decorators below make.
    is_below = not _is_route(function)
    for decorator in function.decorator_list:
        if _registers(decorator):
            is_below = True
            continue
        plain = without_arguments(decorator)
        names = project.calls.library_names(module, plain)
        is_unread = bool(names) and not any(map(unread.isdisjoint, names))
        name = project.qualified_name(module, plain) or ""
        use = OpaqueUse(wrapping={""}) if is_unread else project.calls.opaque_use(name, decorator)
        text = f"`@{module.excerpt(plain)}`"
        if use is None and not _gives_back(name):
            yield f"{text} may read the defaults of the function"
        elif use is not None:
            yield from _of_wrapper(signature, use, text, is_below=is_below)
            homes = use.signing
            if project.targets.admits("fastapi", f"<{_UNWRAPPING}"):
                homes = homes | use.wrapping
            if is_below and has_lazy_annotations(module) and not homes <= {module.path}:
                yield f"FastAPI may evaluate the new annotation in the file of {text}"


def _gives_back(name: str) -> bool:
    """Whether a decorator of a library gives back the function, and shows it to nobody."""
    effects = library_effects(name)
    return "same" in effects and "registered" not in effects


def _of_wrapper(
    signature: _Signature, use: OpaqueUse, text: str, *, is_below: bool
) -> Iterator[str]:
    """Yield what may change although a decorator, shown as ``text``, reads no default."""
    if is_below and not use.carries:
        yield f"{text} hides the parameters, so FastAPI may not pass them"
    first = positional_parameters(signature.function)[: use.positional]
    moves = _moved_parameters(signature.function, signature.rewrite)
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
    if _moved_parameters(signature.function, signature.rewrite).intersection(by_position):
        raise Refused(reasons.CALLED_BY_POSITION, because=(site.place,))
    for name in sorted(signature.gaining - passed):
        yield f"a direct call now gets the default of `{name}`, not a FastAPI object"


def _of_obstacle(project: Project, signature: _Signature, obstacle: Obstacle) -> Iterator[str]:
    moves = _moved_parameters(signature.function, signature.rewrite)
    match obstacle.kind:
        case "outside" if moves and not _is_route(signature.function):
            yield f"{obstacle.why}, and the parameters change their order"
        case "value":
            for place in (obstacle.place, *obstacle.others):
                if not _is_registered(project, place):
                    raise Refused(reasons.UNSEEN_CALL, obstacle.why, because=(place,))
        case "dynamic":
            yield f"{obstacle.why}, so awaken may miss a direct call of it"
        case kind if kind == "named" or (kind in _FOREIGN and not _is_route(signature.function)):
            # FastAPI and URLs know a route by its name, too.
            may_call = _is_read if _is_route(signature.function) else _is_no_url
            places = (obstacle.place, *obstacle.others)
            if any(may_call(project, signature, place) for place in places):
                yield f"{obstacle.why}, so awaken may miss a direct call of it"


def _is_read(project: Project, signature: _Signature, place: Place) -> bool:
    """Whether a string names the attribute that a call reads: ``getattr(module, "route")``.

    Or the function of a module, as in ``run("package.module:route")``.
    """
    return any(
        _is_path(node, signature.name) or named_owner(module, node, project.qualified_name)
        for module, node in project.expressions_at(place)
    )


def _is_path(node: ast.AST, name: str) -> bool:
    """Whether a string is the dotted ``name`` of a function, or its end, module included."""
    text = node.value if isinstance(node, ast.Constant) else None
    path = text.replace(":", ".") if isinstance(text, str) else ""
    return "." in path and f".{name}".endswith(f".{path}")


def _is_no_url(project: Project, _signature: _Signature, place: Place) -> bool:
    """Whether a string names the function and is no path of a URL, such as "/items"."""
    module = project.module(place.path)
    text = b"" if module is None else module.source.text[place.span.start : place.span.end]
    return not text.lstrip(b"rbuRBU").lstrip(b"\"'").startswith(b"/")


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
            return name in _ROUTES
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


def _ordered_signature(
    function: Function, marked: Sequence[Marked], parameters: Sequence[ParameterRewrite]
) -> SignatureRewrite:
    """Return the signature in an order that Python takes and that means the same to FastAPI.

    Dependencies and path parameters move in front of the first default. If another one would have
    to move, everything stays in place, and a bare `*` lets required ones follow. Raises Refused.
    """
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    losing = {parameter.name for parameter in parameters if not parameter.kept}
    has_default = {
        argument.arg: default is not None and argument.arg not in losing
        for argument, default in parameters_of(arguments)
    }
    first = next((name for name in names if has_default[name]), None)
    late = [] if first is None else [n for n in names[names.index(first) :] if not has_default[n]]
    # Python takes the order as it is.
    if not late or first is None:
        return SignatureRewrite(tuple(parameters), tuple(names))
    free = {parameter.name for parameter in marked if parameter.is_free}
    # Moving across the `/` would change how parameters can be passed.
    if arguments.posonlyargs:
        raise Refused(reasons.NO_ORDER, late[0])
    if free.issuperset(late):
        at = names.index(first)
        rest = [name for name in names[at:] if name not in late]
        return SignatureRewrite(tuple(parameters), (*names[:at], *late, *rest))
    # A function has only one `*`.
    if arguments.vararg or arguments.kwonlyargs:
        raise Refused(reasons.NO_ORDER, late[0])
    return SignatureRewrite(tuple(parameters), tuple(names), late[0])


def _moved_parameters(function: Function, rewrite: SignatureRewrite) -> set[str]:
    """Return the parameters that a call by position would not reach any more."""
    names = [parameter.arg for parameter in positional_parameters(function)]
    if rewrite.star:
        # All parameters after the `*` are keyword-only.
        return set(names[names.index(rewrite.star) :])
    pairs = zip(names, rewrite.order, strict=True)
    return {old for old, new in pairs if old != new}


def _put_in_front(function: Function, rewrite: SignatureRewrite) -> tuple[list[str], str]:
    """Return the parameters that move in front of another one, and that one; none and ``""``."""
    names = [parameter.arg for parameter in positional_parameters(function)]
    pairs = zip(names, rewrite.order, strict=True)
    first = next((old for old, new in pairs if old != new), "")
    if not first:
        return [], ""
    return list(rewrite.order[names.index(first) : rewrite.order.index(first)]), first
