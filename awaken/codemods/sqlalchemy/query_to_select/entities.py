"""Classifies what a query asks for: mapped classes, columns, expressions, or something unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.project.bindings import Binding
from awaken.project.classes import ClassFacts, Definition

_DEPTH = 4
_AGGREGATES = frozenset(
    [
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "array_agg",
        "string_agg",
        "group_concat",
        "aggregate_strings",
        "bool_or",
        "bool_and",
        "every",
        "stddev",
        "variance",
        "json_agg",
        "jsonb_agg",
    ]
)
_GENERIC_FUNCTIONS = frozenset({"count", "max", "min", "sum", "coalesce", "concat", "now"})
"""Of ``sqlalchemy.sql.functions``, which some import in place of ``func``."""
_UNHASHABLE_FUNCTIONS = frozenset({"array_agg", "json_agg", "jsonb_agg"})
_UNHASHABLE_TYPES = ("JSON", "ARRAY", "HSTORE")
_SQL_FUNCTIONS = frozenset(
    [
        "literal",
        "literal_column",
        "text",
        "case",
        "cast",
        "type_coerce",
        "extract",
        "distinct",
        "null",
        "true",
        "false",
        "and_",
        "or_",
        "not_",
        "desc",
        "asc",
        "nulls_first",
        "nulls_last",
        "nullsfirst",
        "nullslast",
        "over",
        "within_group",
        "tuple_",
        "try_cast",
        "collate",
        "column",
        "between",
        "bindparam",
    ]
)
_CORE_FUNCTIONS = frozenset({"literal", "literal_column", "text", "null", "true", "false"})
_SELECTABLE_CALLS = frozenset({"subquery", "cte", "alias", "lateral", "tablesample"})
_SCALAR_CALLS = frozenset({"scalar_subquery", "as_scalar"})
_COLUMN_OPERATORS = frozenset(
    [
        "in_",
        "notin_",
        "not_in",
        "is_",
        "isnot",
        "is_not",
        "like",
        "ilike",
        "contains",
        "startswith",
        "endswith",
        "between",
        "desc",
        "asc",
        "label",
        "op",
        "any_",
        "all_",
    ]
)


class What(Enum):
    """The kinds of one item of a query."""

    ENTITY = auto()
    COLUMN = auto()
    EXPRESSION = auto()
    SELECTABLE = auto()
    """A Table or a subquery: all of its columns."""
    UNKNOWN = auto()


class Kind(Enum):
    """The kinds of a query: they decide how it is executed and what comes back."""

    ENTITY = auto()
    ROWS_WITH_ENTITY = auto()
    ROWS = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a query.

    ``model`` is the qualified name of the mapped class that it is, or whose column it is; ``owner``
    the source text of that class or alias. ``key`` is its name in a row, None without a label.
    ``orm`` says that the item makes the statement an ORM statement; ``one_row`` that it alone
    gives exactly one row (aggregates, literals); ``hashable`` is None where the type is unknown,
    ``mixed`` that columns of several classes are in it, ``assumed`` that a library's class is
    taken for a mapped one by the spelling of its name. A ``weak`` entity is some class: if a query
    takes it, it is mapped, but what its attributes are is not known.
    """

    node: ast.expr
    what: What
    model: str | None = None
    owner: str | None = None
    key: str | None = None
    orm: bool = True
    aliased: bool = False
    aggregate: bool = False
    constant: bool = False
    hashable: bool | None = True
    assumed: bool = False
    weak: bool = False
    mixed: bool = False


def kind_of(items: Sequence[Item]) -> Kind:
    """Return the kind of a query for ``items``."""
    if any(item.what is What.UNKNOWN for item in items):
        return Kind.UNKNOWN
    entities = [item for item in items if item.what is What.ENTITY]
    if len(items) == 1 and entities:
        return Kind.ENTITY
    return Kind.ROWS_WITH_ENTITY if entities else Kind.ROWS


def classify_all(reader: Reader, nodes: Iterable[ast.expr]) -> tuple[Item, ...]:
    """Classify the arguments of ``query(...)``; a literal ``*[a, b]`` counts as its elements."""
    found: list[Item] = []
    for node in nodes:
        if not isinstance(node, ast.Starred):
            found.append(classify(reader, node))
            continue
        elements = _starred_elements(reader, node.value)
        if elements is None:
            found.append(Item(node, What.UNKNOWN))
        else:
            found.extend(classify(reader, element) for element in elements)
    return tuple(found)


