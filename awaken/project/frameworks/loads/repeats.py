"""Sources of repeated results: other FROM objects in criteria, and joined loads of collections."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from awaken.knowledge.library_names import library_names
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.embedded import exists_in
from awaken.project.frameworks.loads.entities import classify
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.graph.dispatch import Called
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.f_strings import is_literal
from awaken.project.source.memo import cached_method
from awaken.project.source.trees import last_name, receivers

_JOINED = library_names().joined_loaders
_SEPARATE = library_names().separate_loaders | library_names().blocking_loaders | {"write_only"}
_COLUMN_OPTIONS = library_names().column_loaders | {"with_loader_criteria"}
_FOLLOWED_CALLS = 2
"""Functions of the program that are followed, one called by the other, to what they return."""
_CONNECTIVES = sql_names().orderings | sql_names().connectives | {"distinct", "between"}


@dataclass(frozen=True)
class Sources:
    """The one entity that a statement selects from, as far as criteria are concerned.

    ``partners`` are joined to it, each by the text that names it, with its class.
    """

    reader: ModuleReader
    owner: str
    model: str | None
    partners: Mapping[str, str | None] = field(default_factory=dict)

    def only(self, criteria: Iterable[ast.expr]) -> bool:
        """Whether none of ``criteria`` can bring another table into FROM."""
        return all(self._is_criterion(node) for node in criteria)

    def _is_criterion(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Compare(left=left, comparators=others):
                parts = (left, *others)
                # One side must be the entity's: two others may be columns of other tables.
                settled = any(self._is_own(part) or is_subquery(part) for part in parts)
                return settled and all(map(self._is_operand, parts))
            case ast.UnaryOp(operand=operand):
                return self._is_criterion(operand)
            case ast.BinOp(left=left, right=right):
                return self._is_criterion(left) and self._is_criterion(right)
            case ast.Call():
                return self._is_call(node)
            case _:
                choices = alternatives(node)
                return all(map(self._is_criterion, choices)) if choices else self._is_own(node)

    @cached_method
    def _is_own(self, node: ast.expr) -> bool:
        """Whether ``node`` is the entity, its column, or something computed from its column."""
        if isinstance(node, ast.BinOp):  # long ones stand inside one another: no text of each
            return self._is_own(node.left) or self._is_own(node.right)
        text = ast.unparse(node)
        if any(text == one or text.startswith(f"{one}.") for one in (self.owner, *self.partners)):
            return True
        if isinstance(node, ast.Subscript):
            return self._is_own(node.value)
        return isinstance(node, ast.Call) and any(map(self._is_own, node.args))

    def _is_call(self, node: ast.Call) -> bool:
        function = node.func
        # It has its own FROM, whatever is asked inside.
        if exists_in(self.reader, node) is not None:
            return True
        if self.reader.function_name(function) or self.reader.library_name(function):
            name = self.reader.library_name(function)
            if name in _CONNECTIVES:
                return all(map(self._is_criterion, node.args))
            # Text has no FROM of its own, whatever it names.
            return name == "text" or all(map(self._is_operand, node.args))
        if isinstance(function, ast.Attribute) and self._is_own(function.value):
            # They make an EXISTS, which has its own FROM.
            if function.attr in {"any", "has"}:
                return True
            # Of a relationship they may bring its secondary table into FROM.
            if function.attr in {"contains", "with_parent"} and self._is_relationship(
                function.value
            ):
                return False
            return all(map(self._is_operand, node.args))
        return False

    def _is_relationship(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Attribute):
            return True
        model = self.partners.get(ast.unparse(node.value), self.model)
        mapped = self.reader.project.orm.mapped_class(model) if model else None
        if mapped is None:
            return True
        return bool(mapped.attribute_kind(node.attr) != "column")

    def _is_operand(self, node: ast.expr) -> bool:
        """Whether ``node`` is the entity's own, or a plain value."""
        if self._is_own(node) and not isinstance(node, ast.BinOp | ast.Call):
            return True
        match node:
            case ast.Dict() | ast.DictComp():
                return True
            case _ if is_literal(node):
                return True
            case ast.Name():
                return classify(self.reader, node).what is What.UNKNOWN
            case ast.Attribute():
                return self._is_value_attribute(node)
            case ast.Call():
                return self._is_value_call(node)
            case ast.Compare() | ast.BoolOp():
                return self._is_criterion(node)
            case _:
                parts = _parts(node)
                return bool(parts) and all(map(self._is_operand, parts))

    def _is_value_attribute(self, node: ast.Attribute) -> bool:
        if isinstance(node.value, ast.Attribute) and node.value.attr in {"c", "columns"}:
            return False
        if self._is_enumeration(node.value) or self._is_constant(node):
            return True
        if entity_of(self.reader, node.value) is not None:
            return False
        return classify(self.reader, node).what is What.UNKNOWN

    def _is_enumeration(self, node: ast.expr) -> bool:
        """Whether ``node`` is an Enum of the program, whose members are plain values."""
        bases = self.reader.project.library_ancestors(self.reader.qualified_name(node) or "")
        return any(base.startswith("enum.") for base in bases)

    def _is_constant(self, node: ast.Attribute) -> bool:
        """Whether a class of the program, which need not be mapped, names a constant so."""
        facts = self.reader.project.class_facts(self.reader.qualified_name(node.value) or "")
        module = None if facts is None else self.reader.project.module(facts.path)
        body = None if facts is None or module is None else module.class_at(facts.span)
        if module is None or body is None:
            return False
        bindings = module.scopes.scope_made_by(body).bindings_of(node.attr)
        return bool(bindings) and all(isinstance(item.value, ast.Constant) for item in bindings)

    def _is_value_call(self, node: ast.Call) -> bool:
        if is_subquery(node) or self._is_call(node):
            return True
        return classify(self.reader, node).what is What.UNKNOWN


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    """Return what a display, an operation or a comprehension takes its value from."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            # An empty list is a plain value, unlike what has no parts.
            return elements or [ast.Constant(None)]
        case ast.BinOp(left=left, right=right):
            return left, right
        case ast.UnaryOp(operand=part) | ast.Subscript(value=part) | ast.Starred(value=part):
            return (part,)
        case ast.ListComp(elt=part) | ast.SetComp(elt=part) | ast.GeneratorExp(elt=part):
            return (part,)
    return alternatives(node)


def is_subquery(node: ast.expr) -> bool:
    """A query or select used as a value is a subquery with its own FROM."""
    calls = (part for part in receivers(node) if isinstance(part, ast.Call))
    return any(last_name(call.func) in {"query", "select"} for call in calls)


# -------------------------------------------------------------------------------- loader options
def loads_collection(reader: ModuleReader, options: Sequence[ast.expr]) -> bool:
    """Whether one of the loader ``options`` may join a collection; unknown ones may."""
    return any(_may_join_collection(reader, option) for option in options)


def is_loader(reader: ModuleReader, option: ast.expr, calls: int = _FOLLOWED_CALLS) -> bool:
    """Whether ``option`` says how something is loaded, and surely nothing else.

    ``*[selectinload(one) for one in relationships]`` as well, and a call of a function of the
    program that returns nothing but such options. ``calls`` is how many of those are followed.
    """
    match option:
        case ast.Starred(value=ast.ListComp(elt=element) | ast.GeneratorExp(elt=element)):
            return is_loader(reader, element, calls)
        case ast.Starred(value=ast.List(elts=elements) | ast.Tuple(elts=elements)):
            return all(is_loader(reader, node, calls) for node in elements)
        case ast.Starred(value=ast.Call() as call):
            return _gives_loaders(reader, call, calls, ast.Starred)
    steps = _steps(reader, option)
    if steps is None:
        return isinstance(option, ast.Call) and _gives_loaders(reader, option, calls)
    known = (_COLUMN_OPTIONS | _SEPARATE | _JOINED | {"Load"}) - {"with_loader_criteria"}
    return all(
        name in known or (name == "options" and all(is_loader(reader, one, calls) for one in given))
        for name, given in steps
    )


def _gives_loaders(
    reader: ModuleReader,
    call: ast.Call,
    calls: int,
    shape: Callable[[ast.expr], ast.expr] = lambda node: node,
) -> bool:
    """Whether all that a function of the program returns are loader options, in a ``shape``."""
    called = reader.project.calls.function_called(reader.module, call) if calls else None
    if not isinstance(called, Called) or called.module.is_generator(called.function):
        return False
    there = replace(reader, module=called.module)
    nodes = called.module.returned_by(called.function)
    return bool(nodes) and all(is_loader(there, shape(node), calls - 1) for node in nodes)


def _may_join_collection(reader: ModuleReader, option: ast.expr) -> bool:
    steps = _steps(reader, option)
    if steps is None:
        # Not written as visible calls, so it may join anything.
        return True
    for name, arguments in steps:
        if name in _COLUMN_OPTIONS or name == "Load":
            continue
        if name in _SEPARATE:
            # The rest of the path belongs to that separate statement.
            return False
        if name not in _JOINED or not arguments:
            return True
        if any(_reaches_collection(reader, argument) for argument in arguments):
            return True
    return False


def _steps(reader: ModuleReader, option: ast.expr) -> list[tuple[str, list[ast.expr]]] | None:
    """Return the calls of ``joinedload(A.b).selectinload(B.c)`` from left to right.

    Each by its name in SQLAlchemy, whatever the file calls it; None for what is of another origin.
    """
    steps: list[tuple[str, list[ast.expr]]] = []
    node = option
    while isinstance(node, ast.Call):
        arguments = list(node.args)
        if isinstance(node.func, ast.Attribute):
            steps.append((node.func.attr, arguments))
            node = node.func.value
        elif isinstance(node.func, ast.Name):
            name = reader.library_name(node.func)
            steps.append((name or "", arguments))
            return None if name is None else steps[::-1]
        else:
            return None
    # ``orm.joinedload(...)``: the rest is the module.
    return steps[::-1] if steps and isinstance(node, ast.Name | ast.Attribute) else None


def _reaches_collection(reader: ModuleReader, argument: ast.expr) -> bool:
    if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute):
        # ``A.b.of_type(C)`` and ``A.b.and_(...)`` are the relationship with something added.
        argument = argument.func.value
    if not isinstance(argument, ast.Attribute):
        return True
    owner: Item | None = entity_of(reader, argument.value)
    if owner is None or owner.model is None:
        return True
    relationship = reader.project.orm.models.relationship(owner.model, argument.attr)
    if relationship is None or relationship.target is None:
        return True
    # Foreign keys tell which side has many where the declaration does not.
    if reader.project.orm.is_collection(owner.model, argument.attr) is not False:
        return True
    return reader.project.orm.eager.needs_unique(relationship.target) is not False
