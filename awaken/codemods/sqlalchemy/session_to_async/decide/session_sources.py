"""The sources of sessions: only those that the program makes become asynchronous with it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import (
    Piece,
    node_of_piece,
    piece_around,
    piece_of,
)
from awaken.codemods.sqlalchemy.session_to_async.find.idle import is_uncalled
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    FOREIGN_SESSION,
    UNCALLED,
    UNUSED_SESSION,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.resource_names import NAMES
from awaken.contract import Reason
from awaken.kit.sites import Refused, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_none, last_name, parameters_of
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project


def makes_session(site: Site[ast.AST]) -> bool:
    """Whether a name of the synchronous side is called to make an object."""
    return site.module.call_of(site.node) is not None


def finds_session(module: Module, piece: Piece) -> bool:
    """Whether a function asks in which session an object is."""
    node = module.function_at(piece.start)
    for part in () if node is None else module.walk(node):
        match part:
            case ast.Call(func=called) if last_name(called) == "object_session":
                return True
            case ast.Attribute(attr="session", value=ast.Call(func=called)):
                if last_name(called) in {"inspect", "instance_state"}:
                    return True
    return False


def given_by(
    part: SynchronousPart, pieces: Collection[Piece], taking: Collection[Piece]
) -> Piece | None:
    """Return a function of ``pieces`` that passes on what it is not given as a session itself.

    ``taking`` are the functions with a parameter that is annotated as one.
    """
    graph = part.project.calls.graph()
    for piece in sorted(taking):
        for call in graph.callers(FunctionPlace(*piece)):
            giver = piece_of(call.caller)
            is_method = "." in giver.name.rpartition("<locals>.")[2]
            if giver in pieces and giver not in taking and not is_method:
                return giver
    return None


def takes_session(site: Site[ast.AST]) -> bool:
    """Whether a name of the synchronous side annotates a parameter."""
    return any(isinstance(ancestor, ast.arg) for ancestor in site.module.ancestors(site.node))


def why_unasked(project: Project, site: Site[ast.AST]) -> Reason:
    """Return why a session comes from elsewhere that a name of the synchronous side annotates.

    Nothing has to be done where its function never uses the parameter, or nothing calls it.
    """
    above = list(site.module.ancestors(site.node))
    parameter = next((node for node in above if isinstance(node, ast.arg)), None)
    function = next((node for node in above if isinstance(node, Function)), None)
    if parameter is None or function is None:
        return FOREIGN_SESSION
    names = site.module.nodes_below(function, ast.Name)
    if parameter.arg not in {name.id for name in names}:
        return UNUSED_SESSION
    return UNCALLED if is_uncalled(project, site.module, function) else FOREIGN_SESSION


def injected_from_outside(
    project: Project, piece: Piece, inside: Collection[Piece]
) -> Iterator[Refused]:
    """Yield why a function, or an alias, gets its session from code that is not ``inside``."""
    module = project.module(piece.path)
    node = None if module is None else node_of_piece(module, piece)
    part = node.args if isinstance(node, Function) else None if piece.name else node
    if module is None or part is None:
        return
    for provider in _providers(project, module, part):
        known = project.values.of(module, provider).alternatives
        pieces = {
            piece_around(item.module, item.node) for item in known if isinstance(item, FunctionOf)
        }
        # FastAPI cannot make what `Depends(None)` injects: nothing runs such a function.
        if pieces.isdisjoint(inside) and not is_none(provider):
            shown, help_text = module.excerpt(provider), _help(project, module, provider)
            because = (module.place(provider),)
            yield Refused(FOREIGN_SESSION, f"`{shown}`", help_text, because=because)


def _help(project: Project, module: Module, provider: ast.expr) -> str:
    """Return the cure where a file of the program is imported from an unread folder."""
    name = (project.qualified_name(module, provider) or "").rpartition(".")[0]
    folder = project.layout.package_with(name, module.path) if name else ""
    if not folder or project.layout.find(name, module.path).path is not None:
        return ""
    return (
        f"`{name}` is a file in `{folder}`, which is a package and not on `sys.path`. If the "
        f'program starts in that folder, set `src = ["{folder}"]`.'
    )


def _providers(project: Project, module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what is injected for what is annotated as a session."""
    if not isinstance(node, ast.arguments):
        parts = [node] if _names_session(project, module, node) else []
    else:
        parts = [
            part
            for parameter, default in parameters_of(node)
            if parameter.annotation is not None and _names_session(project, module, parameter)
            for part in (parameter.annotation, default)
            if part is not None
        ]
    for part in parts:
        yield from (provider for _, provider in project.injections.providers_below(module, part))


def _names_session(project: Project, module: Module, node: ast.AST) -> bool:
    return any(
        project.qualified_name(module, part) in NAMES
        for part in module.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
    )
