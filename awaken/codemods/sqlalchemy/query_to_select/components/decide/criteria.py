"""Bulk writes of queries that load as well, written with the criteria of the statement.

``query.delete()`` becomes ``session.execute(delete(A).where(query.whereclause))``: these criteria
are the very objects that Query hands on. Of a statement without any, ``whereclause`` is None, which
``where()`` takes for NULL: nothing would be written. So each way to the write must add one.
(``Select.whereclause`` is there since 1.4; run on 1.4.54, 2.0 and 2.1.)

Bulk writes of queries that are kept in variables: their criteria are written once more.

A statement that loads cannot be made one that writes, and ``where(statement.whereclause)`` changes
nothing at all where there is no filter. So the builders must be one visible way from ``query(...)``
to the write, and their arguments must mean the same there.
"""

from __future__ import annotations

import ast
from dataclasses import replace

import msgspec
from msgspec import structs

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import (
    ChainFragment,
    Component,
    Start,
)
from awaken.codemods.sqlalchemy.query_to_select.components.states import States, keep_meaning
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import (
    check_link,
    decide_write,
    executed_write,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import (
    Decision,
    note_sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite, LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.query_items import What
from awaken.project.graph.call_edges import FunctionContext
from awaken.project.source.trees import arguments_of

_OPERATORS = name_list("criteria_of_values")
_AMONG = name_list("criteria_among")
CRITERIA_OF_COLUMNS = _OPERATORS | _AMONG
"""Methods that make a criterion of a column."""
_ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum"))
_DISPLAYS = (ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Tuple, ast.Dict, ast.DictComp)
_LISTS = frozenset({"dict", "frozenset", "list", "set", "sorted", "tuple"})
_CRITERIA = frozenset({"filter", "where"})
_FOLLOWED = _CRITERIA | {"filter_by", "options"}
"""Builders that leave criteria, or nothing that a bulk write would look at."""
_MAKING_CRITERIA = CRITERIA_OF_COLUMNS | {"any", "has"}
"""Methods that make a criterion of a column or relationship."""


def decide_held_write(component: Component, use: ChainFragment, session: str) -> Decision:
    """Decide the rewrite of ``use``, which ends in update() or delete(); raises Refused."""
    way = _way_to(component, use)
    links = tuple(link for fragment in way for link in fragment.links)
    root, items = way[0].start, way[0].items
    if len(items) != 1 or isinstance(root, ast.Name):
        raise _refusal(use)
    for link in links:
        _check_arguments(component, use, link, {fragment.start for fragment in [*way[1:], use]})
    receiver = ast.parse(session, mode="eval").body
    chain = Chain(root, receiver, None, items, (*links, *use.links), use.node, "written", use.end)
    decision = decide_write(component.reader(use.context), chain)
    data = decision.data
    if not isinstance(data, BulkRewrite) or data.params is not None:
        raise _refusal(use)
    edits = data.statement.links
    parts = [_written_text(use, link, edit) for link, edit in zip(links, edits, strict=False)]
    model = use.context.module.text_of(items[0])
    # Rewritten as text: the builders themselves stay where they are.
    source = f"{data.statement.select}({model}){''.join(parts)}"
    statement: QueryRewrite = msgspec.structs.replace(
        data.statement, shape="held", source=source, given=session, links=edits[len(links) :]
    )
    decision.data = msgspec.structs.replace(data, statement=statement)
    return decision


def _refusal(use: ChainFragment) -> Refused:
    detail = f"`.{use.end}()` of a query whose criteria are in other statements"
    return Refused(reasons.BULK_WRITE, detail, because=(use.place(),))


def _way_to(component: Component, use: ChainFragment) -> list[ChainFragment]:
    """Return the fragments from ``query(...)`` to ``use``, if there is one way only."""
    way: list[ChainFragment] = []
    fragment = use
    while fragment.recognised is None:
        holders = component.holders.reaching(fragment.context, fragment.start)
        fragments = component.definitions[holders[0]] if len(holders) == 1 else []
        # In a loop a query may go on from itself.
        if len(fragments) != 1 or fragments[0] in way or fragments[0].context is not use.context:
            raise _refusal(use)
        fragment = fragments[0]
        way.insert(0, fragment)
    return way


def _check_arguments(
    component: Component, use: ChainFragment, link: Link, starts: set[Start]
) -> None:
    """Raise Refused unless the arguments of ``link`` mean the same at ``use``."""
    arguments = arguments_of(link.call)
    # The content of `**values` may change between both places.
    if any(keyword.arg is None for keyword in link.call.keywords):
        raise _refusal(use)
    if not all(_is_steady(component, use.context, node, starts) for node in arguments):
        raise _refusal(use)


def _is_steady(
    component: Component, context: FunctionContext, node: ast.expr, starts: set[Start]
) -> bool:
    """Whether ``node`` can be evaluated once more, later in the function, with the same result."""
    reader, parts = component.reader(context), list[ast.expr]()
    match node:
        case ast.Constant():
            return True
        case ast.Name():
            return _is_steady_name(component, context, node, starts)
        case ast.Attribute():
            return _is_steady_attribute(component, context, node, starts)
        case ast.Call(func=ast.Attribute(value=column, attr=name), keywords=[]):
            # An iterator would be used up when it is read for the second time.
            if name not in _OPERATORS and not (
                name in _AMONG and all(_is_list(reader, argument) for argument in node.args)
            ):
                return False
            parts = [column, *node.args]
        case ast.Call(keywords=[]) if reader.library_name(node.func) in sql_names().connectives:
            parts = node.args
        case ast.Compare(left=left, comparators=others):
            parts = [left, *others]
        case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
            parts = values
        case ast.UnaryOp(operand=operand):
            parts = [operand]
        case _:
            return False
    return all(_is_steady(component, context, part, starts) for part in parts)


def _is_steady_attribute(
    component: Component, context: FunctionContext, node: ast.Attribute, starts: set[Start]
) -> bool:
    """Whether ``node`` is one of a class or module, not of a value that may change."""
    reader, owner = component.reader(context), node.value
    if isinstance(owner, ast.Name) and node.attr in {"name", "value"} and _is_member(reader, owner):
        return _is_same(component, context, owner, starts)
    return reader.qualified_name(node) is not None


def _is_list(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` can be iterated twice, for all that is seen."""
    if isinstance(node, _DISPLAYS):
        return True
    bindings = reader.bindings(node) if isinstance(node, ast.Name) else []
    return bool(bindings) and all(
        isinstance(binding.value, _DISPLAYS)
        or (isinstance(binding.value, ast.Call) and ast.unparse(binding.value.func) in _LISTS)
        for binding in bindings
    )


def _is_member(reader: Reader, name: ast.Name) -> bool:
    """Whether ``name`` is a parameter for a member of an Enum, whose value never changes."""
    bindings = reader.bindings(name)
    notes = [binding.declared_annotation for binding in bindings]
    if len(notes) != 1 or bindings[0].kind != "parameter" or notes[0] is None:
        return False
    facts = reader.project.class_facts(reader.qualified_name(notes[0]) or "")
    return facts is not None and not _ENUMS.isdisjoint(facts.bases)


def _is_steady_name(
    component: Component, context: FunctionContext, name: ast.Name, starts: set[Start]
) -> bool:
    """Whether ``name`` means the same thing at both places, as far as this function goes."""
    scopes = context.module.scopes
    if scopes.owner(name.id, scopes.scope_of(name)) is not context.flow.scope:
        return component.reader(context).qualified_name(name) is not None
    changed = any(_is_changed(context, read) for read in context.flow.reads(name.id))
    return not changed and _is_same(component, context, name, starts)


def _is_same(
    component: Component, context: FunctionContext, name: ast.Name, starts: set[Start]
) -> bool:
    """Whether the local ``name`` is given no other value between both places."""
    bindings = context.flow.scope.bindings_of(name.id)
    return component.outdated_reads(context, bindings).isdisjoint(starts)


def _is_changed(context: FunctionContext, read: ast.Name) -> bool:
    """Whether something is done with the value of a variable that may change it."""
    parent = context.module.parent(read)
    # Any attribute may be a method that changes the value.
    return isinstance(parent, ast.Attribute | ast.Subscript | ast.AugAssign)


def _written_text(use: ChainFragment, link: Link, edit: LinkEdit) -> str:
    """Return the text of one builder as it is written in the statement that writes."""
    if edit.call is None:
        return ""
    if edit.call not in {"where", "filter_by"} or edit.arguments or edit.keyword or edit.parent:
        raise _refusal(use)
    parts = [ast.unparse(argument) for argument in link.call.args]
    for keyword in link.call.keywords:
        value = ast.unparse(keyword.value)
        if edit.target is not None:
            # `==` binds more closely than `and`, `or` and the like in the value.
            simple = isinstance(keyword.value, ast.Name | ast.Attribute | ast.Constant)
            parts.append(f"{edit.target}.{keyword.arg} == {value if simple else f'({value})'}")
        else:
            parts.append(f"{keyword.arg}={value}")
    return f".{edit.call}({', '.join(parts)})"


def decide_write_by_criteria(
    component: Component, states: States, use: ChainFragment, session: str
) -> Decision:
    """Decide the rewrite of ``use``, which ends in update() or delete(); raises Refused."""
    ways = _fragments_leading_to(component, use)
    for fragment in ways:
        for link in fragment.links:
            check_link(component.reader(fragment.context), use.end, link)
            if link.name not in _FOLLOWED:
                raise Refused(reasons.BULK_WITH_SETTINGS, link.name, because=(fragment.place(),))
    if _may_have_no_criteria(component, use):
        detail = f"`.{use.end}()` of a query that may have no criteria"
        raise Refused(reasons.BULK_WRITE, detail, because=(use.place(),))
    # Not read as a write: it stays a select(), of which only the criteria are passed on.
    statement = states.required_statement(
        structs.replace(use, ending="argument", end=""), executed=False
    )
    return _written_decision(statement, use, session)


def _written_decision(statement: Statement, use: ChainFragment, session: str) -> Decision:
    model = _class_of(statement)
    # The criteria are read from the existing chain, so its arguments must stay.
    if model is None or not keep_meaning(statement.chain.links, statement.edits):
        detail = f"`.{use.end}()` of a query whose criteria are in other statements"
        raise Refused(reasons.BULK_WRITE, detail, because=(use.place(),))
    decision = Decision(None)
    chain = structs.replace(statement.chain, links=(), ending="written", end=use.end)
    bare = replace(statement, chain=chain, edits=[], needs=[])
    data = executed_write(bare, "", ())
    decision.needs += bare.needs
    query = msgspec.structs.replace(data.statement, shape="held", given=session)
    source = f"{note_sqlalchemy_name(statement, decision, use.end)}({model})"
    decision.data = msgspec.structs.replace(data, statement=query, by_criteria=source)
    return decision


def _class_of(statement: Statement) -> str | None:
    """Return the name of the one mapped class that is asked for; None if it has none here."""
    items = [] if statement.lists else [*statement.items]
    is_class = len(items) == 1 and items[0].what is What.ENTITY and not items[0].aliased
    return items[0].owner if is_class else None


def _fragments_leading_to(component: Component, use: ChainFragment) -> list[ChainFragment]:
    """Return ``use`` and every fragment whose query may be the one that it writes."""
    ways = [use]
    for fragment in ways:
        ways += [
            candidate
            for candidate in _fragments_before(component, fragment)
            if candidate not in ways
        ]
    return ways


def _may_have_no_criteria(component: Component, use: ChainFragment) -> bool:
    """Whether a way from ``query(...)`` to the end of ``use`` adds no criterion."""
    without = [use]
    for fragment in without:
        if any(map(_adds_criterion, fragment.links)):
            continue
        if fragment.recognised is not None:
            return True
        without += [item for item in _fragments_before(component, fragment) if item not in without]
    return False


def _fragments_before(component: Component, fragment: ChainFragment) -> list[ChainFragment]:
    """Return the fragments whose query ``fragment`` may go on with."""
    if fragment.recognised is not None:
        return []
    reaching = component.holders.reaching(fragment.context, fragment.start)
    return [definition for holder in reaching for definition in component.definitions[holder]]


def _adds_criterion(link: Link) -> bool:
    if link.name == "filter_by":
        # `**values` may be empty, and adds no criterion then.
        return any(keyword.arg is not None for keyword in link.call.keywords)
    return link.name in _CRITERIA and any(map(_is_criterion, link.call.args))


def _is_criterion(node: ast.expr) -> bool:
    """Whether ``node`` is surely a criterion, which ``and_(*conditions)`` may not be."""
    match node:
        case ast.Compare():
            return True
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return _is_criterion(operand)
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
            return _is_criterion(left) and _is_criterion(right)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _MAKING_CRITERIA
    return False
