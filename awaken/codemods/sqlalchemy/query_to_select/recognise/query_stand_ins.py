"""Objects with a ``query`` of their own that a program gives where a session is annotated."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Place

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


def stand_in(
    project: Project, module: Module, root: ast.AST, without: Collection[str] = ()
) -> Refused | None:
    """Return the refusal of a query that an object may answer which is no plain session.

    Those of the classes ``without`` do not count: they are rewritten together with the query.
    """
    match root:
        case ast.Call(func=ast.Attribute(attr="query", value=receiver)):
            result = project.orm.stand_ins.stand_in_for(module, receiver, without)
        case _:
            return None
    if result is None:
        return None
    because = Place(result.place.path, result.place.span, "passed instead of a session")
    return Refused(reasons.STAND_IN, result.why, because=(because,))
