"""Queries of a custom Query class: the behavior of SQLAlchemy that such a class keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import read_links
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.queries.query_classes import QueryClass
from awaken.project.source.modules import Module


class OwnClass(Struct, frozen=True):
    """A class of the program's own that a query is made of; ``because`` says where it is given.

    ``select()`` knows none of its methods; those of Query are the same as ever unless it replaces
    what they call.
    """

    made_by: QueryClass
    because: tuple[Place, ...]

    def raise_if_used(self, names: Iterable[str]) -> None:
        """Raise Refused if one of the methods ``names`` is not Query's."""
        for name in names:
            why = self.made_by.why_not_of_query(name)
            if why:
                raise Refused(reasons.QUERY_HOOKS, why, because=self.because)

    def refuse_in(self, module: Module, root: ast.expr) -> Refused | None:
        """Return the refusal of the expression of the query at ``root``, if there is one."""
        links, last = read_links(module, root)
        after = module.parent(last)
        used = [link.name for link in links]
        if isinstance(after, ast.Attribute):
            used.append(after.attr)
        try:
            self.raise_if_used(used)
        except Refused as refused:
            return refused
        return None
