"""The way of the queries of one file: recognised, read as components, decided, rewritten.

A component is all queries that share variables or functions; one that nothing holds is a single
query in one expression. Either way a ``Rewrite`` comes out, or the reason why there is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.answers.blocking_doubles import without_doubles
from awaken.codemods.sqlalchemy.query_to_select.answers.mocks_with_queries import Together
from awaken.codemods.sqlalchemy.query_to_select.components.collecting import read_component
from awaken.codemods.sqlalchemy.query_to_select.components.component import Component
from awaken.codemods.sqlalchemy.query_to_select.components.decide.component_rewrite import (
    rewrite_component,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decide.consumed import rewrite_consumed
from awaken.codemods.sqlalchemy.query_to_select.decide.single import rewrite_single
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Decided, Rewrite
from awaken.codemods.sqlalchemy.query_to_select.manual import manual
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Constraints
from awaken.project.frameworks.testing import use_of
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


class Queries:
    """The queries of one file, each with its decision.

    Where they go through other files, their change and the findings there come with it.
    """

    def __init__(
        self,
        project: Project,
        module: Module,
        together: Together,
        rule: str,
        constraints: Constraints,
    ) -> None:
        self._reader = Reader(project, module)
        self._sites = together.sites
        self._together = together
        self._rule = rule
        self._excluded = constraints.excluded
        self._decided: dict[ast.AST, Decided] = {}
        for root, member in self._in_file(module).items():
            # It may have been decided already, with a query that shares something with it.
            if root not in self._decided:
                self._decide(member)

    def in_order(self) -> Iterator[Decided]:
        """Yield what is decided of the queries of the file, in the order of their places."""
        yield from (self._decided[root] for root in self._in_file(self._reader.module))

    def decisions_in_other_files(self) -> Iterator[Decided]:
        """Yield what is decided of queries in other files, which share something with one here."""
        own = self._in_file(self._reader.module)
        yield from (decided for root, decided in self._decided.items() if root not in own)

    @cached_method
    def _in_file(self, module: Module) -> dict[ast.AST, Recognised]:
        queries = without_doubles(self._reader.project, module, self._sites.queries_of(module))
        return {query.root: query for query in queries}

    def _decide(self, member: Recognised) -> None:
        """Decide about a query of the file, and all that share something with it."""
        component: Component | Rewrite | None = None
        together: list[tuple[Module, ast.expr]] = [(self._reader.module, member.root)]
        try:
            if member.refused is not None and self._decide_with_doubles(member):
                return
            if member.refused is None:
                component = self._component_of(member)
            if isinstance(component, Rewrite):
                rewrite = component
            elif component is None:
                rewrite = rewrite_single(self._reader, member)
            else:
                together = [(item.context.module, item.start) for item in component.roots]
                rewrite = rewrite_component(component, self._recognised_queries(component))
        except Refused as refused:
            # None can be rewritten without the others, so that the refusal holds for all.
            for module, root in together:
                self._decided[root] = manual(self._rule, module, root, refused), None
        else:
            rewrite = rewrite.with_replacement_caveats(self._sites)
            self._decided.update(rewrite.findings(self._rule, self._excluded))

    def _component_of(self, member: Recognised) -> Component | Rewrite | None:
        """Return the component of a query; its rewrite where each caller reads the rows once."""
        try:
            return read_component(
                self._reader, member.root, self._in_file, mocks_by_hand=self._together.mocks_by_hand
            )
        except Refused:
            rewrite = rewrite_consumed(self._reader, member)
            if rewrite is None:
                raise
            return rewrite

    def _decide_with_doubles(self, member: Recognised) -> bool:
        """Decide about a query that doubles answer, with all that they answer, if they can."""
        own, root = self._reader.module, member.root
        if member.refused is None or member.refused.reason is not reasons.TEST_DOUBLE:
            return False
        query = root.func if isinstance(root, ast.Call) else root
        rewrite = self._together.rewrite(use_of(own, query))
        if rewrite is None:
            if self._together.is_answerable(use_of(own, query)):
                member.refused.answered_by(reasons.MOCKS_BY_HAND)
            return False
        rewrite = rewrite.with_replacement_caveats(self._sites)
        # They were read for another file, perhaps, from a tree that is gone.
        nodes = {own.span(part).start: part for part in self._in_file(own)}
        modules = {item.start: item.module for item in rewrite.roots}
        for node, decided in rewrite.findings(self._rule, self._excluded).items():
            home = modules[node]
            is_own = home.path == own.path
            result = nodes.get(home.span(node).start, node) if is_own else node
            self._decided[result] = decided
        return True

    def _recognised_queries(self, component: Component) -> list[Recognised]:
        return [self._in_file(root.context.module)[root.start] for root in component.roots]
