"""The operands of a set operation, which are rewritten with the query that it is called on."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import chain_of
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    SET_OPERATIONS,
    Chain,
    holds_query,
    query_root,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import short_text
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import recognise_either
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import translate
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import Item, Kind, What, kind_of


def join_operands(statement: Statement, decision: Decision) -> None:
    """Let ``decision`` require the other queries of a set operation; raises Refused for one.

    Each query is a site of its own. The first one, on which ``union`` is called, is written
    together with the operation; the others become plain statements.
    """
    chain, reader = statement.chain, statement.reader
    for operand in _operands(chain):
        root, other = _read_operand(reader, operand)
        _refuse_others(statement.first_items, translate(reader, other, executed=False), operand)
        decision.requires.append(root)
        # The operand becomes a plain select(), for which no session is asked.
        if other.receiver is not None and has_call(other.receiver):
            decision.caveats.append(f"`{ast.unparse(other.receiver)}` is no longer called")
    if _operands(chain):
        _refuse_comments(reader, chain)
    is_operand = chain.end in SET_OPERATIONS and chain.ending == "argument"
    if is_operand and first_root(reader, chain) is None:
        _check_alone(statement)


def _check_alone(statement: Statement) -> None:
    """Raise Refused unless ``statement`` can be put together with a query that stays one.

    Objects of both would be made of what the first one asks for.
    """
    chain = statement.chain
    call = statement.reader.module.parent(chain.node)
    function = call.func if isinstance(call, ast.Call) else None
    if not isinstance(function, ast.Attribute):
        return
    stays = holds_query(statement.reader.module, function.value)
    if stays and kind_of(statement.items) is not Kind.ROWS:
        raise Refused(reasons.SET_OPERATION, f"`{chain.end}()` of queries")


def has_call(node: ast.expr) -> bool:
    """Whether something is called, or awaited, when ``node`` is evaluated."""
    return any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))


def _operands(chain: Chain) -> list[ast.expr]:
    return [
        operand for link in chain.links if link.name in SET_OPERATIONS for operand in link.call.args
    ]


def _read_operand(reader: Reader, operand: ast.expr) -> tuple[ast.expr, Chain]:
    refused = Refused(reasons.SET_OPERATION, f"a set operation with `{short_text(operand)}`")
    root = query_root(operand)
    recognised = recognise_either(reader, root) if root is not None else None
    if root is None or recognised is None:
        raise refused
    recognised.raise_if_refused(reader.module)
    chain = chain_of(reader, recognised)
    # One that is executed, or embedded, before it gets there is no Query any more.
    if chain.node is not operand or chain.ending != "argument":
        raise refused
    return root, chain


def _refuse_others(first: tuple[Item, ...], other: Statement, operand: ast.expr) -> None:
    """Raise Refused unless both queries ask for the same class, or for as many columns."""
    items = other.items
    is_class = first[0].what is What.ENTITY
    same = len(items) == len(first) and all(
        item.what is not What.UNKNOWN and (item.what is What.ENTITY) == is_class for item in items
    )
    # One alias reads the whole as one class; objects of others would be lost.
    if not same or (is_class and (items[0].model != first[0].model or items[0].aliased)):
        raise Refused(reasons.SET_OPERATION, f"a set operation with `{short_text(operand)}`")
    if any(link.name in SET_OPERATIONS for link in other.chain.links):
        raise Refused(reasons.SET_OPERATION, f"a set operation inside `{short_text(operand)}`")


def _refuse_comments(reader: Reader, chain: Chain) -> None:
    """The queries move to other lines, which have no place for comments."""
    module = reader.module
    last = max(n for n, link in enumerate(chain.links) if link.name in SET_OPERATIONS)
    start, end = module.span(chain.root).start, module.span(chain.links[last].call).end
    refuse_comment(module.source.text[start:end])


def first_root(reader: Reader, chain: Chain) -> ast.Call | ast.Attribute | None:
    """Return where the query begins whose set operation takes ``chain``: not that of a CTE."""
    call = reader.module.parent(chain.node)
    if chain.ending != "argument" or not isinstance(call, ast.Call):
        return None
    return query_root(call.func) if chain.end in SET_OPERATIONS else None