def _starred_elements(reader: Reader, node: ast.expr) -> list[ast.expr] | None:
    if isinstance(node, ast.Name):
        value = reader.only_value(node)
        if value is None or _is_changed(reader, node):
            return None
        node = value
    if isinstance(node, ast.List | ast.Tuple):
        if any(isinstance(element, ast.Starred) for element in node.elts):
            return None
        return node.elts
    return None


def _is_changed(reader: Reader, name: ast.Name) -> bool:
    """Whether a method of the list ``name`` is called anywhere, ``append`` for example."""
    scope = reader.module.enclosing_function(name) or reader.module.tree
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name.id
        for node in reader.module.walk(scope)
    )


def classify(reader: Reader, node: ast.expr, depth: int = _DEPTH) -> Item:
    """Classify one item; ``depth`` limits how many variables are followed."""
    entity = entity_of(reader, node, depth)
    if entity is not None:
        return entity
    match node:
        case ast.Attribute():
            return _classify_attribute(reader, node, depth)
        case ast.Call():
            return _classify_call(reader, node, depth)
        case ast.Name():
            return _classify_name(reader, node, depth)
        case ast.BinOp(left=left, right=right):
            return _combined(reader, node, (left, right), depth)
        case ast.Compare(left=left, comparators=others):
            return _combined(reader, node, (left, *others), depth)
        case ast.UnaryOp(operand=operand):
            return _combined(reader, node, (operand,), depth)
        case ast.Subscript(value=value):
            return _classify_subscript(reader, node, value, depth)
        case _:
            return Item(node, What.UNKNOWN)


# ------------------------------------------------------------------------------------ entities
def entity_of(reader: Reader, node: ast.expr, depth: int = _DEPTH) -> Item | None:
    """Return the item for ``node`` if it is a mapped class or an alias of one, else None."""
    qualified = reader.qualified(node)
    if qualified is not None and reader.project.mapped_class(qualified) is not None:
        return Item(node, What.ENTITY, model=qualified, owner=ast.unparse(node))
    facts = reader.project.class_facts(qualified) if qualified is not None else None
    if facts is not None:
        weak = not _declares_table(reader, facts)
        return Item(node, What.ENTITY, owner=ast.unparse(node), weak=weak)
    if depth == 0:
        return None
    match node:
        case ast.Call():
            return _entity_of_call(reader, node, depth)
        case ast.Name():
            return _entity_of_name(reader, node, depth)
        case ast.Attribute(value=ast.Name(id="self"), attr="__class__"):
            return _entity_of_class(reader, node)
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return _entity_of_class_attribute(reader, node, depth)
        case _:
            return None


def _entity_of_call(reader: Reader, node: ast.Call, depth: int) -> Item | None:
    name = reader.library_name(node.func)
    if name in {"aliased", "with_polymorphic"} and node.args:
        inner = entity_of(reader, node.args[0], depth - 1)
        owner = ast.unparse(node)
        model = inner.model if inner else None
        return Item(node, What.ENTITY, model=model, owner=owner, aliased=True)
    if name == "Bundle" and _is_true(node, "single_entity"):
        return Item(node, What.ENTITY, aliased=True)
    if not isinstance(node.func, ast.Name) or node.func.id != "type" or len(node.args) != 1:
        return None
    if ast.unparse(node.args[0]) == "self":
        return _entity_of_class(reader, node)
    return Item(node, What.ENTITY, owner=ast.unparse(node))


def _is_true(call: ast.Call, keyword: str) -> bool:
    return any(
        argument.arg == keyword
        and isinstance(argument.value, ast.Constant)
        and argument.value.value is True
        for argument in call.keywords
    )


def _entity_of_class(reader: Reader, node: ast.expr) -> Item | None:
    """Return the item for the class whose body holds ``node``: only a mapped one can be asked."""
    around = reader.module.enclosing_class(node)
    if around is None:
        return None
    qualified = f"{reader.module.name}.{reader.module.qualname(around)}"
    known = reader.project.mapped_class(qualified) is not None
    model = qualified if known else None
    return Item(node, What.ENTITY, model=model, owner=ast.unparse(node), weak=not known)


