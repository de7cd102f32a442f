"""Mapped classes and aliases of them: the expressions that give objects back."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from awaken.knowledge import knowledge
from awaken.project.frameworks.loads.automapped import is_automapped
from awaken.project.frameworks.loads.dictionaries import dictionary_values, is_of_module
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.loads.query_items import CERTAIN, PRESUMED, WEAK, Item, What, least
from awaken.project.names.classes import ClassFacts
from awaken.project.names.visibility import is_public
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import branches, type_in
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.memo import cached_in_file, recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    has_decorator,
    is_constant,
    is_none,
    keyword_of,
    last_name,
    positional_parameters,
)
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import ModuleOf

_TABLES = frozenset({"__table__", "__tablename__"})
_COLUMNS = frozenset({"Column", "mapped_column"})
_DEEPEST = 5  # in superset, ckan, quetz and openoversight no class is more than 3 variables away


# Asked of each name of a file, of which each may lead to all others.
@recursive(deepest=_DEEPEST)
def entity_of(reader: ModuleReader, node: ast.expr) -> Item | None:
    """Return the item for ``node`` if it is a mapped class or an alias of one, else None."""
    qualified = reader.qualified_name(node)
    if qualified in knowledge().mapped_classes:
        automapped = is_automapped(reader, node)
        return Item(node, What.ENTITY, owner=ast.unparse(node), automapped=automapped)
    entity = None if qualified is None else _entity_named(reader, node, qualified)
    return entity or (_entity_of_expression(reader, node))


def _entity_named(reader: ModuleReader, node: ast.expr, qualified: str) -> Item | None:
    facts = reader.project.class_facts(qualified)
    if facts is not None and reader.project.orm.models.is_bound_again(qualified):
        return None
    if reader.project.orm.mapped_class(qualified) is not None:
        certainty = CERTAIN.because(_why_replaced(reader, node, qualified))
        owner = ast.unparse(node)
        return Item(node, What.ENTITY, model=qualified, owner=owner, certainty=certainty)
    return None if facts is None else _entity_of_facts(reader, node, facts)


def _why_replaced(reader: ModuleReader, node: ast.expr, qualified: str) -> str:
    """Return what may put something else in the place of a class, as a clause; empty if nothing."""
    module, computed = reader.module, reader.project.orm.computed_names
    # Other files replace it where it is defined.
    here = [f"{module.name}.{ast.unparse(node)}"] if computed.may_set_in(module.path) else []
    path, _ = next(computed.places_setting({qualified, *here}), ("", 0))
    return path and f"{path} may replace `{ast.unparse(node)}`: it computes the name that it sets"


def _entity_of_expression(reader: ModuleReader, node: ast.expr) -> Item | None:
    if is_automapped(reader, node):
        return Item(node, What.ENTITY, owner=ast.unparse(node), automapped=True)
    match node:
        case ast.Call():
            return _entity_of_call(reader, node)
        case ast.Name():
            return _entity_of_name(reader, node)
        case ast.Attribute(value=ast.Name(id="self"), attr="__class__"):
            return _entity_of_class(reader, node)
        case ast.Attribute(
            value=ast.Name(id="self" | "cls") | ast.Attribute(value=ast.Name(id="self" | "cls"))
        ):
            item = _entity_of_class_attribute(reader, node)
            is_inner = isinstance(node.value, ast.Attribute)
            return _entity_of_values(reader, node) if item is None and is_inner else item
        case ast.Subscript():
            return _entity_of_subscript(reader, node)
        case ast.Attribute() if reader.qualified_name(node) is None:
            return _entity_of_values(reader, node)
    return None


def _entity_of_values(reader: ModuleReader, node: ast.Attribute) -> Item | None:
    """Return the item for a class of a module that is a value, as in ``self.models.User``.

    A class of an object may be another one in a subclass of its class.
    """
    values, module = reader.project.values, reader.module
    owners = values.without_callers(module, node.value).alternatives
    if not owners or not all(isinstance(owner, ModuleOf) for owner in owners):
        return None
    classes = values.without_callers(module, node).classes
    if len(classes) != 1 or reader.project.orm.mapped_class(classes[0]) is None:
        return None
    return Item(node, What.ENTITY, model=classes[0], owner=ast.unparse(node))


def _entity_of_call(reader: ModuleReader, node: ast.Call) -> Item | None:
    name = reader.library_name(node.func)
    if name in {"aliased", "with_polymorphic"} and node.args:
        inner = entity_of(reader, node.args[0])
        owner = ast.unparse(node)
        model, automapped = (inner.model, inner.automapped) if inner else (None, False)
        # `with_polymorphic()` may be given another FROM.
        automapped = automapped and name == "aliased" and len(node.args) == 1 and not node.keywords
        return Item(
            node, What.ENTITY, model=model, owner=owner, aliased=True, automapped=automapped
        )
    # It comes back as one object, not as a row.
    if name == "Bundle" and is_constant(keyword_of(node, "single_entity"), value=True):
        return Item(node, What.ENTITY, aliased=True)
    if not isinstance(node.func, ast.Name) or node.func.id != "type" or len(node.args) != 1:
        return made_class(reader, node)
    if ast.unparse(node.args[0]) == "self":
        return _entity_of_class(reader, node)
    # ``type(x)`` in a query: whatever `x` is, its class must be mapped there.
    return Item(node, What.ENTITY, owner=ast.unparse(node), certainty=PRESUMED)


def _entity_of_class(reader: ModuleReader, node: ast.expr) -> Item | None:
    """Return the item for the class whose body holds ``node``: only a mapped one can be asked."""
    around = reader.module.enclosing_class(node)
    if around is None:
        return None
    qualified = reader.module.full_name(around)
    weak = Item(node, What.ENTITY, owner=ast.unparse(node), certainty=WEAK)
    return _entity_named(reader, node, qualified) or weak


def _entity_of_facts(reader: ModuleReader, node: ast.expr, facts: ClassFacts) -> Item:
    """Return the item for a class of the project that is not proven to be mapped."""
    certainty = WEAK
    if _declares_table(reader, facts):
        certainty = CERTAIN if _declares_columns(reader, facts) else PRESUMED
    owner, models = ast.unparse(node), frozenset([facts.qualified])
    return Item(node, What.ENTITY, owner=owner, certainty=certainty, models=models)


def _declares_table(reader: ModuleReader, facts: ClassFacts) -> bool:
    """Whether a class names its table, as only mapped ones do, whatever it inherits."""
    class_node = _class_node(reader, facts)
    return class_node is not None and any(
        isinstance(target, ast.Name) and target.id in {"__tablename__", "__table__"}
        for statement in class_node[1].body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


def is_mapped(reader: ModuleReader, qualified: str) -> bool:
    """Whether a class is known to be mapped, or shows it by its table and its columns."""
    if qualified in knowledge().mapped_classes:
        return True
    if reader.project.orm.models.status(qualified) == "mapped":
        return True
    facts = reader.project.class_facts(qualified)
    if facts is None:
        return False
    return _declares_table(reader, facts) and _declares_columns(reader, facts)


def _declares_columns(reader: ModuleReader, facts: ClassFacts) -> bool:
    """Whether a class with an external base has columns, as only a mapped one can."""
    class_node = _class_node(reader, facts)
    # If all bases are visible, none of them maps it.
    if class_node is None or reader.project.orm.models.status(facts.qualified) != "unknown":
        return False
    values = [getattr(statement, "value", None) for statement in class_node[1].body]
    calls = [value.func for value in values if isinstance(value, ast.Call)]
    return any(last_name(call) in _COLUMNS for call in calls)


def _class_node(
    reader: ModuleReader, facts: ClassFacts
) -> tuple[ModuleReader, ast.ClassDef] | None:
    """Return the tree of a class of the project, with its module."""
    module = reader.project.module(facts.path)
    node = None if module is None else module.class_at(facts.span)
    if module is None or node is None:
        return None
    return ModuleReader(reader.project, module), node


def _entity_of_name(reader: ModuleReader, node: ast.Name) -> Item | None:
    bindings = reader.bindings(node)
    items = [_entity_of_binding(reader, node, binding) for binding in bindings]
    return _item_of_all(node, items)


def _entity_of_binding(reader: ModuleReader, node: ast.Name, binding: Binding) -> Item | None:
    match binding.kind:
        case "parameter":
            noted = _entity_of_parameter(reader, node, binding.node)
            return noted or _entity_of_callers(reader, node, binding)
        case "class":
            return Item(node, What.ENTITY, owner=node.id, certainty=WEAK)
        case "assignment" | "walrus" if binding.value is not None:
            noted = _entity_of_annotation(reader, node, binding.annotation)
            return noted or _entity_of_value(reader, binding.value)
        case "for":
            return _entity_of_loop(reader, node, binding.node)
    return None


def _entity_of_value(reader: ModuleReader, value: ast.expr) -> Item | None:
    items = [entity_of(reader, branch) for branch in branches(value)]
    joined = _joined_item(value, items)
    # The branches may be one class, as with a default.
    is_one = len({item.model for item in items if item is not None}) == 1
    return items[0] if joined is not None and is_one else joined


def _entity_of_loop(reader: ModuleReader, node: ast.Name, bound: ast.AST) -> Item | None:
    """``for model in (User, Post)``, or ``for name, model in [("u", User), ("p", Post)]``."""
    elements = [_loop_element(part, bound, reader) for part in _iterated_elements(reader, bound)]
    items = [entity_of(reader, part) if part is not None else None for part in elements]
    return _item_of_all(node, items)


def _iterated_elements(reader: ModuleReader, bound: ast.AST) -> list[ast.expr]:
    """Return the elements of the literal that the loop around the target ``bound`` goes over."""
    for above in reader.module.ancestors(bound):
        if isinstance(above, ast.For | ast.comprehension):
            values: ast.expr | None = above.iter
            if isinstance(values, ast.Name):
                # A list that may have got more elements is no literal any more.
                values = None if _is_list_changed(reader, values) else reader.only_value(values)
            return values.elts if isinstance(values, ast.Tuple | ast.List) else []
    return []


def _is_list_changed(reader: ModuleReader, name: ast.Name) -> bool:
    """Whether the list in a variable of this function may get other elements, by any use of it."""
    function = reader.module.enclosing_function(name)
    bindings = reader.bindings(name)
    if function is None or any(item.scope is reader.module.scopes.module for item in bindings):
        return True
    return any(
        isinstance(node, ast.Name)
        and node.id == name.id
        and isinstance(node.ctx, ast.Load)
        and not isinstance(reader.module.parent(node), ast.For | ast.comprehension)
        for node in reader.module.walk(function)
    )


def _loop_element(element: ast.expr, bound: ast.AST, reader: ModuleReader) -> ast.expr | None:
    """Return the part of one element that ``bound`` receives."""
    target = reader.module.parent(bound)
    if not isinstance(target, ast.Tuple):
        return element
    if not isinstance(element, ast.Tuple | ast.List) or len(element.elts) != len(target.elts):
        return None
    return next(
        (part for name, part in zip(target.elts, element.elts, strict=True) if name is bound), None
    )


def _entity_of_parameter(reader: ModuleReader, node: ast.Name, bound: ast.AST) -> Item | None:
    if not isinstance(bound, ast.arg):
        return None
    function = reader.module.enclosing_function(bound)
    is_class = isinstance(function, Function) and has_decorator(function, "classmethod")
    if is_class and function and positional_parameters(function)[:1] == [bound]:
        return _entity_of_class(reader, node)
    return _entity_of_annotation(reader, node, bound.annotation)


def _entity_of_callers(reader: ModuleReader, node: ast.Name, binding: Binding) -> Item | None:
    """Return the item for a parameter that gets a class from every caller there is."""
    passed = reader.project.calls.passed_to(reader.module, binding)
    # One invisible caller may pass another class.
    if passed is None or passed.doubts or not passed.calls:
        return None
    items = [
        entity_of(ModuleReader(reader.project, given.module), given.node) for given in passed.given
    ]
    return _item_of_all(node, items)


def _entity_of_annotation(
    reader: ModuleReader, node: ast.expr, annotation: ast.expr | None
) -> Item | None:
    """``type[User]``, ``Type[T]``: a class, and the only classes a query takes are mapped."""
    # ``type[User] | None``: a query is not given None.
    annotation = type_in(reader.module, annotation)
    if not isinstance(annotation, ast.Subscript):
        return None
    name, inner = last_name(annotation.value), annotation.slice
    if name in {"ClassVar", "Final"}:
        return _entity_of_annotation(reader, node, inner)
    if name not in {"type", "Type"}:
        return None
    # A subclass may be passed as well, so the model is unknown.
    certainty = CERTAIN if _is_mapped_type(reader, inner) else WEAK
    return Item(node, What.ENTITY, owner=ast.unparse(node), certainty=certainty)


def _is_mapped_type(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether ``node`` is a mapped class, a base of such, or a type variable bound to one."""
    parsed = reader.module.parse_string(node) if isinstance(node, ast.Constant) else node
    if parsed is None:
        return False
    qualified = reader.qualified_name(parsed)
    if qualified is not None and reader.project.orm.models.status(qualified) in {
        "mapped",
        "base",
    }:
        return True
    if isinstance(parsed, ast.Name):
        # ``class Repository[Model: Base]``
        bounds = [getattr(binding.node, "bound", None) for binding in reader.bindings(parsed)]
        if len(bounds) == 1 and bounds[0] is not None:
            return _is_mapped_type(reader, bounds[0])
    pair = _definition_of(reader, qualified) if qualified is not None else None
    there, made = pair or (reader, parsed)
    if not isinstance(made, ast.Call):
        return False
    if (there.qualified_name(made.func) or "").rpartition(".")[2] != "TypeVar":
        return False
    bound = keyword_of(made, "bound")
    return bound is not None and _is_mapped_type(there, bound)


