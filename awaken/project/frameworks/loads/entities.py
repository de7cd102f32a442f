"""The items that a query asks for: mapped classes, columns, expressions, or something unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.embedded import exists_in, is_orm
from awaken.project.frameworks.loads.mapped_classes import (
    entity_of,
    entity_of_attribute,
    is_mapped,
    may_be_other_below,
)
from awaken.project.frameworks.loads.module_reader import ModuleReader, OrmProgram
from awaken.project.frameworks.loads.query_items import ASSUMED, WEAK, Item, What, least
from awaken.project.frameworks.loads.starred import elements_of, is_only_read
from awaken.project.frameworks.sqlalchemy.mapped_attributes import INSTRUMENTED
from awaken.project.frameworks.sqlalchemy.mapping import ColumnFacts
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.memo import recursive
from awaken.project.source.programs.undefined import is_undefined
from awaken.project.source.trees import arguments_of, is_none
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import ClassOf, Value

_WITH_HASH = {"bool", "bytes", "date", "datetime", "Decimal", "float", "int", "str", "time"}
_WITH_HASH |= {"timedelta", "UUID"}
"""Classes of which every value has a hash."""
_UNHASHABLE_TYPES = ("JSON", "ARRAY", "HSTORE")


def classify_all(reader: ModuleReader, nodes: Iterable[ast.expr]) -> tuple[Item, ...]:
    """Classify the arguments of ``query(...)``; a literal ``*[a, b]`` counts as its elements."""
    items: list[Item] = []
    nodes = list(nodes)
    for node in nodes:
        if not isinstance(node, ast.Starred):
            items.append(classify(reader, node))
            continue
        elements = literal_elements(reader, node.value)
        if elements is None:
            items.extend(_columns_of_list(reader, node, alone=len(nodes) == 1))
        else:
            items.extend(classify(reader, element) for element in elements)
    return tuple(_read_by_value(reader, item) for item in items)


def _columns_of_list(reader: ModuleReader, node: ast.Starred, *, alone: bool) -> list[Item]:
    """Return items for the columns of ``*columns``; an unknown one if not all are visible.

    Each may be missing, and all if ``alone`` is not set; those that may come several times are
    there twice.
    """
    elements = elements_of(reader, node.value)
    result = [classify(candidate.reader, candidate.node) for candidate in elements]
    known = all(item.what in {What.COLUMN, What.EXPRESSION} for item in result)
    if not result or not known or any(item.certainty.is_weak for item in result):
        return [Item(node, What.UNKNOWN)]
    are_orm = alone and all(item.orm for item in result)
    items: list[Item] = []
    for element, item in zip(elements, result, strict=True):
        entry = replace(
            item,
            node=node,
            what=What.EXPRESSION,
            owner=None,
            orm=are_orm,
            mixed=True,
            constant=False,
        )
        items += [entry, entry] if element.repeated else [entry]
    return items


def literal_elements(reader: ModuleReader, node: ast.expr) -> list[ast.expr] | None:
    """Return the elements of a visible list or tuple, which has exactly these; else None."""
    if isinstance(node, ast.Name):
        value = reader.only_value(node)
        if value is None or _is_changed(reader, node):
            return None
        # Lists at the top of a file count as constants; those of functions are often built up.
        is_local = reader.module.enclosing_function(value) is not None
        if is_local and isinstance(value, ast.List) and not is_only_read(reader, node):
            return None
        node = value
    if isinstance(node, ast.List | ast.Tuple):
        if any(isinstance(element, ast.Starred) for element in node.elts):
            return None
        return node.elts
    return None


def _is_changed(reader: ModuleReader, name: ast.Name) -> bool:
    """Whether a method of the list ``name`` is called anywhere, ``append`` for example."""
    scope = reader.module.enclosing_function(name) or reader.module.tree
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name.id
        for node in reader.module.walk(scope)
    )


@recursive(lambda _, node: Item(node, What.UNKNOWN, orm=False, mixed=True))
def classify(reader: ModuleReader, node: ast.expr) -> Item:
    """Classify one item."""
    whole = entity_of(reader, node) or _existence(reader, node)
    if whole is not None:
        return whole
    match node:
        case ast.Attribute():
            return _classify_attribute(reader, node)
        case ast.Call():
            return _classify_call(reader, node)
        case ast.Name():
            return _classify_name(reader, node)
        case ast.BinOp() | ast.Compare() | ast.UnaryOp():
            parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
            return _combined(reader, node, parts)
        case ast.Subscript(value=value):
            return _classify_subscript(reader, node, value)
        case ast.Constant(value=None):
            return Item(node, What.EXPRESSION, orm=False, constant=True)  # NULL
        case _ if len(parts := branches(node)) > 1:
            return _any_of(node, [classify(reader, part) for part in parts])
    return Item(node, What.UNKNOWN)


def _existence(reader: ModuleReader, node: ast.expr) -> Item | None:
    exists = exists_in(reader, node)
    return None if exists is None else Item(node, What.EXPRESSION, orm=exists.orm, constant=True)


def _any_of(node: ast.expr, items: list[Item]) -> Item:
    """Return the item for a conditional expression of ``items``, of columns."""
    whats = {item.what for item in items}
    certainty = least([item.certainty for item in items])
    if not whats <= {What.COLUMN, What.EXPRESSION} or certainty.is_assumed:
        return Item(node, What.UNKNOWN)
    orms = [item.orm for item in items]
    key, *_ = keys = [item.key for item in items]
    hashable, *others = {item.hashable for item in items}
    return Item(
        node,
        What.EXPRESSION,
        key=None if None in keys else key,
        other_keys=frozenset().union(*(item.keys for item in items)) - {key},
        orm=all(orms) or (None if None in orms else False),
        mixed=True,
        aggregate=all(item.aggregate for item in items),
        hashable=None if others else hashable,
    )


# ------------------------------------------------------------------------- columns, expressions
def _classify_attribute(reader: ModuleReader, node: ast.Attribute) -> Item:
    owner = entity_of(reader, node.value)
    if owner is not None:
        return (
            Item(node, What.UNKNOWN) if owner.certainty.is_weak else column_of(reader, owner, node)
        )
    if node.attr == "astext" and isinstance(node.value, ast.Subscript):
        # The text of `Model.data["key"]`, of JSON in PostgreSQL.
        inner = classify(reader, node.value)
        return replace(inner, node=node, hashable=True if inner.what is What.EXPRESSION else None)
    if isinstance(node.value, ast.Attribute) and _is_column_collection(node.value):
        table = classify(reader, node.value.value)
        of_orm = table.orm if table.what is What.SELECTABLE else False
        text = ast.unparse(node.value)
        return Item(node, What.COLUMN, owner=text, key=node.attr, hashable=None, orm=of_orm)
    if isinstance(node.value, ast.Name) and _imported_item(reader, node.value).certainty.is_assumed:
        # An attribute of what is taken for a mapped class is taken for a column.
        text = node.value.id
        return Item(node, What.COLUMN, owner=text, key=node.attr, hashable=None, certainty=ASSUMED)
    return _imported_item(reader, node)


def column_of(reader: ModuleReader, owner: Item, node: ast.Attribute) -> Item:
    """Return the item for an attribute of a mapped class or alias."""
    if node.attr == "__table__":
        return Item(node, What.SELECTABLE, owner=f"{owner.owner}.__table__", orm=False)
    mapped = reader.project.orm.mapped_class(owner.model) if owner.model else None
    kind = mapped.attribute_kind(node.attr) if mapped else None
    column = mapped.columns.get(node.attr) if mapped else None
    if _may_be_class(reader, owner, node.attr):
        return Item(node, What.UNKNOWN)
    hashable = None if column is None else _has_hash(reader, column)
    item = Item(
        node, What.COLUMN, model=owner.model, owner=owner.owner, key=node.attr, hashable=hashable
    )
    # A relationship is a condition, and has no name in the rows of a Query.
    is_condition = kind == "relationship"
    return replace(item, what=What.EXPRESSION, key=None) if is_condition else item


def _may_be_class(reader: ModuleReader, owner: Item, name: str) -> bool:
    """Whether an attribute of a mapped class may be a class itself: ``Label = make_label()``."""
    project = reader.project
    for model in sorted(owner.models or filter(None, [owner.model])):
        mapped = project.orm.mapped_class(model)
        if mapped is None or mapped.attribute_kind(name) not in {None, "opaque"}:
            continue
        for ancestor in project.orm.mapping_ancestors(model):
            if any(
                isinstance(value, ClassOf) for value in _values_in_body(project, ancestor, name)
            ):
                return True
    return False


def _values_in_body(project: OrmProgram, qualified: str, name: str) -> Iterator[Value]:
    """Yield what the body of a class gives to an attribute."""
    for module, node in filter(None, [project.class_definition(qualified)]):
        for binding in module.scopes.scope_made_by(node).bindings_of(name):
            if binding.value is not None:
                yield from project.values.of(module, binding.value).alternatives


def _has_hash(reader: ModuleReader, facts: ColumnFacts) -> bool | None:
    """Whether the values of a column have a hash; None where nothing says of what type they are."""
    columns = Worklist([facts])
    for column in columns:
        if column.type is not None:
            # Values of these types are lists or dictionaries.
            return not any(name in column.type.upper() for name in _UNHASHABLE_TYPES)
        if column.annotated in _WITH_HASH:
            return True
        # A foreign key without a type has that of the column that it refers to.
        referred = reader.project.orm.referred_column(column.foreign_key or "")
        columns += [] if referred is None else [referred]
    return None


def _is_column_collection(node: ast.expr) -> bool:
    """``sub.c`` and ``table.columns``."""
    return isinstance(node, ast.Attribute) and node.attr in {"c", "columns"}


def _classify_subscript(reader: ModuleReader, node: ast.expr, value: ast.expr) -> Item:
    """``table.c["id"]`` is a column, ``Model.data["key"]`` an expression."""
    if _is_column_collection(value):
        return Item(node, What.COLUMN, owner=ast.unparse(value), hashable=None)
    inner = classify(reader, value)
    if inner.what in {What.COLUMN, What.EXPRESSION}:
        return replace(inner, node=node, what=What.EXPRESSION, key=None, hashable=None)
    return Item(node, What.UNKNOWN)


def _classify_call(reader: ModuleReader, node: ast.Call) -> Item:
    name = reader.function_name(node.func)
    if name is not None:
        return _sql_function(reader, node, name)
    name = reader.library_name(node.func)
    if name in sql_names().imported_functions:
        return _sql_function(reader, node, name)
    if name in sql_names().tables:
        return Item(node, What.SELECTABLE, orm=False, hashable=None)
    if name == "Bundle":
        return Item(node, What.EXPRESSION, key="", hashable=None)
    if name == "select" or name in sql_names().set_operations:
        return Item(node, What.SELECTABLE, hashable=None, orm=is_orm(reader, node))
    if name in sql_names().expressions:
        return _library_expression(reader, node, name)
    if isinstance(node.func, ast.Attribute):
        return _classify_method(reader, node, node.func)
    return Item(node, What.UNKNOWN)


def _sql_function(reader: ModuleReader, node: ast.Call, name: str) -> Item:
    return replace(
        _made_of(reader, node, _inner(reader, arguments_of(node))),
        aggregate=name.lower() in sql_names().aggregates and not _is_of_each_row(node, name),
        constant=False,
        hashable=None if name.lower() in sql_names().unhashable or "json" in name.lower() else True,
    )


def _made_of(reader: ModuleReader, node: ast.expr, parts: Sequence[Item]) -> Item:
    """Return an expression that is made of ``parts``: it is of the class that they are of."""
    owner, mixed = _owner_of(parts)
    return Item(
        node,
        What.EXPRESSION,
        model=owner.model if owner else None,
        owner=owner.owner if owner else None,
        mixed=mixed,
        orm=is_orm(reader, node),
    )


def _is_of_each_row(call: ast.Call, name: str) -> bool:
    """Whether it is ``max(a, b)`` or ``min(a, b)`` of SQLite, of several values of a row."""
    return name.lower() in {"max", "min"} and (
        len(call.args) > 1 or any(isinstance(argument, ast.Starred) for argument in call.args)
    )


def _inner(reader: ModuleReader, nodes: Iterable[ast.expr]) -> list[Item]:
    """Classify arguments of an expression: an unknown one is a value, not an item.

    A variable that is built on itself may be of any class, and is ``mixed``.
    """
    nodes = [node for node in nodes if not isinstance(node, ast.Constant)]
    items = (classify(reader, node) for node in nodes)
    return [item for item in items if item.what is not What.UNKNOWN or item.mixed]


def _library_expression(reader: ModuleReader, node: ast.Call, name: str) -> Item:
    unhashable = name in {"cast", "type_coerce", "try_cast"} and any(
        type_name in text.upper()
        for text in _type_texts(reader, node)
        for type_name in _UNHASHABLE_TYPES
    )
    return replace(
        _made_of(reader, node, _inner(reader, _flattened_nodes(arguments_of(node)))),
        what=What.SELECTABLE if name == "text" else What.EXPRESSION,
        constant=name in sql_names().constants,
        hashable=not unhashable,
    )


def _type_texts(reader: ModuleReader, call: ast.Call) -> Iterator[str]:
    """Yield texts that name the type which a call casts to, whatever its file calls it."""
    waiting = Worklist[ast.expr]([call])
    for expression in waiting:
        yield ast.unparse(expression)
        for node in ast.walk(expression):
            if isinstance(node, ast.Name):
                yield reader.qualified_name(node) or ""
                waiting += filter(None, [reader.only_value(node)])


def _owner_of(inner: Sequence[Item]) -> tuple[Item | None, bool]:
    """Return the first item that belongs to a class, and whether others belong to other ones."""
    owned = [item for item in inner if item.owner]
    mixed = len({item.owner for item in owned}) > 1 or any(item.mixed for item in inner)
    return (owned[0] if owned else None), mixed


def _flattened_nodes(nodes: Iterable[ast.expr]) -> list[ast.expr]:
    """Take the elements of tuples as well: ``case((User.age > 3, 1))``."""
    result: list[ast.expr] = []
    for node in nodes:
        result.extend(node.elts if isinstance(node, ast.Tuple | ast.List) else (node,))
    return result


def _classify_method(reader: ModuleReader, node: ast.Call, method: ast.Attribute) -> Item:
    if method.attr in sql_names().subqueries:
        return Item(node, What.SELECTABLE, hashable=None, orm=is_orm(reader, node))
    if method.attr in sql_names().scalar_subqueries:
        return Item(node, What.EXPRESSION, hashable=None, orm=is_orm(reader, node))
    if method.attr == "label" and node.args:
        return _labelled_item(reader, node, method)
    inner = classify(reader, method.value)
    if inner.what is What.ENTITY or inner.what is What.SELECTABLE or inner.what is What.UNKNOWN:
        return Item(node, What.UNKNOWN)
    # A window function has a value for each row.
    grouped = inner.aggregate and method.attr != "over"
    orm = is_orm(reader, node)
    return replace(inner, node=node, what=What.EXPRESSION, key=None, aggregate=grouped, orm=orm)


def _labelled_item(reader: ModuleReader, node: ast.Call, method: ast.Attribute) -> Item:
    name = node.args[0]
    key = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    inner = classify(reader, method.value)
    if is_none(name):
        return replace(inner, node=node, what=What.EXPRESSION, key=None)
    if inner.what is What.ENTITY or inner.what is What.UNKNOWN:
        # Only columns, expressions and queries have ``label``, whatever this one is.
        return Item(node, What.EXPRESSION, key=key, orm=inner.what is What.ENTITY, hashable=None)
    return replace(inner, node=node, what=What.EXPRESSION, key=key)


def _classify_name(reader: ModuleReader, node: ast.Name) -> Item:
    bindings = reader.bindings(node)
    values = [binding.value for binding in bindings if binding.kind == "assignment"]
    items = [classify(reader, value) for value in values if value is not None]
    if not bindings or len(items) != len(bindings):
        return _imported_item(reader, node)
    if len({item.what for item in items}) != 1 or items[0].what is What.UNKNOWN:
        return Item(node, What.UNKNOWN)
    first = items[0]
    # A subquery in a variable is named by that variable.
    owner = node.id if first.what is What.SELECTABLE else first.owner
    if len(items) > 1:
        # Its label depends on which assignment ran.
        return Item(node, first.what, owner=owner, key="", hashable=None)
    return replace(first, node=node, owner=owner)


def _imported_item(reader: ModuleReader, node: ast.expr) -> Item:
    """Read an imported name: a Table of the project, or a class of a library by its spelling."""
    qualified = reader.qualified_name(node)
    if qualified is None:
        return Item(node, What.UNKNOWN)
    if reader.project.definition(qualified) is not None:
        return _defined_item(reader, node, qualified)
    name = qualified.rpartition(".")[2]
    # Spelled like a class, not like a constant or a table.
    if "." in qualified and name[:1].isupper() and not name.isupper() and "_" not in name:
        return Item(node, What.ENTITY, owner=ast.unparse(node), certainty=ASSUMED)
    return Item(node, What.UNKNOWN)


def _defined_item(reader: ModuleReader, node: ast.expr, qualified: str) -> Item:
    module, value = reader.project.value_at(qualified) or (None, None)
    if module is None or not isinstance(value, ast.Call):
        return Item(node, What.UNKNOWN)
    there = ModuleReader(reader.project, module)
    if there.library_name(value.func) != "Table":
        return Item(node, What.UNKNOWN)
    return Item(node, What.SELECTABLE, owner=ast.unparse(node), orm=False, hashable=None)


def _combined(reader: ModuleReader, node: ast.expr, parts: Sequence[ast.expr]) -> Item:
    whats = {What.COLUMN, What.EXPRESSION, What.UNKNOWN}
    items = [item for item in _inner(reader, parts) if item.what in whats]
    inner = [item for item in items if item.what is not What.UNKNOWN]
    if not inner:
        return Item(node, What.UNKNOWN, mixed=_owner_of(items)[1])
    return replace(
        _made_of(reader, node, items),
        aggregate=any(item.aggregate for item in inner),
        hashable=None if any(item.hashable is None for item in inner) else True,
    )


def _read_by_value(reader: ModuleReader, item: Item) -> Item:
    """Return what an unknown item is if its value, or the owner of the attribute, is mapped.

    Which class it is, is left open: subclasses may replace attributes.
    """
    node = item.node
    if item.what is not What.UNKNOWN:
        return item
    # Nothing is selected where a name has no value: reading it raises NameError before.
    if _is_mapped_value(reader, node) or is_undefined(reader.project, reader.module, node):
        return Item(node, What.ENTITY, owner=ast.unparse(node))
    if isinstance(node, ast.Attribute) and _is_mapped_value(reader, node.value):
        owner = ast.unparse(node.value)
        return Item(node, What.COLUMN, owner=owner, key=node.attr, hashable=None)
    if reader.project.instance_of(reader.module, node) == (INSTRUMENTED,):
        return Item(node, What.EXPRESSION, key="", orm=True, mixed=True, hashable=None)
    return _noted_item(reader, node) or item


def _noted_item(reader: ModuleReader, node: ast.expr) -> Item | None:
    """``self.access.model`` where the class of ``access`` annotates it: ``model: type[Base]``.

    No class that inherits from that one may hold something else there.
    """
    value = reader.only_value(node) if isinstance(node, ast.Name) else node
    if not isinstance(value, ast.Attribute):
        return None
    project = reader.project
    owners = project.classes_of(reader.module, value.value)
    owners = owners or project.instance_of(reader.module, value.value)
    items = [entity_of_attribute(reader, value, owner) for owner in owners]
    if not items or any(item is None for item in items):
        return None
    return Item(node, What.ENTITY, owner=ast.unparse(node), certainty=WEAK)


def _is_mapped_value(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether the value of ``node`` is a mapped class, whatever gives it."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call) or may_be_other_below(
        reader, node
    ):
        return False
    classes = reader.project.classes_of(reader.module, node)
    return bool(classes) and all(is_mapped(reader, name) for name in classes)