def _declares_table(reader: Reader, facts: ClassFacts) -> bool:
    """Whether a class names its table, as only mapped ones do, whatever it inherits."""
    module = reader.project.module(facts.path)
    if module is None:
        return False
    node = next(
        one
        for one in module.walk()
        if isinstance(one, ast.ClassDef) and module.span(one) == facts.span
    )
    return any(
        isinstance(target, ast.Name) and target.id in {"__tablename__", "__table__"}
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


def _entity_of_name(reader: Reader, node: ast.Name, depth: int) -> Item | None:
    bindings = reader.bindings(node)
    found = [_entity_of_binding(reader, node, binding, depth) for binding in bindings]
    if not found or any(item is None for item in found):
        return None
    items = [item for item in found if item is not None]
    models = {item.model for item in items}
    return replace(
        items[0],
        node=node,
        model=models.pop() if len(models) == 1 else None,
        owner=node.id,
        aliased=any(item.aliased for item in items),
        weak=any(item.weak for item in items),
    )


def _entity_of_binding(reader: Reader, node: ast.Name, binding: Binding, depth: int) -> Item | None:
    match binding.kind:
        case "parameter":
            return _entity_of_parameter(reader, node, binding.node)
        case "class":
            return Item(node, What.ENTITY, owner=node.id, weak=True)
        case "assignment" | "walrus" if binding.value is not None:
            return _entity_of_value(reader, binding.value, depth - 1)
        case "for":
            return _entity_of_loop(reader, node, binding.node, depth)
        case _:
            return None


def _entity_of_value(reader: Reader, value: ast.expr, depth: int) -> Item | None:
    if isinstance(value, ast.IfExp):
        first = entity_of(reader, value.body, depth)
        other = entity_of(reader, value.orelse, depth)
        if first is None or other is None:
            return None
        return first if first.model == other.model else replace(first, model=None)
    return entity_of(reader, value, depth)


def _entity_of_loop(reader: Reader, node: ast.Name, bound: ast.AST, depth: int) -> Item | None:
    """``for model in (User, Post)``, or ``for name, model in [("u", User), ("p", Post)]``."""
    elements = [_loop_element(one, bound, reader) for one in _iterated(reader, bound)]
    found = [entity_of(reader, one, depth - 1) if one is not None else None for one in elements]
    entities = [item for item in found if item is not None]
    if not entities or len(entities) < len(found):
        return None
    models = {item.model for item in entities}
    return Item(
        node,
        What.ENTITY,
        model=models.pop() if len(models) == 1 else None,
        owner=node.id,
        aliased=any(item.aliased for item in entities),
        weak=any(item.weak for item in entities),
    )


def _iterated(reader: Reader, bound: ast.AST) -> list[ast.expr]:
    """Return the elements of the literal that the loop around the target ``bound`` goes over."""
    for above in reader.module.ancestors(bound):
        if isinstance(above, ast.For | ast.comprehension):
            values = above.iter
            return values.elts if isinstance(values, ast.Tuple | ast.List) else []
    return []


def _loop_element(element: ast.expr, bound: ast.AST, reader: Reader) -> ast.expr | None:
    """Return the part of one element that ``bound`` receives."""
    target = reader.module.parent(bound)
    if not isinstance(target, ast.Tuple):
        return element
    if not isinstance(element, ast.Tuple | ast.List) or len(element.elts) != len(target.elts):
        return None
    return next(
        (part for name, part in zip(target.elts, element.elts, strict=True) if name is bound), None
    )


def _entity_of_parameter(reader: Reader, node: ast.Name, bound: ast.AST) -> Item | None:
    if not isinstance(bound, ast.arg):
        return None
    function = reader.module.enclosing_function(bound)
    arguments = function.args if function else None
    decorated = getattr(function, "decorator_list", ())
    first = (*arguments.posonlyargs, *arguments.args)[:1] if arguments else ()
    is_class = any(isinstance(d, ast.Name) and d.id == "classmethod" for d in decorated)
    if is_class and first and first[0] is bound:
        return _entity_of_class(reader, node)
    return _entity_of_annotation(reader, node, bound.annotation)


def _entity_of_annotation(
    reader: Reader, node: ast.expr, annotation: ast.expr | None
) -> Item | None:
    """``type[User]``, ``Type[T]``: a class, and the only classes a query takes are mapped."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return None
    if not isinstance(annotation, ast.Subscript):
        return None
    if ast.unparse(annotation.value).rpartition(".")[2] not in {"type", "Type"}:
        return None
    # A subclass may be passed as well, so the model is unknown.
    qualified = reader.qualified(annotation.slice)
    status = reader.project.mapping_status(qualified) if qualified is not None else "unknown"
    weak = status not in {"mapped", "base"}
    return Item(node, What.ENTITY, owner=ast.unparse(node), weak=weak)


def _entity_of_class_attribute(reader: Reader, node: ast.Attribute, depth: int) -> Item | None:
    """``self.model`` where the class says ``model = User`` or ``model: type[User]``."""
    around = reader.module.enclosing_class(node)
    if around is None:
        return None
    for statement in around.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == node.attr:
                entity = entity_of(reader, value, depth - 1)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=note) if name == node.attr:
                entity = _entity_of_annotation(reader, node, note)
            case _:
                continue
        # A subclass may replace the attribute: the kind is known, the model is not.
        return replace(entity, node=node, model=None, owner=ast.unparse(node)) if entity else None
    return None


# ------------------------------------------------------------------------- columns, expressions
def _classify_attribute(reader: Reader, node: ast.Attribute, depth: int) -> Item:
    owner = entity_of(reader, node.value, depth)
    if owner is not None:
        return Item(node, What.UNKNOWN) if owner.weak else column_of(reader, owner, node)
    if isinstance(node.value, ast.Attribute) and _is_column_collection(node.value):
        table = classify(reader, node.value.value, depth - 1) if depth else None
        is_orm = table is not None and table.what is What.SELECTABLE and table.orm
        text = ast.unparse(node.value)
        return Item(node, What.COLUMN, owner=text, key=node.attr, hashable=None, orm=is_orm)
    if isinstance(node.value, ast.Name) and _imported(reader, node.value).assumed:
        text = node.value.id
        return Item(node, What.COLUMN, owner=text, key=node.attr, hashable=None, assumed=True)
    return _imported(reader, node)


def column_of(reader: Reader, owner: Item, node: ast.Attribute) -> Item:
    """Return the item for an attribute of a mapped class or alias."""
    if node.attr == "__table__":
        return Item(node, What.SELECTABLE, owner=f"{owner.owner}.__table__", orm=False)
    mapped = reader.project.mapped_class(owner.model) if owner.model else None
    kind = mapped.attribute_kind(node.attr) if mapped else None
    column = mapped.columns.get(node.attr) if mapped else None
    hashable: bool | None = None
    if column is not None and column.type is not None:
        hashable = not any(name in column.type.upper() for name in _UNHASHABLE_TYPES)
    key = None if kind == "relationship" else node.attr
    return Item(node, What.COLUMN, model=owner.model, owner=owner.owner, key=key, hashable=hashable)


def _is_column_collection(node: ast.expr) -> bool:
    """``sub.c`` and ``table.columns``."""
    return isinstance(node, ast.Attribute) and node.attr in {"c", "columns"}


def _classify_subscript(reader: Reader, node: ast.expr, value: ast.expr, depth: int) -> Item:
    """``table.c["id"]`` is a column, ``Model.data["key"]`` an expression."""
    if _is_column_collection(value):
        return Item(node, What.COLUMN, owner=ast.unparse(value), hashable=None)
    inner = classify(reader, value, depth)
    if inner.what in {What.COLUMN, What.EXPRESSION}:
        return replace(inner, node=node, what=What.EXPRESSION, key=None, hashable=None)
    return Item(node, What.UNKNOWN)


def _classify_call(reader: Reader, node: ast.Call, depth: int) -> Item:
    name = reader.function_name(node.func)
    if name is not None:
        return _sql_function(reader, node, name, depth)
    name = reader.library_name(node.func)
    if name in _GENERIC_FUNCTIONS:
        return _sql_function(reader, node, name, depth)
    if name == "Table":
        return Item(node, What.SELECTABLE, orm=False, hashable=None)
    if name == "exists":
        return Item(node, What.EXPRESSION, orm=bool(node.args), constant=True)
    if name == "Bundle":
        return Item(node, What.EXPRESSION, key="", hashable=None)
    if name in {"select", "union", "union_all", "intersect", "except_"}:
        return Item(node, What.SELECTABLE, hashable=None)
    if name in _SQL_FUNCTIONS:
        return _library_expression(reader, node, name, depth)
    if isinstance(node.func, ast.Attribute):
        return _classify_method(reader, node, node.func, depth)
    return Item(node, What.UNKNOWN)


def _sql_function(reader: Reader, node: ast.Call, name: str, depth: int) -> Item:
    inner = _inner(reader, (*node.args, *(k.value for k in node.keywords)), depth)
    owner, mixed = _owner_of(inner)
    return Item(
        node,
        What.EXPRESSION,
        model=owner.model if owner else None,
        owner=owner.owner if owner else None,
        mixed=mixed,
        orm=any(item.orm for item in inner),
        aggregate=name.lower() in _AGGREGATES,
        constant=False,
        hashable=None if name.lower() in _UNHASHABLE_FUNCTIONS or "json" in name.lower() else True,
    )


def _inner(reader: Reader, nodes: Iterable[ast.expr], depth: int) -> list[Item]:
    """Classify arguments of an expression: what is unknown there is a value, not an item."""
    if depth == 0:
        return []
    found = (classify(reader, node, depth - 1) for node in nodes)
    return [item for item in found if item.what is not What.UNKNOWN]


def _library_expression(reader: Reader, node: ast.Call, name: str, depth: int) -> Item:
    inner = _inner(reader, _flattened((*node.args, *(k.value for k in node.keywords))), depth)
    owner, mixed = _owner_of(inner)
    typed = ast.unparse(node).upper()
    unhashable = name in {"cast", "type_coerce", "try_cast"} and any(
        type_name in typed for type_name in _UNHASHABLE_TYPES
    )
    return Item(
        node,
        What.SELECTABLE if name == "text" else What.EXPRESSION,
        model=owner.model if owner else None,
        owner=owner.owner if owner else None,
        mixed=mixed,
        orm=name not in _CORE_FUNCTIONS and any(item.orm for item in inner),
        constant=name in {"literal", "null", "true", "false"},
        hashable=not unhashable,
    )


def _owner_of(inner: Sequence[Item]) -> tuple[Item | None, bool]:
    """Return the first item that belongs to a class, and whether others belong to other ones."""
    owned = [item for item in inner if item.owner]
    mixed = len({item.owner for item in owned}) > 1 or any(item.mixed for item in owned)
    return (owned[0] if owned else None), mixed


def _flattened(nodes: Iterable[ast.expr]) -> list[ast.expr]:
    """Take the elements of tuples as well: ``case((User.age > 3, 1))``."""
    found: list[ast.expr] = []
    for node in nodes:
        found.extend(node.elts if isinstance(node, ast.Tuple | ast.List) else (node,))
    return found


def _classify_method(reader: Reader, node: ast.Call, method: ast.Attribute, depth: int) -> Item:
    if method.attr in _SELECTABLE_CALLS:
        return Item(node, What.SELECTABLE, hashable=None)
    if method.attr in _SCALAR_CALLS:
        return Item(node, What.EXPRESSION, hashable=None)
    if method.attr == "exists" and not node.args:
        return Item(node, What.EXPRESSION, constant=True)
    if method.attr == "label" and node.args:
        return _labelled(reader, node, method, depth)
    inner = classify(reader, method.value, depth)
    if inner.what is What.ENTITY or inner.what is What.SELECTABLE or inner.what is What.UNKNOWN:
        return Item(node, What.UNKNOWN)
    grouped = inner.aggregate and method.attr != "over"
    return replace(
        inner, node=node, what=What.EXPRESSION, key=None, aggregate=grouped, hashable=inner.hashable
    )


def _labelled(reader: Reader, node: ast.Call, method: ast.Attribute, depth: int) -> Item:
    name = node.args[0]
    key = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    inner = classify(reader, method.value, depth)
    if inner.what is What.ENTITY or inner.what is What.UNKNOWN:
        # Only columns, expressions and queries have ``label``, whatever this one is.
        return Item(node, What.EXPRESSION, key=key, hashable=None)
    return replace(inner, node=node, what=What.EXPRESSION, key=key)


def _classify_name(reader: Reader, node: ast.Name, depth: int) -> Item:
    if depth == 0:
        return Item(node, What.UNKNOWN)
    bindings = reader.bindings(node)
    values = [binding.value for binding in bindings if binding.kind == "assignment"]
    found = [classify(reader, value, depth - 1) for value in values if value is not None]
    if not bindings or len(found) != len(bindings):
        return _imported(reader, node)
    if len({item.what for item in found}) != 1 or found[0].what is What.UNKNOWN:
        return Item(node, What.UNKNOWN)
    first = found[0]
    owner = node.id if first.what is What.SELECTABLE else first.owner
    if len(found) > 1:
        return Item(node, first.what, owner=owner, key="", hashable=None)
    return replace(first, node=node, owner=owner)


def _imported(reader: Reader, node: ast.expr) -> Item:
    """Read an imported name: a Table of the project, or a class of a library by its spelling."""
    qualified = reader.qualified(node)
    if qualified is None:
        return Item(node, What.UNKNOWN)
    definition = reader.project.definition(qualified)
    if definition is not None:
        return _defined(reader, node, definition)
    name = qualified.rpartition(".")[2]
    if "." in qualified and name[:1].isupper() and not name.isupper() and "_" not in name:
        return Item(node, What.ENTITY, owner=ast.unparse(node), assumed=True)
    return Item(node, What.UNKNOWN)


def _defined(reader: Reader, node: ast.expr, definition: Definition) -> Item:
    module = reader.project.module(definition.path)
    name = definition.name.rpartition(".")[2]
    bindings = module.scopes.module.bindings.get(name, []) if module is not None else []
    value = bindings[0].value if len(bindings) == 1 else None
    if module is None or not isinstance(value, ast.Call):
        return Item(node, What.UNKNOWN)
    there = Reader(reader.project, module)
    if there.library_name(value.func) != "Table":
        return Item(node, What.UNKNOWN)
    return Item(node, What.SELECTABLE, owner=ast.unparse(node), orm=False, hashable=None)


def _combined(reader: Reader, node: ast.expr, parts: Sequence[ast.expr], depth: int) -> Item:
    inner = [
        item for item in _inner(reader, parts, depth) if item.what in {What.COLUMN, What.EXPRESSION}
    ]
    if not inner:
        return Item(node, What.UNKNOWN)
    owner, mixed = _owner_of(inner)
    return Item(
        node,
        What.EXPRESSION,
        model=owner.model if owner else None,
        owner=owner.owner if owner else None,
        mixed=mixed,
        orm=any(item.orm for item in inner),
        aggregate=any(item.aggregate for item in inner),
        hashable=None if any(item.hashable is None for item in inner) else True,
    )


# --------------------------------------------------------------------------------------- by use
def read_by_use(item: Item, criteria: Sequence[ast.expr]) -> Item:
    """Read an unknown item by its use in ``criteria``: only a class has attributes as columns.

    ``query(v).filter(v.id == 1)`` or ``query(v.name).filter(v.id == 1)``: tables and subqueries
    would need ``v.c``, and columns have no attributes but their operators.
    """
    node = item.node
    if item.what is not What.UNKNOWN and not item.assumed:
        return item
    if _is_used_as_class(ast.unparse(node), criteria):
        return Item(node, What.ENTITY, owner=ast.unparse(node))
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return item
    owner = node.value.id
    if owner not in {"self", "cls"} and _is_used_as_class(owner, criteria):
        return Item(node, What.COLUMN, owner=owner, key=node.attr, hashable=None)
    return item


def _is_used_as_class(text: str, criteria: Sequence[ast.expr]) -> bool:
    """Whether an attribute of ``text`` is compared, or asked by an operator, in ``criteria``."""
    compared = {
        node.attr
        for criterion in criteria
        for node in _compared(criterion)
        if ast.unparse(node.value) == text
    }
    return bool(compared) and compared.isdisjoint(_COLUMN_OPERATORS | {"c", "columns"})


def _compared(criterion: ast.expr) -> Iterator[ast.Attribute]:
    """Yield the attributes on the left of comparisons, and those whose operator is called."""
    for node in ast.walk(criterion):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            yield node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            column = node.func.value
            if node.func.attr in _COLUMN_OPERATORS and isinstance(column, ast.Attribute):
                yield column


def refuse_unknown(items: Sequence[Item]) -> None:
    """Raise Refused if the kind of one of ``items`` is unknown."""
    for item in items:
        if item.what is What.UNKNOWN:
            raise Refused(reasons.UNKNOWN_ENTITY, ast.unparse(item.node))
