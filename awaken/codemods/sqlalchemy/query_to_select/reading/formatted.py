"""Queries in the braces of an f-string that may be rewritten."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    WITHOUT_KEY,
    read_end,
    read_links,
)
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.project.source.f_strings import is_placed, is_shown
from awaken.project.source.modules import Module


def check_formatted(module: Module, start: ast.expr) -> None:
    """Raise Refused for a query in an f-string that has to stay: what shows its code, above all.

    ``start`` is where the query begins. Other ends than those that give a result at once may need
    quotes, or a line of their own.
    """
    if not module.in_fstring(start):
        return
    _, node = read_links(module, start)
    try:
        ending, end, whole = read_end(module, node)
    except Refused:
        raise Refused(reasons.INSIDE_FSTRING) from None
    is_one_line = whole.lineno == whole.end_lineno
    if ending != "executed" or end not in WITHOUT_KEY or not is_one_line:
        raise Refused(reasons.INSIDE_FSTRING)
    if is_shown(module, whole) or not is_placed(module, whole):
        raise Refused(reasons.INSIDE_FSTRING)
