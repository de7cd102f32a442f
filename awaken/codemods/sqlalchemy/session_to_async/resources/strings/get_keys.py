"""Strings by which `get` looks for objects that have a number for a key: they become one.

They are sent as the key that they are, and asyncpg takes no text for a number.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.codemods.sqlalchemy.session_to_async.resources.strings.telling import (
    INTEGERS,
    Waiting,
    is_string,
    type_of,
)
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project


def keys_of_get(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the strings by which `get` looks for objects that have a number for a key."""
    project, waiting = part.project, Waiting(part)
    for module, node in nodes_with(project, (b".get(",), ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[cls, key, *_]) if (
                _is_number(project, module, cls)
            ):
                is_text = is_string(project, module, key) is False
                session = project.orm.session_of(module, owner) if is_text else None
                if isinstance(session, SessionProof) and not module.scopes.is_bound("int", key):
                    yield _number(Site(rule, module, key), key, waiting)


def _number(site: Site[ast.AST], key: ast.expr, waiting: Waiting) -> Member:
    """Return the rewrite of a key that is a string, and has to be a number."""
    module, shown = site.module, f"`{site.module.excerpt(key)}`"
    if waiting.starts(module, key):
        refused = Refused(NOT_AWAITABLE_HERE, f"{shown}, a key that is not a number")
        return Member(site, refused, shown)
    # Not inserted around it: an argument may be added after it.
    edits: list[Edit] = [site.replace(key, f"int({module.text_of(key)})")]
    message = f"{shown} becomes a number, because the driver accepts no string for it"
    caveat = "`int` raises ValueError for a string that is not a number"
    return Member(site, Rewrite(message, edits, [caveat]), shown)


def _is_number(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an expression is a mapped class that has one number for a key."""
    mapped = project.orm.mapped_class(project.qualified_name(module, node))
    columns = () if mapped is None else mapped.columns.values()
    return [type_of(item) in INTEGERS | {"int"} for item in columns if item.primary_key] == [True]
