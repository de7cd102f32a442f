"""Which expressions are mapped classes or aliases of them: what gives objects back."""

from __future__ import annotations

import ast
from dataclasses import replace

from awaken.codemods.sqlalchemy.query_to_select.items import Item, What
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.project.bindings import Binding
from awaken.project.classes import ClassFacts

DEPTH = 4
"""How many variables are followed to find out what an expression is."""


def entity_of(reader: Reader, node: ast.expr, depth: int = DEPTH) -> Item | None:
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
