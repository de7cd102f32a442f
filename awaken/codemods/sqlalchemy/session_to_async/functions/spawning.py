"""Synchronous code that has no asynchronous form, and runs where it may wait all the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.foreign.in_greenlets import (
    SPAWN,
    completing_edits,
    model_of,
)
from awaken.contract import Edit, Span
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Site
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


def spawn(
    project: Project, site: Site[ast.AST], insertions: Insertions, calls: Iterable[ast.expr]
) -> list[Edit]:
    """Write `UserFactory(name=n)` as `greenlet_spawn(UserFactory, name=n)`, which is awaited.

    The arguments are evaluated where they were, so that they may wait for something themselves.
    Return the edits that import it. Raises Refused where the name is taken.
    """
    result = [node for node in calls if isinstance(node, ast.Call)]
    if not result:
        return []
    name, imports = name_from_same_module(project, site, None, SPAWN)
    for call in result:
        _write(site.module, insertions, call, name)
        imports += completing_edits(project, site, call, model_of(call))
    return imports


def _write(module: Module, insertions: Insertions, call: ast.Call, name: str) -> None:
    text = module.source.text
    func_end = module.span(call.func).end
    opening = text.index(b"(", func_end)
    if not call.args and not call.keywords:
        insertions.insert_before(call.func, f"{name}(")
        insertions.replace(Span(func_end, opening + 1), "")
        return
    following = re.match(rb"[ \t]*\r?\n[ \t]*", text[opening + 1 :])
    if following is None:
        insertions.insert_before(call.func, f"{name}(")
        insertions.replace(Span(func_end, opening + 1), ", ")
    else:
        # One argument on each line, as the others are.
        insertions.insert_before(call.func, f"{name}({following[0].decode()}")
        insertions.replace(Span(func_end, opening + 1), ",")
