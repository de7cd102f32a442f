"""Unknown items, read by their use: only a class has attributes that are columns."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import OTHER_ITEMS, Link
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.source.worklist import preorder

_COLUMN_OPERATORS = name_list("criteria_of_values") | name_list("criteria_among")
_COLUMN_OPERATORS |= {"all_", "any_", "asc", "desc", "label", "op"}

_ONLY_OF_COLUMNS = frozenset({"in_", "notin_", "not_in", "is_", "isnot", "is_not", "like", "ilike"})
"""Operators by whose names a class will hardly have a method."""

_ATTRIBUTES_OF_COLUMNS = name_list("attributes_of_columns")

_OF_COLUMNS = frozenset({"defer", "load_only", "undefer"})


def read_by_use(reader: Reader, item: Item, criteria: Sequence[ast.expr]) -> Item:
    """Read an unknown item by its use in ``criteria``: only a class has attributes as columns.

    ``query(v).filter(v.id == 1)`` or ``query(v.name).filter(v.id == 1)``: tables and subqueries
    would need ``v.c``, and columns have no attributes but their operators. Nothing else that a
    query takes can be ordered: ``query(v).filter(v < 1)``, ``query(v).filter(v.in_(values))``.
    """
    node = item.node
    is_unsure = bool(item.certainty.reason) and item.certainty.is_presumed
    if item.what is not What.UNKNOWN and not item.certainty.is_assumed and not is_unsure:
        return item
    text = ast.unparse(node)
    is_class = _is_used_as_class(text, criteria) or _has_columns(text, criteria)
    if is_class or (isinstance(node, ast.Name) and _has_mapper(reader, node)):
        return Item(node, What.ENTITY, owner=ast.unparse(node))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = node.value.id
        if owner not in {"self", "cls"} and _is_used_as_class(owner, criteria):
            return Item(node, What.COLUMN, owner=owner, key=node.attr, hashable=None)
    # A variable that is set twice may be something else where it is compared.
    is_one = not isinstance(node, ast.Name) or len(reader.bindings(node)) == 1
    if is_one and item.what is What.UNKNOWN and _is_compared(text, criteria):
        return Item(node, What.EXPRESSION, orm=False, hashable=None, mixed=True)
    return item


def _has_mapper(reader: Reader, name: ast.Name) -> bool:
    """Whether ``class_mapper(name)``, which takes nothing but mapped classes, has run before.

    That is in a statement of the function itself, above the query, and of the same value.
    """
    module, bindings = reader.module, reader.bindings(name)
    function = module.enclosing_function(name)
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or len(bindings) != 1:
        return False
    # Another function may run before the check, or with another value.
    if bindings[0].kind != "parameter" or module.enclosing_function(bindings[0].node) != function:
        return False
    above = (statement for statement in function.body if (statement.end_lineno or 0) < name.lineno)
    return any(
        isinstance(part, ast.Call)
        and [ast.unparse(argument) for argument in part.args] == [name.id]
        and reader.library_name(part.func) == "class_mapper"
        for statement in above
        for part in _always_evaluated(statement)
    )


def _always_evaluated(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the calls, and what they are part of, that run whenever ``statement`` does."""
    # Branches and loops may never run what they hold.
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr) and statement.value:
        yield from preorder([statement.value], _parts_of)


