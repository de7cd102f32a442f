"""Functions and sessions that code outside the project uses or passes in, without an await."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    piece_with,
    used_elsewhere,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import piece_around
from awaken.codemods.sqlalchemy.session_to_async.reasons import PUBLISHED
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.reasons import OUT_OF_SIGHT, cure_of_outside
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart


def exported_functions(part: SynchronousPart) -> Iterator[tuple[FunctionPlace, Refused]]:
    """Yield the functions that wait and are part of an interface, if others may import it.

    A function, or a class with its public methods, is exported by an ``__all__``: of its file, or
    of a package around it. Most packaged applications export nothing.
    """
    if not part.project.published:
        return
    homes: list[tuple[str, dict[str, Place]]] = []
    for module in modules_with(part.project, (b"__all__",)):
        names = dict(_listed_pairs(module))
        if names:
            homes.append((module.name, names))
    for function in sorted(part.steps):
        first, *rest = function.qualname.split(".")
        if any(name.startswith("_") for name in rest):
            continue
        own = part.project.layout.name_of(function.path)
        for home, names in homes:
            if first in names and f"{own}.".startswith(f"{home}."):
                why = f"`__all__` names it, and {part.project.published_because}"
                detail = f"`{function.qualname}`: {why}"
                refused = Refused(PUBLISHED, detail, because=(names[first],))
                yield function, refused.answered_by("published = false")
                break


def _listed_pairs(module: Module) -> Iterator[tuple[str, Place]]:
    for binding in module.scopes.module.bindings.get("__all__", ()):
        if isinstance(binding.value, ast.List | ast.Tuple):
            for element in binding.value.elts:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    yield element.value, module.place(element)


def used_out_of_sight(part: SynchronousPart) -> Iterator[tuple[FunctionPlace, Refused]]:
    """Yield the functions that wait and that unread files use.

    Those belong to another project of the repository, are left out, or do not parse.
    """
    for function in sorted(part.steps):
        refused = used_elsewhere(part.project, function.path, function.qualname)
        if refused is not None:
            yield function, refused


def given_out_of_sight(
    part: SynchronousPart, rule: str, changing: Collection[Member]
) -> Iterator[Member]:
    """Yield the files that are not visible and are named in pieces of the program that change."""
    pieces = {piece_with(member) for member in changing}
    for module in part.project.modules_at(sorted({piece.path for piece in pieces})):
        for name, file in part.project.outside.imported_names(module):
            for node in module.mentions(name):
                if isinstance(node, ast.Name) and piece_around(module, node) in pieces:
                    shown = f"`{name}` comes from {file.path}, which {file.why}"
                    site: Site[ast.AST] = Site(rule, module, node)
                    refused = Refused(
                        OUT_OF_SIGHT, shown, cure_of_outside(file.why, part.project.outside.folder)
                    )
                    yield Member(site, refused, f"`{name}`")
