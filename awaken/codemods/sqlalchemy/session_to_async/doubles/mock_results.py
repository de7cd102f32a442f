"""Results of an ``AsyncMock``: by default another one, whose methods are awaited.

The mocks of synchronous functions returned synchronous ones. So they are configured to return
these, wherever a test or the program uses the result.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.kit.sites import Refused
from awaken.project.frameworks.testing import Replacement
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_TELLING = {"new_callable", "return_value", "side_effect", "wraps"}
_SAID_OF_MOCKS = {"return_value", "side_effect"}


def needs_synchronous_result(
    part: SynchronousPart, module: Module, replacement: Replacement
) -> bool:
    """Whether the mock of a patch needs an explicit synchronous mock as its result.

    Raises Refused where it would have to give one with methods of both kinds.
    """
    node = replacement.node
    told = {keyword.arg for keyword in node.keywords} if isinstance(node, ast.Call) else set()
    if "return_value" in told:
        return False
    uses = list(_uses(module, replacement))
    called = {name for use in uses for name in _methods(module, use)}
    if called:
        waiting = called & {function.name for function in part.steps}
        if waiting and called - waiting:
            why = (
                f"`{replacement.shown}` returns an object of which only some methods become "
                "coroutine functions"
            )
            raise Refused(TEST_DOUBLE, why)
        return not waiting
    is_told = bool(told & _TELLING) or any(_is_told(module, use) for use in uses)
    return not is_told and any(map(part.is_result_used, replacement.functions))


def _uses(module: Module, replacement: Replacement) -> Iterator[ast.Attribute]:
    """Yield what a test says of the mock: ``mock.return_value``, ``mock.side_effect``."""
    if not replacement.bound:
        return
    around = module.enclosing_def(replacement.node)
    for node in module.walk(around) if around is not None else ():
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if (
                name == replacement.bound and attribute in _SAID_OF_MOCKS
            ):
                yield node


def _is_told(module: Module, use: ast.Attribute) -> bool:
    return isinstance(use.ctx, ast.Store) and isinstance(module.parent(use), ast.Assign)


def _methods(module: Module, use: ast.Attribute) -> Iterator[str]:
    """Yield the methods of what the mock gives, as a test speaks of them."""
    above = module.parent(use)
    if use.attr == "return_value" and isinstance(above, ast.Attribute):
        further = module.parent(above)
        is_method = isinstance(further, ast.Attribute) and further.attr in _SAID_OF_MOCKS
        if is_method or above.attr.startswith(("__", "assert_")):
            yield above.attr
