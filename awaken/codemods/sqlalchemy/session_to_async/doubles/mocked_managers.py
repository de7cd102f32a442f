"""Mocks of context managers: a test that sets up ``__enter__`` has to set up ``__aenter__``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import ASYNC_MOCK
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.testing import Replacement
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of

if TYPE_CHECKING:
    from awaken.project import Project

ASYNCHRONOUS = {"__enter__": "__aenter__", "__exit__": "__aexit__"}
_METHODS = {*ASYNCHRONOUS, *ASYNCHRONOUS.values()}


class Manager(NamedTuple):
    """A mock that the program enters: the variable ``name``, or what it gives (``is_result``).

    ``around`` is the function that has the variable.
    """

    module: Module
    around: ast.AST
    name: str
    is_result: bool

    def is_at(self, node: ast.AST | None) -> bool:
        """Whether ``node`` is that mock."""
        if self.is_result:
            if not isinstance(node, ast.Attribute) or node.attr != "return_value":
                return False
            node = node.value
        return isinstance(node, ast.Name) and node.id == self.name

    def methods(self) -> Iterator[ast.Attribute]:
        """Yield where a test names what enters or leaves it."""
        for node in self.module.walk(self.around):
            if isinstance(node, ast.Attribute) and node.attr in _METHODS and self.is_at(node.value):
                yield node


def managers_of(project: Project, module: Module, replacement: Replacement) -> Iterator[Manager]:
    """Yield the mocks that the program enters where a patch replaces what makes managers."""
    call, around = replacement.node, module.enclosing_def(replacement.node)
    if around is not None and replacement.bound:
        yield Manager(module, around, replacement.bound, is_result=True)
    given = keyword_of(call, "return_value") if isinstance(call, ast.Call) else None
    made = None if given is None else project.mocks.made_at(module, given)
    for variable in () if made is None else made.variables:
        yield Manager(*variable, is_result=False)


def entered_asynchronously(
    project: Project, site: Site[ast.AST], replacement: Replacement
) -> Iterator[Edit]:
    """Yield the edits that have the mock of a manager be entered by ``async with``.

    Raises Refused.
    """
    for manager in managers_of(project, site.module, replacement):
        beside: Site[ast.AST] = Site(site.rule, manager.module, site.node)
        for method in manager.methods():
            if method.attr in ASYNCHRONOUS:
                yield beside.rename(method, ASYNCHRONOUS[method.attr])
                above = manager.module.parent(method)
                if isinstance(above, ast.Assign):
                    yield from _set(project, beside, above.value)


def _set(project: Project, site: Site[ast.AST], value: ast.expr) -> Iterator[Edit]:
    """Yield the edits that set ``__aenter__`` itself to what can be awaited. Raises Refused."""
    match value:
        case ast.Call(func=function) if project.mocks.is_made(site.module, value):
            written, imports = name_from_same_module(project, site, function, ASYNC_MOCK)
            yield site.replace(function, written)
            yield from imports
        case _:
            shown = site.module.excerpt(value)
            raise Refused(TEST_DOUBLE, f"`{shown}` may or may not be awaitable")
