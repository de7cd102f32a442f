"""What is put in the place of a method that waits, so that it can be awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.imports import name_beside
from awaken.kit.sites import Site

if TYPE_CHECKING:
    from awaken.project import Project

ASYNC_MOCK = "unittest.mock.AsyncMock"


def asynchronous(project: Project, site: Site[ast.AST], value: ast.expr) -> list[Edit]:
    """Return the edits that have a double of a method be awaited."""
    module = site.module
    known = value.func if isinstance(value, ast.Call) else None
    written, imports = name_beside(project, site, known, ASYNC_MOCK)
    qualified = None if known is None else project.qualified_name(module, known)
    if qualified == ASYNC_MOCK:
        return []
    if isinstance(value, ast.Call) and project.mocks.is_made(module, value):
        return [site.replace(value.func, written), *imports]
    return [
        site.insert_before(value, f"{written}(side_effect="),
        site.insert_behind(value, ")"),
        *imports,
    ]
