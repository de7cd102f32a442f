"""Messages about names that tests replace."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.project.frameworks.testing import configured_mark
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.testing.replaced.patched_names import Replaced
    from awaken.project.source.modules import Module


def caveats_of(
    module: Module, node: ast.expr, replaced: Sequence[Replaced]
) -> tuple[list[str], tuple[Place, ...]]:
    """Return the clause that says who replaces the function ``node``, and all places that do."""
    places = tuple(dict.fromkeys(replacement.place for replacement in replaced))
    shown = module.excerpt(node)
    return [f"{place.path} replaces `{shown}`" for place in places[:1]], places


def doubles_of(
    project: Project, module: Module, called: ast.expr, used: str
) -> tuple[list[str], tuple[Place, ...]]:
    """Return what tests replace of a rewrite that calls ``used`` in place of ``called``.

    ``used`` is the dotted name of a library's function. Returned are clauses and places, as of
    ``caveats_of``.
    """
    names = project.replaced_names
    clauses, places = caveats_of(module, called, names.replacements_of(module, called))
    more = [replacement.place for replacement in names.of_library(module, called, used)]
    clauses += [f"{place.path} replaces `{used}`" for place in more[:1]]
    return list(dict.fromkeys(clauses)), tuple(dict.fromkeys((*places, *more)))


def doubles_passed(
    project: Project, module: Module, methods: Collection[str], function: Function
) -> Iterator[Place]:
    """Yield where tests have a mock of an object with one of ``methods``.

    The tests are those that lead to ``function`` of ``module``, and those that override
    dependencies; a double is a mock that is configured or asserted, or a class that is written by
    hand.
    """
    leading: set[str] | None = None
    words = [method.encode() for method in sorted(methods)]
    for home in modules_with(project, words, lambda path: not is_around_tests(path)):
        doubles = [home.place(node) for node in home.walk() if _is_double(home, node, methods)]
        if not doubles:
            continue
        is_given = OVERRIDES.encode() in home.source.text
        if leading is None and not is_given:
            functions = project.calls.leading_to(module, function).functions
            leading = {item.path for item in functions} - {module.path}
        if is_given or (leading is not None and home.path in leading):
            yield from doubles


def _is_double(home: Module, node: ast.AST, methods: Collection[str]) -> bool:
    match node:
        case ast.Attribute(attr=name):
            return name in methods and configured_mark(home, node) is not None
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name in methods and isinstance(home.parent(node), ast.ClassDef)
    return False
