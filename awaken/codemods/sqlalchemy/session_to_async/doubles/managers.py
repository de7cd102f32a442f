"""Mocks of context managers: a test that sets up ``__enter__`` has to set up ``__aenter__``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import ASYNC_MOCK
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit
from awaken.kit.imports import name_beside
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.testing import Replacement

if TYPE_CHECKING:
    from awaken.project import Project

ASYNCHRONOUS = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def entered_asynchronously(
    project: Project, site: Site[ast.AST], replacement: Replacement
) -> Iterator[Edit]:
    """Yield the edits that have the mock of a manager be entered by ``async with``.

    Raises Refused.
    """
    module = site.module
    around = module.enclosing_def(replacement.node)
    for node in module.walk(around) if around is not None and replacement.bound else ():
        match node:
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name(id=name), attr="return_value"), attr=attribute
            ) if name == replacement.bound and attribute in ASYNCHRONOUS:
                yield site.rename(node, ASYNCHRONOUS[attribute])
                above = module.parent(node)
                if isinstance(above, ast.Assign):
                    yield from _set(project, site, above.value)


def _set(project: Project, site: Site[ast.AST], value: ast.expr) -> Iterator[Edit]:
    """Yield the edits that set ``__aenter__`` itself to what can be awaited. Raises Refused."""
    match value:
        case ast.Call(func=function) if project.mocks.is_made(site.module, value):
            written, imports = name_beside(project, site, function, ASYNC_MOCK)
            yield site.replace(function, written)
            yield from imports
        case _:
            shown = site.module.excerpt(value)
            raise Refused(TEST_DOUBLE, f"`{shown}` may or may not be awaitable")
