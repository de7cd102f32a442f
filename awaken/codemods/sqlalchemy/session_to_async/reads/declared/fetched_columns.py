"""Columns that say of themselves that an update computes them: ``server_onupdate``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Edit, Place
from awaken.kit.imports import name_beside
from awaken.kit.sites import Site

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MAPPED_COLUMN = "sqlalchemy.orm.mapped_column"
_COLUMNS = {"sqlalchemy.Column", _MAPPED_COLUMN}
_FETCHED = "sqlalchemy.FetchedValue"
_SETTING = "server_onupdate"


class Declaration(NamedTuple):
    """What declares a column: a call, or an annotation alone."""

    module: Module
    node: ast.expr

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.module.place(self.node)

    def edits(self, project: Project, rule: str) -> list[Edit]:
        """Return what has SQLAlchemy fetch the column behind an update. Raises Refused."""
        site = Site(rule, self.module, self.node)
        if isinstance(self.node, ast.Call):
            fetched, imports = name_beside(project, site, self.node.func, _FETCHED)
            return [site.add_keyword(self.node, _SETTING, f"{fetched}()"), *imports]
        fetched, imports = name_beside(project, site, None, _FETCHED)
        column, more = name_beside(project, site, None, _MAPPED_COLUMN)
        code = f" = {column}({_SETTING}={fetched}())"
        return [site.insert_behind(self.node, code), *imports, *more]


def column_declaration(project: Project, qualified: str, name: str) -> Declaration | None:
    """Return what declares a column of a mapped class, in its body or in that of a base.

    None where it is no plain call of ``Column`` or ``mapped_column`` and no ``Mapped[...]``, or
    says already what an update computes.
    """
    for one in project.orm.mapping_ancestors(qualified):
        found = project.class_definition(one)
        for statement in found[1].body if found is not None else ():
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=declared)], value=ast.Call() as node)
                    | ast.AnnAssign(target=ast.Name(id=declared), value=ast.Call() as node)
                ) if found is not None and declared == name:
                    called = project.qualified_name(found[0], node.func)
                    is_said = any(each.arg in {None, _SETTING} for each in node.keywords)
                    return (
                        Declaration(found[0], node) if called in _COLUMNS and not is_said else None
                    )
                case ast.AnnAssign(
                    target=ast.Name(id=declared), annotation=annotation, value=None
                ) if found is not None and declared == name:
                    mapped = (
                        annotation.value if isinstance(annotation, ast.Subscript) else annotation
                    )
                    is_mapped = project.qualified_name(found[0], mapped) == "sqlalchemy.orm.Mapped"
                    return Declaration(found[0], annotation) if is_mapped else None
                case _:
                    pass
    return None
