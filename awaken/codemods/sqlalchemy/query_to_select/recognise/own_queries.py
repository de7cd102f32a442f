"""Queries of a class of the program's own: what such a class leaves as it is in SQLAlchemy."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import read_end, read_links
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.query_classes import QueryClass
from awaken.project.source.modules import Module


def refuse_own_methods(
    module: Module, root: ast.expr, made_by: QueryClass, because: tuple[Place, ...]
) -> Refused | None:
    """Return what stands against the query that starts at ``root``, if anything does.

    ``select()`` knows none of the methods of ``made_by``, the class of the query; those of Query
    are the same as ever unless it replaces what they call.
    """
    links, last = read_links(module, root)
    after = module.parent(last)
    used = [link.name for link in links]
    if isinstance(after, ast.Attribute):
        used.append(after.attr)
    why = next((one for one in map(made_by.stands_against, used) if one), "")
    if why:
        return Refused(reasons.QUERY_HOOKS, why, because=because)
    if not made_by.changed:
        return None
    try:
        read_end(module, last)
    except Refused:
        # It is used elsewhere, where such a method may be called.
        name = made_by.qualified.rpartition(".")[2]
        return Refused(reasons.QUERY_HOOKS, f"`{name}` replaces methods of Query", because=because)
    return None
