"""What rules say of names that tests put something else in the place of."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.contract import Place

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
