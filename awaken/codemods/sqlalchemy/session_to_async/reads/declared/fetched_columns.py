"""Columns that say of themselves that an update computes them: ``server_onupdate``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Site

if TYPE_CHECKING:
    from awaken.project import Project

_MAPPED_COLUMN = "sqlalchemy.orm.mapped_column"
COLUMNS = frozenset({"sqlalchemy.Column", _MAPPED_COLUMN})
"""What declares a column by a call."""
_FETCHED = "sqlalchemy.FetchedValue"
_SETTING = "server_onupdate"


def fetched_edits(project: Project, site: Site[ast.expr]) -> list[Edit]:
    """Return the edits that make SQLAlchemy fetch a column after an update.

    Raises Refused where a name that is needed means something else there.
    """
    node = site.node
    if isinstance(node, ast.Call):
        fetched, imports = name_from_same_module(project, site, node.func, _FETCHED)
        return [site.add_keyword(node, _SETTING, f"{fetched}()"), *imports]
    fetched, imports = name_from_same_module(project, site, None, _FETCHED)
    column, more = name_from_same_module(project, site, None, _MAPPED_COLUMN)
    code = f" = {column}({_SETTING}={fetched}())"
    return [site.insert_behind(node, code), *imports, *more]


def column_declaration(
    project: Project, rule: str, qualified: str, name: str
) -> Site[ast.expr] | None:
    """Return what declares a column of a mapped class, in its body or in that of a base.

    That is a call, or an annotation alone. None where it is no plain call of ``Column`` or
    ``mapped_column`` and no ``Mapped[...]``. None also if it declares how an update computes it.
    """
    for ancestor in project.orm.mapping_ancestors(qualified):
        pair = project.class_definition(ancestor)
        if pair is None:
            continue
        module, owner = pair
        for statement in owner.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=declared)], value=ast.Call() as node)
                    | ast.AnnAssign(target=ast.Name(id=declared), value=ast.Call() as node)
                ) if declared == name:
                    called = project.qualified_name(module, node.func)
                    is_said = any(each.arg in {None, _SETTING} for each in node.keywords)
                    return Site(rule, module, node) if called in COLUMNS and not is_said else None
                case ast.AnnAssign(
                    target=ast.Name(id=declared), annotation=annotation, value=None
                ) if declared == name:
                    mapped = (
                        annotation.value if isinstance(annotation, ast.Subscript) else annotation
                    )
                    is_mapped = project.qualified_name(module, mapped) == "sqlalchemy.orm.Mapped"
                    return Site(rule, module, annotation) if is_mapped else None
    return None
