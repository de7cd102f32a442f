"""Names of the synchronous side: what stands for them on the other."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.imports import name_beside, released
from awaken.kit.sites import Site
from awaken.knowledge.asynchronous import twins

if TYPE_CHECKING:
    from awaken.project import Project


def write_twin(
    project: Project, site: Site[ast.AST], node: ast.expr, qualified: str
) -> tuple[str, list[Edit]]:
    """Return what is written for ``node``, which names ``qualified``, and the edits that do it.

    Raises Refused where the name is taken.
    """
    return write_name(project, site, node, twins().names[qualified])


def write_name(
    project: Project, site: Site[ast.AST], node: ast.expr, qualified: str
) -> tuple[str, list[Edit]]:
    """Return how ``qualified`` is written in the place of ``node``, and the edits that do it.

    Raises Refused where the name is taken.
    """
    named = site.module.parse_string(node) if isinstance(node, ast.Constant) else node
    # What stands in quotes may be imported for type checkers alone.
    known = node if named is node else None
    written, imports = name_beside(project, site, known, qualified)
    gone = () if named is None else released(site, named)
    return written, [site.replace(node, written), *imports, *gone]
