"""Sessions, connections and functions that reach a call by a way that is not followed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import (
    entered_with_options,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    ENTERED_LATE,
    HANDED_ON,
    HANDED_SESSION,
    NO_TWIN,
    UNKNOWN_SESSION,
)
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import library_names, word_list
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of, root_of
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_METHODS = frozenset(twins().methods())
_DESCRIBING = {"__delete__", "__get__", "__set__"}
_KINDS = (*sorted(library_names().engines), library_names().session_classes["session"])
_WORDS = word_list("unfollowed")


def unfollowed_members(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the places of a program where awaken loses track of something asynchronous."""
    # Asked of each call that may be one of a session, and worked out over all files.
    holds_session = cache(partial(_holds_session, part))
    for module, node in nodes_with(part.project, _WORDS, ast.AST):
        for refused, along in _refused_pairs(part, module, node, holds_session):
            yield Member(Site(rule, module, node), refused, f"`{module.excerpt(node)}`", along)


def _refused_pairs(
    part: SynchronousPart, module: Module, node: ast.AST, holds_session: Callable[[str], bool]
) -> Iterator[tuple[Refused, tuple[Place, ...]]]:
    match node:
        case ast.withitem(
            context_expr=ast.Call(func=ast.Attribute(value=owner, attr="execution_options" as name))
        ) if (
            part.project.orm.resource_of(module, owner) == "connection"
            and entered_with_options(module, owner) is None
        ):
            # A connection that was awaited cannot be entered.
            yield Refused(NO_TWIN, f"connection().{name}"), ()
        case ast.withitem(context_expr=entered) if _is_started(part, module, entered):
            yield Refused(ENTERED_LATE, module.excerpt(entered)), ()
        case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _METHODS:
            why = _unknown(part, module, owner, holds_session)
            if why:
                yield Refused(UNKNOWN_SESSION, why), ()
        case ast.Attribute(value=owner, attr="connection" as name) if (
            part.project.orm.resource_of(module, owner) == "connection"
        ):
            yield Refused(NO_TWIN, f"connection().{name}"), ()
        case ast.keyword(arg="autoload_with", value=given) if part.project.orm.resource_of(
            module, given
        ) in {"connection", "engine"}:
            yield Refused(HANDED_SESSION, module.excerpt(module.parent(node) or node)), ()
        case ast.Name(ctx=ast.Load()) if _is_in_enum(part, module, node):
            yield from _in_enum(part, module, node)


def _in_enum(
    part: SynchronousPart, module: Module, node: ast.Name
) -> Iterator[tuple[Refused, tuple[Place, ...]]]:
    """Yield why a function in the value of a member stays, if it waits."""
    for home, definition in functions_in(part.project.values.of(module, node).alternatives):
        function = part.function_at(home.path, home.span(definition).start)
        if function is not None and function in part.steps:
            calls = tuple(_passing_session(part, module, node))
            yield Refused(HANDED_ON, node.id), (function.place, *calls)


def _is_started(part: SynchronousPart, module: Module, entered: ast.expr) -> bool:
    """Whether a block enters a connection or a transaction that an `await` has already started."""
    resource_of = part.project.orm.resource_of
    match entered:
        case ast.Name() | ast.Attribute():
            return resource_of(module, entered) in {"connection", "transaction"}
        case ast.Call(func=ast.Attribute(value=owner, attr="connection")):
            return resource_of(module, owner) in BLOCKING_SESSIONS
    return False


def _unknown(
    part: SynchronousPart, module: Module, owner: ast.expr, holds_session: Callable[[str], bool]
) -> str:
    """Return why ``owner`` may be a session of unknown origin; empty if it is no session."""
    root = root_of(owner)
    if not isinstance(root, ast.Name) or isinstance(
        part.project.orm.resource_of(module, owner), str
    ):
        return ""
    around = module.enclosing_function(owner)
    bindings = module.scopes.bindings_of(root)
    parameter = bindings[0].node if len(bindings) == 1 else None
    shown = module.text_of(owner)
    if isinstance(parameter, ast.arg) and root is owner:
        kinds = _kinds(module, part, parameter.annotation)
        return f"`{shown}` is declared as {' or '.join(kinds)}" if len(kinds) > 1 else ""
    if not isinstance(owner, ast.Attribute) or not holds_session(owner.attr):
        return ""
    if isinstance(around, Function) and around.name in _DESCRIBING:
        is_given = isinstance(parameter, ast.arg) and parameter.annotation is None
        is_other = is_given and parameter is not around.args.args[0]
        return f"`{shown}` belongs to an object whose class has a descriptor" if is_other else ""
    made = bindings[0].value if len(bindings) == 1 else None
    is_local = isinstance(made, ast.Call) and (
        part.project.qualified_name(module, made.func) in boundaries().threads.local
    )
    return f"`{shown}` is thread-local, and another function sets it" if is_local else ""


