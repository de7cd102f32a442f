"""Replacements of methods that wait, made awaitable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit, Span
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.testing import Replacement
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda, keyword_of, parameters_of
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project

ASYNC_MOCK = "unittest.mock.AsyncMock"


def asynchronous(project: Project, site: Site[ast.AST], value: ast.expr) -> list[Edit]:
    """Return the edits that make a mock of a method awaitable."""
    module = site.module
    known = value.func if isinstance(value, ast.Call) else None
    written, imports = name_from_same_module(project, site, known, ASYNC_MOCK)
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


def accepting(project: Project, site: Site[ast.AST], value: ast.expr) -> list[Edit]:
    """Return the edits that have functions of the same file take what calls pass additionally."""
    if isinstance(value, ast.Lambda):
        return accepting_more(site, value)
    result: list[Edit] = []
    for alternative in project.values.of(site.module, value).alternatives:
        if isinstance(alternative, FunctionOf) and alternative.module.path == site.module.path:
            result += accepting_more(site, alternative.node, alternative.module)
    return result


def accepting_more(
    site: Site[ast.AST], function: FunctionOrLambda, module: Module | None = None
) -> list[Edit]:
    """Return the edit that has a function take arguments by any names."""
    module, given = module or site.module, function.args
    if given.kwarg is not None:
        return []
    names = {node.id for node in module.nodes_below(function, ast.Name)}
    name = "options" if "kwargs" in names else "kwargs"
    parameters = [argument for argument, _ in parameters_of(given)]
    nodes = [*parameters, *given.defaults, *(one for one in given.kw_defaults if one is not None)]
    nodes += [] if given.vararg is None else [given.vararg]
    start, text = module.span(function).start, module.source.text
    if not nodes:
        is_lambda = isinstance(function, ast.Lambda)
        at = start + len("lambda") if is_lambda else text.index(b"(", start) + 1
        written = f" **{name}" if is_lambda else f"**{name}"
    else:
        at, written = max(module.span(node).end for node in nodes), f", **{name}"
        if given.posonlyargs and not (given.args or given.kwonlyargs or given.vararg):
            at = text.index(b"/", at) + 1
    return [site.write(Span(at, at), written)]


def not_understood(replacement: Replacement, shown: str) -> Refused:
    """Return the refusal of what is put in the place of something that waits."""
    why = (
        f"`{replacement.shown}` becomes a coroutine function; `{shown}` replaces it in a test "
        "and may not be awaitable"
    )
    return Refused(TEST_DOUBLE, why)


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
