"""Names of the synchronous side, each with its asynchronous counterpart."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.imports import replace_name
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.names.import_origins import absolute_module

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.names.classes import Definition

_ASYNCIO = "asyncio"


def write_twin(
    project: Project, site: Site[ast.AST], node: ast.expr, qualified: str
) -> tuple[str, list[Edit]]:
    """Return what is written for ``node``, which names ``qualified``, and the edits that do it.

    Raises Refused where the name is taken.
    """
    return replace_name(project, site, node, twins().names[qualified])


def import_of_asyncio(project: Project, site: Site[ast.AST], node: ast.AST | None = None) -> Edit:
    """Return the edit that imports asyncio, which is written at ``node``, or else at the site.

    Raises Refused where its name means something else there.
    """
    module = site.module
    scopes = module.scopes
    owner = scopes.owner(_ASYNCIO, scopes.scope_of(site.node if node is None else node))
    bindings = () if owner is None else owner.bindings[_ASYNCIO]
    for star in scopes.import_stars if owner is None else ():
        definition = project.definition(f"{absolute_module(module, star)}.{_ASYNCIO}")
        if definition is not None and not _imports_asyncio(project, definition):
            raise Refused(NAME_TAKEN, _ASYNCIO)
    for binding in bindings:
        match binding.node:
            case ast.alias(name=name) if (
                isinstance(module.parent(binding.node), ast.Import)
                and name.partition(".")[0] == _ASYNCIO
            ):
                pass
            case _:
                raise Refused(NAME_TAKEN, _ASYNCIO)
    return site.need_import(_ASYNCIO)


def _imports_asyncio(project: Project, found: Definition) -> bool:
    """Whether a name of another file is that of the module, imported there."""
    home, span = project.module(found.path), found.span
    return (
        home is not None
        and found.kind == "import"
        and home.source.text[span.start : span.end] == _ASYNCIO.encode()
    )
