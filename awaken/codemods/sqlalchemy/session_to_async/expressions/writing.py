"""The edits of one function: insertions, new nodes, and the names that these take."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.expressions.formatted import check_node
from awaken.codemods.sqlalchemy.session_to_async.expressions.insertions import Insertions
from awaken.contract import Edit
from awaken.kit.sites import Site
from awaken.project.source.modules import Module


@dataclass(slots=True)
class Writing:
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
