"""The mapping that one class body, table or call of ``relationship`` declares."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from awaken.contract import Span
from awaken.knowledge.library_names import name_list, name_table
from awaken.project.frameworks.sqlalchemy.constraints import Constraints, constraints_of_value
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.source.worklist import preorder
from awaken.project.values.domain import ClassOf, External, FunctionOf, Value

AttributeKind = Literal["column", "relationship", "hybrid", "proxy", "synonym", "method", "opaque"]

_CALLS: Mapping[str, AttributeKind] = name_table("mapping_calls")
_DECLARED = name_list("declared_attributes")
BY_CLASS = "*"
"""The table of each class has the name of that class, in lower case."""
_SETTINGS = {"__tablename__", "__table_args__"}
"""What a class body says about its table; such a value maps no attribute, however it is made."""
# Positional parameters of these calls that carry no type.
_NO_TYPES = {"ForeignKey", "Sequence", "CheckConstraint", "Computed", "Identity"}
_SELECTABLES = {"alias", "join", "outerjoin", "select", "subquery", "union", "union_all"}
_SELECTABLES |= {f"sqlalchemy.{name}" for name in _SELECTABLES}
_LAZY_BY_ANNOTATION = {"DynamicMapped": "dynamic", "WriteOnlyMapped": "write_only"}
_KEYS_OF_ITS_OWN = ("primary_key", "concrete", "inherit_condition")
"""Settings of a mapper by which its rows need not be told apart by the primary key of its table."""
_VIEW = re.compile(r"(?<!inter)(?<!over)(?<!pre)(?<!re)view")
_COLLECTIONS = {"Collection", "DynamicMapped", "List", "Set", "Sequence", "WriteOnlyMapped"}
_COLLECTIONS |= {"list", "set", "frozenset", "Dict", "dict", "MutableSequence", "Iterable"}


class ColumnFacts(Struct, frozen=True):
    """One column: ``nullable`` as declared (None if it follows from something not in sight),
    ``type`` as written without arguments, ``foreign_key`` as ``"table.column"``.
    ``is_computed_on_update`` says that the database computes it whenever the row changes, ``name``
    what it is called in the database if that is written, ``unique`` that no value comes twice.
    ``annotated`` is the class that its annotation names, without None, ``refers`` the attribute
    that a foreign key names in place of a table, as ``app.models.User.id``.
    """

    nullable: bool | None = None
    primary_key: bool = False
    type: str | None = None
    foreign_key: str | None = None
    is_computed_on_update: bool = False
    name: str | None = None
    unique: bool = False
    annotated: str | None = None
    refers: str | None = None

    @property
    def type_name(self) -> str:
        """The last name of the type, or of the class that the column is annotated as."""
        return (self.type or self.annotated or "").rpartition(".")[2]


class RelationshipFacts(Struct, frozen=True):
    """One relationship.

    ``target`` is the qualified name of the other class; ``uselist`` True for a collection, False
    for a single object, None if unknown; ``lazy`` the loading as SQLAlchemy calls it (``select`` by
    default), None if it is not a plain value. ``path`` and ``span`` are where it is declared, for a
    backref in the other class. ``foreign_keys`` and ``remote_side`` are the attributes that it
    names for its join, as written, if it says nothing else of it. ``join_depth`` is how many
    relationships in a row the mapping loads back to a class; 0 for none.
    """

    target: str | None
    uselist: bool | None
    lazy: str | None
    secondary: bool
    path: str
    span: Span
    plain_join: bool = True
    backref: str | None = None
    foreign_keys: tuple[str, ...] = ()
    remote_side: tuple[str, ...] = ()
    join_depth: int = 0


class ClassBody(Struct, frozen=True):
    """The mapping of one class body, without its bases.

    ``kinds`` names every attribute; ``opaque`` ones may map anything. ``constraints`` are the
    constraints of its table, None if there are none. ``tablename`` is empty if it is computed,
    and None if the body says nothing of it. It is `BY_CLASS` if each class has its own.
    """

    kinds: dict[str, AttributeKind]
    columns: dict[str, ColumnFacts]
    abstract: bool
    tablename: str | None
    table: Literal["plain", "selectable", "unknown"] | None
    constraints: Constraints | None = None


class _Partial(NamedTuple):
    """A function with arguments that it is given before, and the file that makes it."""

    module: Module
    function: ast.expr
    arguments: list[ast.expr]
    keywords: list[ast.keyword]


class MappingReader(ProgramFacts):
    """Reads class bodies; ``kind_of`` is shared with the search for relationships."""

    def called_names(self, module: Module, function: ast.expr) -> set[str]:
        """Return the qualified names that ``function`` may be; empty if unknown."""
        evaluator = self._evaluator
        name = evaluator.names.qualified_name(module, function)
        if name is not None and evaluator.names.locate(name) is None:
            return {name}
        values = evaluator.values(module, function)
        known = [qualified for value in values if (qualified := _name_of(value)) is not None]
        if len(known) == len(values):
            return set(known)
        return set() if name is None else {name}

    def kind_of(self, module: Module, value: ast.expr) -> AttributeKind | None:
        """Return what a value assigned in a class body maps; None for plain data."""
        if not isinstance(value, ast.Call):
            return None
        partial = self._partial(module, value.func)
        if partial is not None:
            names = self.called_names(partial.module, partial.function)
            # The arguments of a relationship are read from its own call alone.
            return "column" if {_CALLS.get(name) for name in names} == {"column"} else "opaque"
        names = self.called_names(module, value.func)
        kinds = {_CALLS.get(name) for name in names}
        known = kinds - {None}
        if len(known) == 1 and self._rest_is_harmless(names):
            return known.pop()
        return None if names and self._rest_is_harmless(names) else "opaque"

    def _partial(self, module: Module, function: ast.expr) -> _Partial | None:
        """Return the ``functools.partial`` that a name of the project is assigned."""
        evaluator = self._evaluator
        name = evaluator.names.qualified_name(module, function)
        defining, made = evaluator.names.value_at(name) or (module, None)
        if not isinstance(made, ast.Call) or not made.args:
            return None
        if evaluator.names.qualified_name(defining, made.func) != "functools.partial":
            return None
        return _Partial(defining, made.args[0], made.args[1:], made.keywords)

    def _rest_is_harmless(self, names: set[str]) -> bool:
        """Whether none of ``names`` but those known by name can make a relationship."""
        return all(name in _CALLS or self._is_harmless(name) for name in names)

    def _is_harmless(self, name: str) -> bool:
        evaluator, root = self._evaluator, name.partition(".")[0]
        located = evaluator.names.locate(name)
        if located is not None:
            defining = evaluator.load(located.path)
            return defining is not None and not _may_relate(defining, located.rest)
        return root in {"builtins", "sqlalchemy", "sqlmodel"} or root in _STANDARD

    def body(self, module: Module, node: ast.ClassDef, *, fields: bool = False) -> ClassBody:
        """Return what the body of ``node`` maps; with ``fields`` all annotations."""
        scope = module.scopes.scope_made_by(node)
        kinds: dict[str, AttributeKind] = {}
        columns: dict[str, ColumnFacts] = {}
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                value, annotation = binding.value, binding.annotation
                kind: AttributeKind | None = None
                if isinstance(binding.node, Function):
                    kind, value = self._function(module, binding.node)
                elif value is not None:
                    kind = self.kind_of(module, value)
                if kind == "opaque" and name in _SETTINGS:
                    kind = None
                # SQLModel takes every annotation for a column, SQLAlchemy only ``Mapped[...]``.
                if kind is None and annotation is not None and (fields or is_mapped(annotation)):
                    kind = "column"
                if kind is None:
                    continue
                kinds[name] = kind
                if kind == "column":
                    columns[name] = self._column(module, value, annotation)
        table = scope.bindings.get("__table__")
        return ClassBody(
            kinds,
            columns,
            _constant(scope.bindings, "__abstract__") is True,
            _tablename(module, scope.bindings.get("__tablename__", [])),
            _table_by_settings(scope.bindings)
            or (None if table is None else self._table(module, table[0].value)),
            self._constraints(module, scope.bindings.get("__table_args__", []), columns),
        )

    def _constraints(
        self, module: Module, bindings: list[Binding], columns: Mapping[str, ColumnFacts]
    ) -> Constraints | None:
        if not bindings:
            return None
        binding, value = bindings[-1], bindings[-1].value
        if isinstance(binding.node, ast.FunctionDef):
            returned = module.returned_by(binding.node)
            value = returned[0] if len(returned) == 1 else None
        if len(bindings) > 1:
            value = None
        return constraints_of_value(value, self.namer(module), database_names(columns))

    def namer(self, module: Module) -> Callable[[ast.expr], str]:
        """Return what tells what a file calls by its name in SQLAlchemy, empty for others."""

        def name(function: ast.expr) -> str:
            names = self.called_names(module, function)
            word = names.pop() if len(names) == 1 else ""
            return word.rpartition(".")[2] if word.startswith("sqlalchemy.") else ""

        return name

    def _function(self, module: Module, node: Function) -> tuple[AttributeKind, ast.expr | None]:
        """Return what a method maps: a ``declared_attr`` is what it returns."""
        names = {name for part in node.decorator_list for name in self._decorator(module, part)}
        # A hybrid is computed; what it returns maps nothing.
        if any(_CALLS.get(name) == "hybrid" for name in names):
            return "hybrid", None
        # Only SQLAlchemy's decorators make a method part of the mapping.
        if not names & _DECLARED:
            return "method", None
        returned = module.returned_by(node)
        kinds = {self.kind_of(module, part) for part in returned}
        if len(kinds) == 1:
            return kinds.pop() or "method", returned[0]
        return "opaque", None

    def _decorator(self, module: Module, node: ast.expr) -> set[str]:
        plain = without_arguments(node)
        # ``@size.expression`` belongs to the hybrid of that name above it.
        if isinstance(plain, ast.Attribute) and plain.attr in {"setter", "expression"}:
            return {"sqlalchemy.ext.hybrid.hybrid_property"}
        return self.called_names(module, plain)

    def _table(
        self, module: Module, value: ast.expr | None
    ) -> Literal["plain", "selectable", "unknown"]:
        if not isinstance(value, ast.Call):
            return "unknown"
        if self.called_names(module, value.func) == {"sqlalchemy.Table"}:
            return "plain"
        name = value.func.attr if isinstance(value.func, ast.Attribute) else ""
        if name in _SELECTABLES or self.called_names(module, value.func) & _SELECTABLES:
            return "selectable"
        return "unknown"

    def _column(
        self, module: Module, value: ast.expr | None, annotation: ast.expr | None
    ) -> ColumnFacts:
        call = value if isinstance(value, ast.Call) else None
        if call is not None and call.args and isinstance(call.args[0], ast.Call):
            inner = self.called_names(module, call.func)
            # ``deferred(Column(...))``: the column inside has the facts.
            if inner & {"sqlalchemy.orm.deferred", "sqlalchemy.orm.column_property"}:
                return self._column(module, call.args[0], annotation)
        is_computed = call is not None and self._is_computed_on_update(module, call)
        partial = None if call is None else self._partial(module, call.func)
        if call is not None and partial is not None:
            given = ast.Call(partial.function, partial.arguments, partial.keywords)
            is_computed = is_computed or self._is_computed_on_update(partial.module, given)
            # A name that the call repeats comes last, and wins.
            keywords = [*partial.keywords, *call.keywords]
            call = ast.Call(partial.function, [*partial.arguments, *call.args], keywords)
        column = column_facts(call, annotation)
        refers = None
        if call is not None and column.foreign_key == "":
            refers = self._refers(module, call)
        return structs.replace(column, is_computed_on_update=is_computed, refers=refers)

    def column(self, module: Module, call: ast.expr) -> ColumnFacts:
        """Return what a column in a ``Table(...)`` says of itself."""
        return self._column(module, call, None)

    def _refers(self, module: Module, call: ast.Call) -> str | None:
        """Return the attribute of a class that the one foreign key of a column names."""
        named = [
            argument.args[0]
            for argument in call.args
            if isinstance(argument, ast.Call) and argument.args
            if self.called_names(module, argument.func) == {"sqlalchemy.ForeignKey"}
        ]
        is_one = len(named) == 1 and isinstance(named[0], ast.Attribute)
        return self._evaluator.names.qualified_name(module, named[0]) if is_one else None

    def _is_computed_on_update(self, module: Module, call: ast.Call) -> bool:
        """Whether an update makes the value of a column in the database, as ``func.now()`` does."""
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="server_onupdate", value=value):
                    if not (isinstance(value, ast.Constant) and value.value is None):
                        return True
                case ast.keyword(arg="onupdate", value=ast.Call() as value):
                    if self._is_expression(module, value):
                        return True
                # SQLModel hands on what it is given for the column.
                case ast.keyword(arg="sa_column", value=ast.Call() as value):
                    if self._is_computed_on_update(module, value):
                        return True
                case ast.keyword(arg="sa_column_kwargs", value=ast.Dict(keys=keys, values=values)):
                    named = [
                        ast.keyword(str(key.value), value)
                        for key, value in zip(keys, values, strict=True)
                        if isinstance(key, ast.Constant)
                    ]
                    if self._is_computed_on_update(module, ast.Call(call.func, [], named)):
                        return True
        return any(
            isinstance(node, ast.Call)
            and self.called_names(module, node.func) == {"sqlalchemy.Computed"}
            for node in call.args
        )

    def _is_expression(self, module: Module, value: ast.Call) -> bool:
        name = self._evaluator.names.qualified_name(module, value.func) or ""
        return name.startswith("sqlalchemy.")


def _name_of(value: Value) -> str | None:
    match value:
        case External() | ClassOf():
            return value.qualified
        case FunctionOf() if not isinstance(value.node, ast.Lambda):
            return value.module.full_name(value.node)
    return None


def _may_relate(module: Module, names: tuple[str, ...]) -> bool:
    """Whether the text of a function or class of the project could make a relationship."""
    for scope in module.scopes.scopes:
        node = scope.node
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == names[-1]:
            # Told by the text: `relationship` and the old `relation` both hold the word.
            return "relation" in module.text_of(node).lower()
    return True


def column_facts(call: ast.Call | None, annotation: ast.expr | None) -> ColumnFacts:
    """Return what ``Column(...)``, ``mapped_column(...)`` and ``Mapped[...]`` say together."""
    keywords = {} if call is None else {keyword.arg: keyword.value for keyword in call.keywords}
    primary = _boolean(keywords.get("primary_key")) or False
    nullable = _boolean(keywords.get("nullable")) if "nullable" in keywords else None
    if nullable is None and "nullable" not in keywords:
        # A primary key is never NULL, whatever its annotation allows.
        nullable = False if primary else _optional(annotation)
    type_name, foreign_key = None, _text_of(keywords.get("foreign_key"))
    first = call.args[0] if call is not None and call.args else keywords.get("name")
    unique = _boolean(keywords.get("unique")) or False
    for argument in call.args if call is not None else ():
        plain = argument.func if isinstance(argument, ast.Call) else argument
        name = last_name(plain)
        if name == "ForeignKey" and isinstance(argument, ast.Call) and argument.args:
            # Empty is not None: there is a key, but not to a table that is named.
            foreign_key = _text_of(argument.args[0]) or ""
        elif name and name not in _NO_TYPES and type_name is None:
            type_name = name
    return ColumnFacts(
        nullable,
        primary,
        type_name,
        foreign_key,
        name=_text_of(first),
        unique=unique,
        annotated=_annotated_class(annotation),
    )


def _annotated_class(annotation: ast.expr | None) -> str | None:
    """Return the class that ``Mapped[...]``, or SQLModel's annotation, names, None aside.

    None for what has parts.
    """
    match None if annotation is None else _unquoted_node(annotation):
        case ast.Name() | ast.Attribute() as named:
            return last_name(named)
        case ast.BinOp(op=ast.BitOr(), left=inner, right=ast.Constant(value=None)):
            return _annotated_class(inner)
        case ast.Subscript(value=outer, slice=inner) if last_name(outer) in {"Mapped", "Optional"}:
            return _annotated_class(inner)
    return None


def _optional(annotation: ast.expr | None) -> bool | None:
    """Return whether ``Mapped[X]`` allows None; without annotation columns do."""
    if annotation is None:
        return True
    text = ast.unparse(annotation)
    return "Optional" in text or "None" in text


def annotated_uselist(annotation: ast.expr | None) -> bool | None:
    """Return what ``Mapped[list["X"]]`` or SQLModel's ``list["X"]`` say about a collection."""
    starts: list[ast.AST] = [] if annotation is None else [annotation]
    nodes = preorder(starts, _annotated_parts)
    names = [last_name(node) for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
    return any(name in _COLLECTIONS for name in names) if names else None


def _annotated_parts(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        inside = _unquoted_node(node)
        return () if inside is node else (inside,)
    return ast.iter_child_nodes(node)


def annotated_target(annotation: ast.expr | None) -> ast.expr | str | None:
    """Return the class that the innermost argument of an annotation names."""
    node = None if annotation is None else _unquoted_node(annotation)
    while isinstance(node, ast.Subscript):
        inner = node.slice
        # Of ``dict[str, User]`` the values are what is mapped.
        node = inner.elts[-1] if isinstance(inner, ast.Tuple) else inner
    if isinstance(node, ast.BinOp):
        none = isinstance(node.left, ast.Constant) and node.left.value is None
        node = node.right if none else node.left
        return annotated_target(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        inside = _unquoted_node(node)
        text = node.value.strip()
        return annotated_target(inside) if isinstance(inside, ast.Subscript | ast.BinOp) else text
    return node


def _unquoted_node(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value.strip(), mode="eval").body
        except SyntaxError:
            return annotation
    return annotation


def is_mapped(annotation: ast.expr) -> bool:
    """Whether an annotation is ``Mapped[...]`` or one of its two relatives."""
    return _head(annotation) in {"Mapped", *_LAZY_BY_ANNOTATION}


def annotated_lazy(annotation: ast.expr | None) -> str | None:
    """Return how a relationship is loaded whose annotation says so; None where it does not."""
    return None if annotation is None else _LAZY_BY_ANNOTATION.get(_head(annotation))


def _head(annotation: ast.expr) -> str:
    node = _unquoted_node(annotation)
    return last_name(node.value) if isinstance(node, ast.Subscript) else ""


def _tablename(module: Module, bindings: Sequence[Binding]) -> str | None:
    values = [binding.value for binding in bindings]
    for node in (binding.node for binding in bindings):
        values += module.returned_by(node) if isinstance(node, ast.FunctionDef) else []
    match [value for value in values if value is not None]:
        case [ast.Constant(value=str(name))]:
            return name
        case [value] if ast.unparse(value) == "cls.__name__.lower()":
            return BY_CLASS
    return "" if bindings else None


def _constant(bindings: Mapping[str, list[Binding]], name: str) -> object:
    result = bindings.get(name, [])
    value = result[0].value if len(result) == 1 else None
    return value.value if isinstance(value, ast.Constant) else None


def _table_by_settings(bindings: Mapping[str, list[Binding]]) -> Literal["unknown"] | None:
    """Return what a class says of its table: the key of a view need not be unique in its rows."""
    names = [item.value for item in bindings.get("__tablename__", []) if item.value is not None]
    # A method returns them, or they are assigned.
    settings = [ast.unparse(one.value or one.node) for one in bindings.get("__mapper_args__", [])]
    is_doubted = any(setting in text for setting in _KEYS_OF_ITS_OWN for text in settings)
    return "unknown" if is_doubted or any(map(names_view, names)) else None


def names_view(name: ast.expr) -> bool:
    """Whether the name of a table says, in whatever case, that it is a view."""
    # A table of reviews is a table.
    return _VIEW.search(ast.unparse(name).lower()) is not None


def database_names(columns: Mapping[str, ColumnFacts]) -> dict[str, str]:
    """Return what the column of each attribute is called in the database."""
    return {name: column.name or name for name, column in columns.items()}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _text_of(node: ast.expr | None) -> str | None:
    return _text(node.value) if isinstance(node, ast.Constant) else None


def _boolean(node: ast.expr | None) -> bool | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


_STANDARD = frozenset(
    {"uuid", "datetime", "enum", "typing", "decimal", "logging", "re", "functools"}
)
