"""Bulk writes of queries that are kept in variables: their criteria are written once more.

A statement that loads cannot be made one that writes, and ``where(statement.whereclause)`` changes
nothing at all where there is no filter. So the builders must be one visible way from ``query(...)``
to the write, and their arguments must mean the same there.
"""

from __future__ import annotations

import ast

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import Frame
from awaken.codemods.sqlalchemy.query_to_select.components.component import Segment, Start, Web
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import judge_write
from awaken.codemods.sqlalchemy.query_to_select.decide.verdict import Verdict
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite, LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused

_OPERATORS = frozenset(
    {"between", "contains", "endswith", "ilike", "is_", "is_not", "isnot", "like", "startswith"}
)
"""Methods of columns that make criteria of values, and do nothing else."""
_AMONG = frozenset({"in_", "not_in", "notin_"})
CRITERIA_OF_COLUMNS = _OPERATORS | _AMONG
"""Methods that make a criterion of a column."""
_CONNECTIVES = frozenset({"and_", "not_", "or_"})
_ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum"))
_DISPLAYS = (ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Tuple, ast.Dict, ast.DictComp)
_LISTS = frozenset({"dict", "frozenset", "list", "set", "sorted", "tuple"})


def judge_kept_write(web: Web, use: Segment, session: str) -> Verdict:
    """Decide the rewrite of ``use``, which ends in update() or delete(); raises Refused."""
    way = _way_to(web, use)
    links = tuple(link for segment in way for link in segment.links)
    root, items = way[0].start, way[0].items
    if len(items) != 1 or isinstance(root, ast.Name):
        raise _refused(use)
    for link in links:
        _check_arguments(web, use, link, {segment.start for segment in [*way[1:], use]})
    receiver = ast.parse(session, mode="eval").body
    chain = Chain(root, receiver, None, items, (*links, *use.links), use.node, "written", use.end)
    verdict = judge_write(use.frame.reader, chain)
    data = verdict.data
    if not isinstance(data, BulkRewrite) or data.params is not None:
        raise _refused(use)
    edits = data.statement.links
    parts = [_written(use, link, edit) for link, edit in zip(links, edits, strict=False)]
    model = use.frame.reader.module.text_of(items[0])
    source = f"{data.statement.select}({model}){''.join(parts)}"
    statement: QueryRewrite = msgspec.structs.replace(
        data.statement, shape="kept", source=source, given=session, links=edits[len(links) :]
    )
    verdict.data = msgspec.structs.replace(data, statement=statement)
    return verdict


def _refused(use: Segment) -> Refused:
    detail = f"`.{use.end}()` of a query whose criteria stand in other statements"
    return Refused(reasons.BULK_WRITE, detail, because=(use.place(),))


def _way_to(web: Web, use: Segment) -> list[Segment]:
    """Return the segments from ``query(...)`` to ``use``, if there is one way only."""
    way: list[Segment] = []
    segment = use
    while segment.recognised is None:
        found = web.reaching(segment.frame, segment.start)
        segments = web.definitions[found[0]] if len(found) == 1 else []
        if len(segments) != 1 or segments[0] in way or segments[0].frame is not use.frame:
            raise _refused(use)
        segment = segments[0]
        way.insert(0, segment)
    return way


def _check_arguments(web: Web, use: Segment, link: Link, starts: set[Start]) -> None:
    """Raise Refused unless the arguments of ``link`` mean the same where ``use`` stands."""
    given = [*link.call.args, *(keyword.value for keyword in link.call.keywords)]
    if any(keyword.arg is None for keyword in link.call.keywords):
        raise _refused(use)
    if not all(_is_steady(web, use.frame, node, starts) for node in given):
        raise _refused(use)


