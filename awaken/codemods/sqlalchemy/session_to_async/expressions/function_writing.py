"""The edits of one function: insertions, new nodes, and the names that these take."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct, field

from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit
from awaken.kit.sites import Refused, Site
from awaken.project.source.f_strings import is_placed, is_shown
from awaken.project.source.modules import Module

_OLD = "this f-string, because awaken runs on a Python older than 3.12"


class Writing(Struct):
    """The text to write into one function of ``module``."""

    module: Module
    insertions: Insertions
    nodes: dict[ast.AST, tuple[str, Struct]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def rewrite(self, node: ast.AST, rewriter: str, data: Struct) -> None:
        """Let ``rewriter`` write ``node`` again. Raises Refused."""
        check_node(self.module, node)
        self.nodes.setdefault(node, (rewriter, data))

    def edits(self, site: Site[ast.AST]) -> Iterator[Edit]:
        """Yield the edits of the nodes that are written again."""
        for node, (rewriter, data) in self.nodes.items():
            yield site.rewrite(node, rewriter, data)

    def item(self, node: ast.AST) -> str:
        """Return the name of the items of a loop at ``node``, which one loop after another has."""
        return self.module.fresh_local(node, "item")

    def fresh(self, node: ast.AST, *candidates: str) -> str:
        """Return a name for the function around ``node`` that was not returned before."""
        name = self.module.fresh_local(node, *candidates, taken=self.taken)
        self.taken.add(name)
        return name


def check_node(module: Module, node: ast.AST) -> None:
    """Raise Refused where ``node`` cannot be written again, because it is in an f-string."""
    if isinstance(node, ast.expr) and not is_placed(module, node):
        raise Refused(NOT_AWAITABLE_HERE, _OLD)


def check_formatted(module: Module, part: ast.FormattedValue) -> None:
    """Raise Refused where the value in braces cannot be written into."""
    if is_shown(module, part.value):
        raise Refused(NOT_AWAITABLE_HERE, "an f-string that shows its code")
    check_node(module, part.value)