def _parts_of(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            return [func, *args, *(keyword.value for keyword in keywords)]
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            return [value]
    return []


def read_by_options(
    reader: Reader, items: tuple[Item, ...], links: Sequence[Link]
) -> tuple[Item, ...]:
    """Read the only item, if it is not known for sure, by the ``links`` of its query.

    ``query(v).options(load_only("name"))``: the name is always looked for in a mapped class, and a
    missing one is an error.
    """
    names = {link.name for link in links}
    reason = items[0].certainty.reason if items else ""
    is_unsure = len(items) == 1 and (items[0].what is What.UNKNOWN or reason)
    # The names may be those of what such a builder adds.
    if not is_unsure or names & OTHER_ITEMS:
        return items
    # It may represent several items, of which only one has the columns.
    if isinstance(items[0].node, ast.Starred):
        return items
    options = [argument for link in links if link.name == "options" for argument in link.call.args]
    if not any(names_columns(reader, option) for option in options):
        return items
    node = items[0].node
    if reason:
        return (replace(items[0], certainty=items[0].certainty.because("")),)
    return (Item(node, What.ENTITY, owner=ast.unparse(node)),)


def read_by_rows(reader: Reader, items: tuple[Item, ...], node: ast.expr) -> tuple[Item, ...]:
    """Read ``query(*items)``, which ``node`` executes, by what is done with each of its rows.

    ``[list(row) for row in query(*columns).all()]``: of one class alone Query would give its
    objects, of which there is no list. Nothing tells what else may be asked for.
    """
    if len(items) != 1 or items[0].what is not What.UNKNOWN:
        return items
    starred = items[0].node
    if not isinstance(starred, ast.Starred) or not _are_rows(reader, node):
        return items
    doubt = "if one of these classes loads a collection by a join, the result needs `unique()`"
    item = Item(starred, What.EXPRESSION, hashable=None, mixed=True)
    return (replace(item, certainty=item.certainty.because(doubt)),)


def _are_rows(reader: Reader, node: ast.expr) -> bool:
    """Whether each object of ``node`` is made a list, or unpacked: objects of a class cannot be."""
    match reader.module.parent(node):
        case ast.comprehension(iter=iterated, target=ast.Tuple() | ast.List()):
            return iterated is node
        case ast.For(iter=iterated, target=ast.Tuple() | ast.List()):
            return iterated is node
        case ast.comprehension(iter=iterated, target=ast.Name(id=name), ifs=[]) as clause:
            above = reader.module.parent(clause)
            element = getattr(above, "elt", None)
            is_alone = len(getattr(above, "generators", ())) == 1
            return iterated is node and is_alone and _makes_list(reader, element, name)
    return False


def _makes_list(reader: Reader, element: ast.expr | None, name: str) -> bool:
    match element:
        case ast.Call(args=[ast.Name(id=given)], keywords=[]):
            called = reader.module.scopes.builtin_called(element)
            return given == name and called in {"list", "tuple"}
    return False


def names_columns(reader: Reader, option: ast.expr) -> bool:
    """Whether ``option`` names columns by strings, and is alone: ``load_only("id", "name")``.

    SQLAlchemy 2.0 takes attributes instead.
    """
    if not isinstance(option, ast.Call) or option.keywords or not option.args:
        return False
    return reader.library_name(option.func) in _OF_COLUMNS and all(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()
        for node in option.args
    )


def _is_compared(text: str, criteria: Sequence[ast.expr]) -> bool:
    """Whether ``text`` itself is compared with an operator, or has a method of one called."""
    for node in (part for criterion in criteria for part in ast.walk(criterion)):
        match node:
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()]):
                if text in {ast.unparse(left), ast.unparse(node.comparators[0])}:
                    return True
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                if name in _ONLY_OF_COLUMNS and ast.unparse(value) == text:
                    return True
    return False


def _is_used_as_class(text: str, criteria: Sequence[ast.expr]) -> bool:
    """Whether an attribute of ``text`` is compared, or asked by an operator, in ``criteria``."""
    compared = {
        node.attr
        for criterion in criteria
        for node in _compared_attributes(criterion)
        if ast.unparse(node.value) == text
    }
    # `v.c.id` would be a column of a Table or subquery.
    return bool(compared) and compared.isdisjoint(_COLUMN_OPERATORS | {"c", "columns"})


def _has_columns(text: str, criteria: Sequence[ast.expr]) -> bool:
    """Whether ``criteria`` read attributes of ``text`` that only a mapped class can have.

    ``query(v).order_by(v.id)``: of all that a query takes, columns have their operators, which
    are called, and attributes about themselves.
    """
    nodes = [node for criterion in criteria for node in ast.walk(criterion)]
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    read = [n for n in nodes if isinstance(n, ast.Attribute) and ast.unparse(n.value) == text]
    names = {node.attr for node in read}
    return bool(names) and called.isdisjoint(read) and names.isdisjoint(_ATTRIBUTES_OF_COLUMNS)


def _compared_attributes(criterion: ast.expr) -> Iterator[ast.Attribute]:
    """Yield the attributes on the left of comparisons, and those whose operator is called."""
    for node in ast.walk(criterion):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            yield node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            column = node.func.value
            if node.func.attr in _COLUMN_OPERATORS and isinstance(column, ast.Attribute):
                yield column
