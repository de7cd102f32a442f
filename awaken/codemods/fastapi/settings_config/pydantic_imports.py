"""The imports of BaseSettings from pydantic, which move to pydantic_settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.fastapi.settings_config import reasons
from awaken.codemods.fastapi.settings_config.configs import NEW_HOME
from awaken.contract import Edit
from awaken.kit.imports import move_import
from awaken.kit.sites import Refused, Site
from awaken.knowledge.ecosystem import settings_classes

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_NAME = "BaseSettings"


class OldImport(Struct, frozen=True):
    """Where BaseSettings of pydantic 1 comes from: an import, or dotted names in the code."""

    module: Module
    node: ast.ImportFrom | ast.Attribute
    dotted: tuple[ast.Attribute, ...] = ()


def old_imports(project: Project, module: Module) -> Iterator[OldImport]:
    """Yield what brings BaseSettings of pydantic 1 into one file."""
    legacy = settings_classes().legacy_bases
    dotted: list[ast.Attribute] = []
    for node in module.walk():
        match node:
            case ast.ImportFrom(module=str() as home, level=0):
                if any(f"{home}.{name.name}" in legacy for name in node.names):
                    yield OldImport(module, node)
            case ast.Attribute(attr="BaseSettings") if _is_old(project, module, node):
                dotted.append(node)
    if dotted:
        yield OldImport(module, dotted[0], tuple(dotted))


def _is_old(project: Project, module: Module, node: ast.Attribute) -> bool:
    return project.qualified_name(module, node) in settings_classes().legacy_bases


def moved_edits(project: Project, old: OldImport, site: Site[ast.AST]) -> list[Edit]:
    """Return the edits that import BaseSettings from its new home. Raises Refused."""
    module, node = old.module, old.node
    if NEW_HOME.encode() in module.source.text:
        raise Refused(reasons.BOTH_VERSIONS)
    if isinstance(node, ast.ImportFrom):
        if module.parent(node) is not module.tree:
            raise Refused(reasons.BOTH_VERSIONS)
        moved = move_import(site, node, {_NAME}, NEW_HOME)
        if moved is None:
            raise Refused(reasons.COMMENT_LOST)
        return [moved]
    return list(_moved_names(project, old, site))


def _moved_names(project: Project, old: OldImport, site: Site[ast.AST]) -> Iterator[Edit]:
    for node in old.dotted:
        yield site.replace(node.value, NEW_HOME)
    yield site.need_import(NEW_HOME)
    home = project.qualified_name(old.module, old.dotted[0].value)
    if home is not None:
        yield site.release_import(home)
