"""Library functions that take a Query or a select(), and those for which both are equal."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link, taker_of
from awaken.codemods.sqlalchemy.query_to_select.reading.help import refuse_unknown
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.query_items import Kind, doubts_of, kind_of

_PLAIN = name_list("builders_of_both")


def caveats_of_taken(statement: Statement, links: Iterable[Link]) -> list[str]:
    """Return what may change where a library is given the statement; raises Refused.

    ``links`` are all the builders that made it.
    """
    reader, chain = statement.reader, statement.chain
    taker = taker_of(reader.module, chain.node)
    refuse_unknown(reader, statement.items)
    is_class = kind_of(statement.items) is Kind.ENTITY and not statement.as_rows
    # The keys of its rows would be others, and settings of a Query are not those of a select().
    if taker is None or not is_class or any(link.name not in _PLAIN for link in links):
        raise Refused(reasons.PASSED_QUERY, _function(statement))
    if reader.project.targets.admits(taker.distribution, f"<{taker.since}"):
        raise Refused(reasons.PASSED_QUERY, _function(statement))
    gone = [
        f"`{ast.unparse(node)}` is no longer called"
        for node in [chain.receiver]
        if node is not None and any(isinstance(part, ast.Call) for part in ast.walk(node))
    ]
    return [*gone, *doubts_of(statement.items)]


def _function(statement: Statement) -> str:
    module = statement.reader.module
    call = module.call_taking(statement.chain.node)
    return "a function" if call is None else ast.unparse(call.func)