def _kinds(module: Module, part: SynchronousPart, annotation: ast.expr | None) -> list[str]:
    """Return the classes of sessions, connections and engines that an annotation names."""
    names = set[str | None]()
    for piece in module.walk(annotation) if annotation is not None else ():
        written = module.parse_string(piece) if isinstance(piece, ast.Constant) else piece
        for node in ast.walk(written) if written is not None else ():
            if isinstance(node, ast.Name | ast.Attribute):
                names.add(part.project.qualified_name(module, node))
    return [f"`{name.rpartition('.')[2]}`" for name in _KINDS if name in names]


def _holds_session(part: SynchronousPart, name: str) -> bool:
    """Whether an attribute of this name holds a session anywhere in the program."""
    resource_of = part.project.orm.resource_of
    return any(
        isinstance(resource_of(module, value), str)
        for module in modules_with(part.project, (name.encode(),))
        for node in module.nodes(ast.Attribute)
        if node.attr == name
        for value in (node, *_values_put(module, node))
    )


def _values_put(module: Module, node: ast.Attribute) -> Iterator[ast.expr]:
    """Yield what an assignment puts into an attribute."""
    match module.statement_of(node) if isinstance(node.ctx, ast.Store) else None:
        case ast.Assign(targets=targets, value=value):
            pairs = (pair for target in targets for pair in _pairs(target, value))
            yield from (put for part, put in pairs if part is node)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    match target, value:
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), ast.Tuple(elts=values)):
            yield from zip(targets, values, strict=False)
        case _:
            yield target, value


def _passing_session(part: SynchronousPart, module: Module, member: ast.Name) -> Iterator[Place]:
    """Yield the calls of what is not known that may be members of an enumeration."""
    owner = module.enclosing_class(member)
    word = "" if owner is None else owner.name
    paths = {*part.project.files_with((word.encode(),))}
    for call in part.project.calls.graph().calls():
        if call.place.path not in paths or (call.functions and call.kind != "unknown"):
            continue
        for home, node in part.project.calls_at(call.place)[:1]:
            passed = arguments_of(node)
            if any(isinstance(part.project.orm.resource_of(home, each), str) for each in passed):
                yield home.place(node)


def _is_in_enum(part: SynchronousPart, module: Module, node: ast.Name) -> bool:
    """Whether a name is a part of the value of a member: the member gives it as its value."""
    owner = module.enclosing_class(node)
    if owner is None or module.enclosing_function(node) is not None or node in owner.bases:
        return False
    names = (part.project.qualified_name(module, base) or "" for base in owner.bases)
    return any(name.startswith("enum.") for name in names)


def given_to_unknown(
    project: Project, module: Module, function: FunctionPlace
) -> Iterator[ast.Call]:
    """Yield the calls by which ``function`` gives a session to what is not known."""
    for call in project.calls.graph().callees(function):
        for node in module.calls_at(call.place.span) if call.kind == "unknown" else ():
            arguments = arguments_of(node)
            named = [part for part in arguments if isinstance(part, ast.Name | ast.Attribute)]
            if any(project.orm.is_resource(module, part) for part in named):
                yield node


def caveats_of_given(
    project: Project, module: Module, function: FunctionPlace
) -> tuple[list[str], list[Place]]:
    """Return the caveats of these calls, and their places.

    Calls that may mean a function of the program are left out. Its session says whether it is
    synchronous, or it is refused.
    """
    calls = list(given_to_unknown(project, module, function))
    if not calls:
        return [], []
    called = sorted({module.excerpt(call.func) for call in calls})
    names = " and ".join(f"`{callee}`" for callee in called)
    verb = "is" if len(called) == 1 else "are"
    said = (
        f"{names} {verb} given an asynchronous session, and awaken does not know what happens to it"
    )
    return [said], [module.place(call) for call in calls]
