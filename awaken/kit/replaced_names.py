"""What rules say of names that tests put something else in the place of."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.contract import Place

if TYPE_CHECKING:
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
