"""Joins that give each row one partner at most, so that they repeat nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader, names
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import (
    Target,
    is_relationship,
    join_target,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.kit.names_here import is_dotted
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.frameworks.loads.repeats import Sources
from awaken.project.source.trees import is_constant


def sources_of(statement: Statement) -> tuple[Target, ...] | None:
    """Return what ``statement`` has in FROM, the class that it asks for first; None if unknown."""
    first = statement.items[0] if statement.items else None
    if first is None or first.what is not What.ENTITY or first.owner is None:
        return None
    if first.model is None or statement.changed_items or statement.several:
        return None
    return Target(first.owner, first.owner, first.model), *statement.partners


def in_from(statement: Statement, entity: Item) -> Sources:
    """Return what criteria may name without another FROM: ``entity`` and its partners."""
    partners = {item.text: item.model for item in statement.partners if item.text is not None}
    # The result of another function may have no name here: then no criterion is its own.
    return Sources(statement.reader, entity.owner or "?", entity.model, partners)


def is_of_partners(statement: Statement, criterion: ast.expr) -> bool:
    """Whether a criterion is known to name nothing but what is in FROM by now, partners included.

    Without partners it is not checked: a later join may explain it.
    """
    entity = statement.items[0] if statement.items else None
    if not statement.partners or entity is None or entity.what is not What.ENTITY:
        return False
    return in_from(statement, entity).only([criterion])


def is_entity(statement: Statement) -> bool:
    """Whether ``statement`` asks for one class and nothing else."""
    return len(statement.items) == 1 and statement.items[0].what is What.ENTITY


def are_of_first_item(statement: Statement, terms: Sequence[ast.expr]) -> bool:
    """Whether ``terms`` are columns of the class that ``statement`` asks for first, or the class.

    Rows with different ``terms`` are then of different objects.
    """
    first = statement.items[0] if statement.items else None
    is_known = first is not None and first.what is What.ENTITY and first.model is not None
    if first is None or not is_known or first.owner is None or statement.several:
        return False
    mapped = statement.reader.project.orm.mapped_class(first.model or "")
    columns = {f"{first.owner}.{name}" for name in (mapped.columns if mapped is not None else ())}
    return bool(terms) and all(
        ast.unparse(term) in {first.owner, *columns}
        and not _is_rebound(statement.reader, getattr(term, "value", term))
        for term in terms
    )


def only_partner(statement: Statement, link: Link) -> Target | None:
    """Return what the join ``link`` brings into FROM, if no row gets several partners by it."""
    sources = sources_of(statement)
    is_known = not statement.selects_from and not statement.from_statement
    target = join_target(statement.reader, link)
    if sources is None or not is_known or target.model is None:
        return None
    arguments = _arguments(link)
    if arguments is None or target in sources:
        return None
    first, condition = arguments
    if any(
        _is_rebound(statement.reader, one) for one in ast.walk(first) if isinstance(one, ast.expr)
    ):
        return None
    if condition is None and isinstance(first, ast.Attribute | ast.Call):
        condition = first if entity_of(statement.reader, first) is None else None
    if condition is None:
        is_only = _is_only_by_keys(statement.reader, sources, target)
    elif _relationship(statement.reader, condition) is not None:
        is_only = _leads_to_one(statement.reader, sources, target, condition)
    else:
        is_only = _pins_one(statement.reader, target, [condition])
    return target if is_only else None


def implied_partners(statement: Statement, criteria: Sequence[ast.expr]) -> tuple[Target, ...]:
    """Return the classes that criteria bring into FROM, of which each row gets one at most.

    As ``filter(Lamp.shop_id == Shop.id)``, which joins without a ``join()``.
    """
    sources = sources_of(statement)
    if sources is None or statement.selects_from or statement.from_statement:
        return ()
    reader, targets = statement.reader, list[Target]()
    sides = [side for node in criteria for pair in _equalities(reader, node) for side in pair]
    for side in sides:
        if not isinstance(side, ast.Attribute) or not is_dotted(side.value):
            continue
        text = ast.unparse(side.value)
        entity = None
        if all(source.text != text for source in (*sources, *targets)):
            entity = entity_of(reader, side.value)
        if entity is None or entity.model is None or _is_rebound(reader, side.value):
            continue
        # Criteria bring the tables of a class into FROM one by one, joined by nothing.
        if not reader.project.orm.has_one_table(entity.model):
            continue
        target = Target(text, text, entity.model, entity.aliased)
        if _pins_one(reader, target, criteria):
            targets.append(target)
    return tuple(targets)


def _is_rebound(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` is a variable that may hold one alias here and another one elsewhere."""
    return isinstance(node, ast.Name) and len(reader.bindings(node)) > 1


