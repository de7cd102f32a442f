"""What a program reads of objects of models out of sight, as of relationships."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


def read_as_relationships(project: Project, models: Collection[str]) -> dict[str, dict[str, Place]]:
    """Return the attributes of ``models`` that look like relationships, each with where.

    They are iterated, or an attribute is read of what they give. There may be others.
    """
    found: dict[str, dict[str, Place]] = {}
    words = sorted({one.rpartition(".")[2].encode() for one in models})
    for module in modules_with(project, words) if words else ():
        for node in module.walk():
            if not isinstance(node, ast.Attribute) or not _looks_alike(module, node):
                continue
            for owner in project.instance_of(module, node.value):
                if owner in models:
                    found.setdefault(owner, {}).setdefault(node.attr, module.place(node))
    return found


def _looks_alike(module: Module, node: ast.Attribute) -> bool:
    match module.parent(node):
        case ast.Attribute(ctx=ast.Load()) as above:
            # A method may be one of a text or a number.
            called = module.parent(above)
            return not (isinstance(called, ast.Call) and called.func is above)
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return iterated is node
        case _:
            return False
