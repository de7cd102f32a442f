"""What rules say of names that tests put something else in the place of."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.project.frameworks.testing import configured
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.testing.replaced.names import Replaced
    from awaken.project.source.modules import Module


def caveats_of(
    module: Module, node: ast.expr, replaced: Sequence[Replaced]
) -> tuple[list[str], tuple[Place, ...]]:
    """Return the clause that says who replaces the function ``node``, and all places that do."""
    places = tuple(dict.fromkeys(one.place for one in replaced))
    shown = module.excerpt(node)
    return [
        f"{one.path} puts something else in the place of `{shown}`" for one in places[:1]
    ], places


def doubles_of(
    project: Project, module: Module, called: ast.expr, used: str
) -> tuple[list[str], tuple[Place, ...]]:
    """Return what tests replace of a rewrite that calls ``used`` in place of ``called``.

    ``used`` is the dotted name of a library's function. Returned are clauses and places, as of
    ``caveats_of``.
    """
    names = project.replaced_names
    clauses, places = caveats_of(module, called, names.of(module, called))
    more = [one.place for one in names.of_library(module, called, used)]
    clauses += [f"{one.path} puts something else in the place of `{used}`" for one in more[:1]]
    return list(dict.fromkeys(clauses)), tuple(dict.fromkeys((*places, *more)))


def leading_to(project: Project, module: Module, function: Function) -> list[FunctionPlace]:
    """Return a function of a file and all that call it, over any number of calls."""
    place = FunctionPlace(module.path, module.span(function).start, module.qualname(function))
    return project.calls.graph().reaching([place])


def doubles_passed(
    project: Project, module: Module, methods: Collection[str], leading: Sequence[FunctionPlace]
) -> Iterator[Place]:
    """Yield where tests have a double of an object with one of ``methods``.

    The tests are those that lead to a function of ``module``, and those that override dependencies;
    a double is a mock that is configured or asserted, or a class that is written by hand.
    """
    paths = {one.path for one in leading} - {module.path}
    for home in modules_with(project, [one.encode() for one in sorted(methods)]):
        is_given = home.path in paths or b"dependency_overrides" in home.source.text
        for node in home.walk() if is_given and is_around_tests(home.path) else ():
            match node:
                case ast.Attribute(attr=name) if name in methods and configured(home, node):
                    yield home.place(node)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                    name in methods and isinstance(home.parent(node), ast.ClassDef)
                ):
                    yield home.place(node)
                case _:
                    pass