def _arguments(link: Link) -> tuple[ast.expr, ast.expr | None] | None:
    """Return the target and the condition of a join; None if it says more."""
    named = {keyword.arg: keyword.value for keyword in link.call.keywords}
    given = dict(zip(("target", "onclause"), link.call.args, strict=False))
    full = named.get("full")
    is_full = full is not None and not (is_constant(full, value=False))
    if None in named or is_full or any(isinstance(node, ast.Starred) for node in link.call.args):
        return None
    nodes = {**given, **{key: node for key, node in named.items() if key is not None}}
    target = nodes.get("target")
    return None if target is None else (target, nodes.get("onclause"))


def _relationship(reader: Reader, node: ast.expr) -> ast.Attribute | None:
    """Return the relationship that ``node`` is, as such or with ``of_type()``."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="of_type")):
            return _relationship(reader, inner)
        case ast.Attribute() if is_relationship(reader, node):
            return node
    return None


def _leads_to_one(
    reader: Reader, sources: tuple[Target, ...], target: Target, condition: ast.expr
) -> bool:
    """Whether a relationship of what is in FROM leads to one object at most."""
    result = _relationship(reader, condition)
    owner = None if result is None else ast.unparse(result.value)
    model = next((source.model for source in sources if source.text == owner), None)
    facts = reader.project.orm.models.relationship(model, "" if result is None else result.attr)
    if facts is None or result is None or facts.target is None or model is None:
        return False
    # A subclass is joined in place of what the relationship leads to.
    if target.model not in {facts.target, *reader.project.all_subclasses(facts.target)}:
        return False
    return reader.project.orm.partners(model, facts.target, result.attr) == "one"


def _is_only_by_keys(reader: Reader, sources: tuple[Target, ...], target: Target) -> bool:
    """Whether a join without a condition follows a foreign key to one row at most."""
    ways = {
        reader.project.orm.partners(source.model, target.model)
        for source in sources
        if source.model is not None and target.model is not None
    }
    return ways <= {"none", "one"} and "one" in ways


def _pins_one(reader: Reader, target: Target, conditions: Sequence[ast.expr]) -> bool:
    """Whether conditions name the value of each column of a unique key of ``target``."""
    pinned = {
        side.attr
        for condition in conditions
        for left, right in _equalities(reader, condition)
        for side, other in ((left, right), (right, left))
        if isinstance(side, ast.Attribute) and ast.unparse(side.value) == target.text
        if not names(other, target.text) and _is_one_value(reader, target, side.attr, other)
    }
    return target.model is not None and reader.project.orm.pins_one(target.model, pinned)


def _is_one_value(reader: Reader, target: Target, attribute: str, other: ast.expr) -> bool:
    """Whether what a column is compared with is one value, and not NULL where many rows have it."""
    if isinstance(other, ast.Constant):
        return other.value is not None
    if isinstance(other, ast.Attribute) and entity_of(reader, other.value) is not None:
        return True
    mapped = reader.project.orm.mapped_class(target.model or "")
    column = None if mapped is None else mapped.columns.get(attribute)
    # A variable may hold None, which becomes IS NULL; a call may give `any_()` of an array.
    is_plain = isinstance(other, ast.Name | ast.Attribute | ast.Subscript)
    return is_plain and column is not None and column.nullable is False


def _equalities(reader: Reader, node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield both sides of each comparison for equality that has to hold."""
    match node:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            yield left, right
        case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
            yield from _equalities(reader, left)
            yield from _equalities(reader, right)
        case ast.Call(func=function, args=arguments) if reader.library_name(function) == "and_":
            for argument in arguments:
                yield from _equalities(reader, argument)
