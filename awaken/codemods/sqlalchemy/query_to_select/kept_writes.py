"""Bulk writes of queries that are kept in variables: their criteria are written once more.

A statement that loads cannot be made one that writes, and ``where(statement.whereclause)`` changes
nothing at all where there is no filter. So the builders must be one visible way from ``query(...)``
to the write, and their arguments must mean the same there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.bulk import judge_write
from awaken.codemods.sqlalchemy.query_to_select.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.judgement import Verdict
from awaken.codemods.sqlalchemy.query_to_select.kept import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite, LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.project.flow import Reaching

_PLAIN = (
    ast.Name,
    ast.Attribute,
    ast.Constant,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.Tuple,
    ast.List,
    ast.cmpop,
    ast.unaryop,
    ast.boolop,
    ast.expr_context,
)


def judge_kept_write(web: Web, use: Segment, receiver: ast.expr, session: str) -> Verdict:
    """Decide the rewrite of ``use``, which ends in update() or delete(); raises Refused."""
    way = _way_to(web, use)
    links = tuple(link for segment in way for link in segment.links)
    root = way[0].start
    if not isinstance(root, ast.Call):
        raise _refused(web, use)
    for link in links:
        _check_arguments(web, use, link, {segment.start for segment in [*way[1:], use]})
    chain = Chain(
        root, receiver, None, tuple(root.args), (*links, *use.links), use.node, "written", use.end
    )
    verdict = judge_write(web.reader, chain)
    data = verdict.data
    if not isinstance(data, BulkRewrite) or data.params is not None:
        raise _refused(web, use)
    edits = data.statement.links
    parts = [_written(web, use, link, edit) for link, edit in zip(links, edits, strict=False)]
    model = web.reader.module.text_of(root.args[0])
    source = f"{data.statement.select}({model}){''.join(parts)}"
    statement: QueryRewrite = msgspec.structs.replace(
        data.statement, shape="kept", source=source, given=session, links=edits[len(links) :]
    )
    verdict.data = msgspec.structs.replace(data, statement=statement)
    return verdict


def _refused(web: Web, use: Segment) -> Refused:
    detail = f"`.{use.end}()` of a query whose criteria stand in other statements"
    return Refused(reasons.BULK_WRITE, detail, because=(web.place(use.node),))


def _way_to(web: Web, use: Segment) -> list[Segment]:
    """Return the segments from ``query(...)`` to ``use``, if there is one way only."""
    way: list[Segment] = []
    segment = use
    while isinstance(segment.start, ast.Name):
        reaching = web.flow.reaching(segment.start)
        found = reaching.definitions if isinstance(reaching, Reaching) else ()
        segments = web.definitions[found[0]] if len(found) == 1 else []
        if len(segments) != 1 or segments[0] in way:
            raise _refused(web, use)
        segment = segments[0]
        way.insert(0, segment)
    return way


def _check_arguments(web: Web, use: Segment, link: Link, starts: set[ast.Call | ast.Name]) -> None:
    """Raise Refused unless the arguments of ``link`` mean the same where ``use`` stands."""
    given = [*link.call.args, *(keyword.value for keyword in link.call.keywords)]
    if any(keyword.arg is None for keyword in link.call.keywords):
        raise _refused(web, use)
    for node in given:
        for part in ast.walk(node):
            if not isinstance(part, _PLAIN):
                raise _refused(web, use)
            if isinstance(part, ast.Attribute) and not _is_static(web, part):
                raise _refused(web, use)
            if isinstance(part, ast.Name) and not _is_steady(web, part, starts):
                raise _refused(web, use)


def _is_static(web: Web, node: ast.Attribute) -> bool:
    """Whether ``node`` names something of a class or module, not of a value that may change."""
    return web.reader.qualified(node) is not None


def _is_steady(web: Web, name: ast.Name, starts: set[ast.Call | ast.Name]) -> bool:
    """Whether ``name`` means the same thing at both places, as far as this function goes."""
    scope = web.flow.scope
    scopes = web.reader.module.scopes
    owner = scopes.owner(name.id, scopes.scope_of(name))
    if owner is not scope:
        return web.reader.qualified(name) is not None
    changes = [binding.node for binding in scope.bindings.get(scope.mangled(name.id), ())]
    kept = {binding.name for binding in web.definitions}
    outdated = {read for one in kept for read in web.flow.outdated(one, changes)}
    return not (outdated & starts) and not any(_is_changed(web, read) for read in _reads(web, name))


def _reads(web: Web, name: ast.Name) -> Iterator[ast.Name]:
    yield from web.flow.reads(name.id)


def _is_changed(web: Web, read: ast.Name) -> bool:
    """Whether something is done with the value of a variable that may change it."""
    parent = web.reader.module.parent(read)
    return isinstance(parent, ast.Attribute | ast.Subscript | ast.AugAssign)


def _written(web: Web, use: Segment, link: Link, edit: LinkEdit) -> str:
    """Return the text of one builder as it is written in the statement that writes."""
    if edit.call is None:
        return ""
    if edit.call not in {"where", "filter_by"} or edit.arguments or edit.keyword or edit.parent:
        raise _refused(web, use)
    parts = [ast.unparse(argument) for argument in link.call.args]
    for keyword in link.call.keywords:
        value = ast.unparse(keyword.value)
        if edit.target is not None:
            simple = isinstance(keyword.value, ast.Name | ast.Attribute | ast.Constant)
            parts.append(f"{edit.target}.{keyword.arg} == {value if simple else f'({value})'}")
        else:
            parts.append(f"{keyword.arg}={value}")
    return f".{edit.call}({', '.join(parts)})"