def _is_steady(web: Web, frame: Frame, node: ast.expr, starts: set[Start]) -> bool:
    """Whether ``node`` can be evaluated once more, later in the function, with the same result."""
    reader, parts = frame.reader, list[ast.expr]()
    match node:
        case ast.Constant():
            return True
        case ast.Name():
            return _is_steady_name(web, frame, node, starts)
        case ast.Attribute():
            return _is_steady_attribute(web, frame, node, starts)
        case ast.Call(func=ast.Attribute(value=column, attr=name), keywords=[]):
            if name not in _OPERATORS and not (
                name in _AMONG and all(_is_list(frame, one) for one in node.args)
            ):
                return False
            parts = [column, *node.args]
        case ast.Call(keywords=[]) if reader.library_name(node.func) in _CONNECTIVES:
            parts = node.args
        case ast.Compare(left=left, comparators=others):
            parts = [left, *others]
        case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
            parts = values
        case ast.UnaryOp(operand=operand):
            parts = [operand]
        case _:
            return False
    return all(_is_steady(web, frame, part, starts) for part in parts)


def _is_steady_attribute(web: Web, frame: Frame, node: ast.Attribute, starts: set[Start]) -> bool:
    """Whether ``node`` is one of a class or module, not of a value that may change."""
    reader, owner = frame.reader, node.value
    if isinstance(owner, ast.Name) and node.attr in {"name", "value"} and _is_member(reader, owner):
        return _is_same(web, frame, owner, starts)
    return reader.qualified(node) is not None


def _is_list(frame: Frame, node: ast.expr) -> bool:
    """Whether ``node`` can be iterated twice, for all that is seen."""
    if isinstance(node, _DISPLAYS):
        return True
    bindings = frame.reader.bindings(node) if isinstance(node, ast.Name) else []
    return bool(bindings) and all(
        isinstance(one.value, _DISPLAYS)
        or (isinstance(one.value, ast.Call) and ast.unparse(one.value.func) in _LISTS)
        for one in bindings
    )


def _is_member(reader: Reader, name: ast.Name) -> bool:
    """Whether ``name`` is a parameter for a member of an Enum, whose value never changes."""
    bindings = reader.bindings(name)
    notes = [one.declared for one in bindings]
    if len(notes) != 1 or bindings[0].kind != "parameter" or notes[0] is None:
        return False
    facts = reader.project.class_facts(reader.qualified(notes[0]) or "")
    return facts is not None and not _ENUMS.isdisjoint(facts.bases)


def _is_steady_name(web: Web, frame: Frame, name: ast.Name, starts: set[Start]) -> bool:
    """Whether ``name`` means the same thing at both places, as far as this function goes."""
    scopes = frame.reader.module.scopes
    if scopes.owner(name.id, scopes.scope_of(name)) is not frame.flow.scope:
        return frame.reader.qualified(name) is not None
    changed = any(_is_changed(frame, read) for read in frame.flow.reads(name.id))
    return not changed and _is_same(web, frame, name, starts)


def _is_same(web: Web, frame: Frame, name: ast.Name, starts: set[Start]) -> bool:
    """Whether the local ``name`` is given no other value between both places."""
    scope = frame.flow.scope
    changes = [binding.node for binding in scope.bindings.get(scope.mangled(name.id), ())]
    outdated = {r for one in web.variables(frame) for r in frame.flow.outdated(one, changes)}
    return not outdated & starts


def _is_changed(frame: Frame, read: ast.Name) -> bool:
    """Whether something is done with the value of a variable that may change it."""
    parent = frame.reader.module.parent(read)
    return isinstance(parent, ast.Attribute | ast.Subscript | ast.AugAssign)


def _written(use: Segment, link: Link, edit: LinkEdit) -> str:
    """Return the text of one builder as it is written in the statement that writes."""
    if edit.call is None:
        return ""
    if edit.call not in {"where", "filter_by"} or edit.arguments or edit.keyword or edit.parent:
        raise _refused(use)
    parts = [ast.unparse(argument) for argument in link.call.args]
    for keyword in link.call.keywords:
        value = ast.unparse(keyword.value)
        if edit.target is not None:
            simple = isinstance(keyword.value, ast.Name | ast.Attribute | ast.Constant)
            parts.append(f"{edit.target}.{keyword.arg} == {value if simple else f'({value})'}")
        else:
            parts.append(f"{keyword.arg}={value}")
    return f".{edit.call}({', '.join(parts)})"