def _definition_of(reader: ModuleReader, qualified: str) -> tuple[ModuleReader, ast.expr] | None:
    """Return the one value of a module's variable, with its module."""
    module, value = reader.project.value_at(qualified) or (None, None)
    if module is None or value is None:
        return None
    return ModuleReader(reader.project, module), value


def _entity_of_class_attribute(reader: ModuleReader, node: ast.Attribute) -> Item | None:
    """``self.model`` or ``self.Meta.model``, as the class says it, or one that it inherits."""
    around = reader.module.enclosing_class(node)
    name = reader.module.full_name(around) if around else None
    if name is None:
        return None
    inner = node.value.attr if isinstance(node.value, ast.Attribute) else ""
    is_given, item = _entity_in(reader, name, node, inner)
    return item if is_given else _entity_below(reader, name, node, inner)


def may_be_other_below(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether a subclass may give ``self.model`` something that is no mapped class."""
    around = reader.module.enclosing_class(node)
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")) if around is not None:
            return None in _values_below(reader, reader.module.full_name(around), node, "")
    return False


def entity_of_attribute(reader: ModuleReader, node: ast.Attribute, name: str) -> Item | None:
    """Return the item for the attribute ``node`` of the class ``name``, or of a class below it."""
    return _entity_in(reader, name, node)[1]


def _entity_in(
    reader: ModuleReader, name: str, node: ast.Attribute, inner: str = ""
) -> tuple[bool, Item | None]:
    """Return whether a class, or one it inherits, gives an attribute a value, and what that is."""
    waiting = Queue([name])
    for qualified in waiting:
        facts = reader.project.class_facts(qualified)
        pair = _class_node(reader, facts) if facts is not None else None
        if facts is None or pair is None:
            continue
        given = list(_attribute_values(*pair, node, inner))
        if given:
            # A subclass may replace the attribute: the kind is known, the model is not.
            given += _values_below(reader, qualified, node, inner)
            return True, _joined_item(node, given)
        waiting += [base for base in facts.bases if base is not None]
    return False, None


def _values_below(
    reader: ModuleReader, qualified: str, node: ast.Attribute, inner: str
) -> Iterator[Item | None]:
    """Yield what the subclasses of a class give to the attribute ``node``; None if unknown."""
    for name in reader.project.all_subclasses(qualified):
        facts = reader.project.class_facts(name)
        pair = None if facts is None else _class_node(reader, facts)
        if pair is None:
            yield None
        else:
            yield from _attribute_values(*pair, node, inner)


def _entity_below(
    reader: ModuleReader, qualified: str, node: ast.Attribute, inner: str
) -> Item | None:
    """``self.model`` of a mixin that leaves it to its subclasses: all visible ones must agree."""
    below = _values_below(reader, qualified, node, inner)
    joined = _joined_item(
        node, [item and (None if item.certainty.is_weak else item) for item in below]
    )
    # Only of a public class of a published project can somebody else have subclasses.
    if joined is None or not (reader.project.published and is_public(reader.module, qualified)):
        return joined
    text = ast.unparse(node)
    reason = (
        f"`{text}` is a mapped class in every visible subclass, but there may be other subclasses"
    )
    return replace(joined, certainty=joined.certainty.because(reason))


def _entity_of_subscript(reader: ModuleReader, node: ast.Subscript) -> Item | None:
    match node.value:
        case ast.Attribute() as mapping:
            return _entity_of_mapping(reader, node, mapping)
        case ast.Name() as dictionary:
            return _entity_of_item(reader, node, dictionary)
    return None


def _entity_of_mapping(
    reader: ModuleReader, node: ast.Subscript, mapping: ast.Attribute
) -> Item | None:
    """``cls.models[key]``, where a class annotates it ``models: dict[str, type[Base]]``."""
    owner = reader.qualified_name(mapping.value)
    around = reader.module.enclosing_class(node)
    # Inside the class itself it is written by what the method is given.
    if isinstance(mapping.value, ast.Name) and mapping.value.id in {"self", "cls"} and around:
        owner = reader.module.full_name(around)
    facts = reader.project.class_facts(owner) if owner is not None else None
    pair = None if facts is None else _class_node(reader, facts)
    for statement in pair[1].body if pair is not None else ():
        if pair is not None and isinstance(statement, ast.AnnAssign):
            noted = statement.annotation
            match noted:
                case ast.Subscript(
                    value=ast.Name(id="dict" | "Dict" | "Mapping"), slice=ast.Tuple(elts=[_, one])
                ) if _is_attribute(statement.target, mapping.attr, True):
                    return _entity_of_annotation(pair[0], node, one)
    return None


def _entity_of_item(reader: ModuleReader, node: ast.Subscript, dictionary: ast.Name) -> Item | None:
    """``MODELS[key]``, where all values of the dictionary are mapped classes."""
    values = dictionary_values(reader.module, dictionary)
    items = [entity_of(reader, value) for value in values]
    joined = _joined_item(node, items)
    if joined is None or not is_of_module(reader.module, dictionary):
        return joined
    reason = f"other files may put something else than mapped classes into `{dictionary.id}`"
    return replace(joined, certainty=least([PRESUMED, joined.certainty]).because(reason))


def _item_of_all(node: ast.expr, items: Sequence[Item | None]) -> Item | None:
    """Return the item for what may be any of ``items``, with their model if they have the same."""
    joined = _joined_item(node, items)
    models = {item.model for item in items if item is not None}
    return joined and replace(joined, model=models.pop() if len(models) == 1 else None)


def _joined_item(node: ast.expr, alternatives: Sequence[Item | None]) -> Item | None:
    """Return the item for what may be any of them, of no one model; None if one is no item."""
    items = [item for item in alternatives if item is not None]
    if not items or len(items) < len(alternatives):
        return None
    models = [item.models or frozenset([item.model or ""]) for item in items]
    return replace(
        items[0],
        node=node,
        model=None,
        owner=ast.unparse(node),
        aliased=any(item.aliased for item in items),
        automapped=all(item.automapped for item in items),
        certainty=least(item.certainty for item in items),
        models=frozenset() if frozenset([""]) in models else frozenset().union(*models),
    )


def _attribute_values(
    reader: ModuleReader, around: ast.ClassDef, node: ast.Attribute, inner: str
) -> Iterator[Item | None]:
    """Yield what a class gives to the attribute ``node``: ``model = User`` or ``model: type[T]``.

    An annotation says all; else what the methods assign to it counts as well. ``self.Meta.model``
    is an attribute of ``inner``, a class in its body.
    """
    if inner:
        match _definitions(reader.module, around, inner):
            case []:
                return
            case [ast.ClassDef() as around]:
                pass
            case _:
                yield None
                return
    noted = [
        _entity_of_annotation(reader, node, statement.annotation)
        for statement in _assignments_in(reader.module, around)
        if isinstance(statement, ast.AnnAssign)
        and _is_attribute(statement.target, node.attr, statement in around.body)
    ]
    if any(noted):
        yield from noted
        return
    for statement in _assignments_in(reader.module, around):
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            # ``model = None`` in a base leaves it to the subclasses.
            if not isinstance(statement, ast.Assign) or is_none(statement.value):
                continue
            if _is_attribute(target, node.attr, statement in around.body):
                yield entity_of(reader, statement.value)


def _definitions(module: Module, around: ast.ClassDef, name: str) -> list[ast.AST]:
    """Return what gives a class the attribute ``name``, in its body and in its methods."""
    bound = module.scopes.scope_made_by(around).bindings_of(name)
    targets = (x for statement in _assignments_in(module, around) for x in targets_of(statement))
    assigned = (x for x in targets if isinstance(x, ast.Attribute) and x.attr == name)
    return [*(binding.node for binding in bound), *assigned]


@cached_in_file
def _assignments_in(module: Module, around: ast.ClassDef) -> list[ast.Assign | ast.AnnAssign]:
    """Return all assignments in a class and its methods, in the order of the source."""
    return [node for node in module.walk(around) if isinstance(node, ast.Assign | ast.AnnAssign)]


def _is_attribute(target: ast.expr, name: str, in_body: bool) -> bool:
    match target:
        case ast.Name():
            return in_body and target.id == name
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return target.attr == name
    return False


def made_class(reader: ModuleReader, call: ast.Call) -> Item | None:
    """Return the item for a class that ``call`` makes of a declarative base, if it is mapped."""
    match call:
        case ast.Call(
            func=ast.Name(id="type"), args=[_, ast.Tuple(elts=bases), ast.Dict() as body]
        ):
            pass
        case _:
            return None
    if call.keywords or reader.module.scopes.is_bound("type", call):
        return None
    names = [key.value if isinstance(key, ast.Constant) else None for key in body.keys]
    if None in names or _TABLES.isdisjoint(names) or "__abstract__" in names:
        return None
    qualified = [reader.qualified_name(base) for base in bases]
    statuses = {reader.project.orm.models.status(name) for name in qualified if name is not None}
    if "base" not in statuses:
        return None
    return Item(call, What.ENTITY, owner=ast.unparse(call))
