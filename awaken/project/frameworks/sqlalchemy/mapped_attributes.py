"""The value of an attribute of a mapped class: an object, a collection, a plain value."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TypeVar

from msgspec import structs

from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.sqlalchemy.keys import EagerLoading, direction
from awaken.project.frameworks.sqlalchemy.mapping import ColumnFacts, RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, Models
from awaken.project.frameworks.sqlalchemy.queries.class_queries import ClassQueries, ClassQuery
from awaken.project.frameworks.sqlalchemy.relationships import Site
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, last_name
from awaken.project.values.calls.decoding import decodes
from awaken.project.values.domain import (
    NOWHERE,
    ClassOf,
    InstanceOf,
    NoneValue,
    Unknown,
    Values,
    union,
)

_Answer = TypeVar("_Answer")
# As in flask_sqlalchemy.model.camel_to_snake_case.
_CAMEL = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")
_QUERY = "sqlalchemy.orm.Query"
INSTRUMENTED = "sqlalchemy.orm.InstrumentedAttribute"
_COLLECTIONS = library_names().lazy_collections
_KEYED = name_list("keyed_collections")
_PLAIN = {"builtins.list", "builtins.set"}
_ORDERED = "sqlalchemy.ext.orderinglist.ordering_list"  # makes a list that numbers its items


class MappedAttributes:
    """Answers the evaluator, which knows nothing of mappings.

    Each question is answered apart from the one that led to it, so that no answer depends on the
    order.
    """

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        models: Models,
        eager: EagerLoading,
        class_queries: ClassQueries,
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._eager = eager
        self._class_queries = class_queries
        self._is_asked = False

    def is_mapped(self, qualified: str) -> bool:
        """Whether a class of the program is mapped."""
        return not self._is_asked and self._has_mapping(qualified)

    def is_base(self, qualified: str) -> bool:
        """Whether a class of the program is a base of mapped classes, and not mapped itself."""
        return not self._is_asked and self._has_heirs(qualified)

    @cached_method
    def _has_heirs(self, qualified: str) -> bool:
        return self._answer_apart(lambda: self._models.status(qualified) == "base")

    @cached_method
    def _has_mapping(self, qualified: str) -> bool:
        return self._answer_apart(lambda: self._models.mapped_class(qualified) is not None)

    def is_relationship(self, owner: InstanceOf, name: str) -> bool:
        """Whether ``name`` of a mapped object leads to others."""
        if self._is_asked or owner.origins is None:
            return False
        mapped = self._answer_apart(lambda: self._models.mapped_class(owner.qualified))
        return mapped is not None and name in mapped.relationships

    def attribute(self, owner: InstanceOf | ClassOf, name: str) -> Values:
        """Return what reading ``name`` gives by the mapping; empty where no mapping says so."""
        # To tell what is mapped, nothing that a mapped object holds is needed.
        return () if self._is_asked else self._attribute(type(owner), owner.qualified, name)

    @cached_method
    def _attribute(self, kind: type[InstanceOf | ClassOf], qualified: str, name: str) -> Values:
        of = self._of_instance if kind is InstanceOf else self._of_class
        return self._answer_apart(lambda: of(qualified, name))

    def is_collection(self, owner: str, name: str, facts: RelationshipFacts) -> bool | None:
        """Return whether a relationship of a class is a collection; None if unknown."""
        known = self._eager.is_collection(Site(owner, name, facts), owner)
        if known is None and facts.plain_join and not facts.secondary and facts.target is not None:
            return self._by_keys(owner, facts.target)
        return known

    def _answer_apart(self, ask: Callable[[], _Answer]) -> _Answer:
        self._is_asked = True
        try:
            with self._evaluator.without_callers():
                return ask()
        finally:
            self._is_asked = False

    def _of_class(self, qualified: str, name: str) -> Values:
        if name != "query":
            return (InstanceOf(INSTRUMENTED),) if self._is_mapped(qualified, name) else ()
        query = self._class_queries.source_of(qualified)
        # A class of queries that cannot be read may give anything.
        if not isinstance(query, ClassQuery) or query.custom:
            return ()
        query_class = _QUERY if query.query_class is None else query.query_class.qualified
        return (InstanceOf(query_class, parameters=((InstanceOf(qualified),),)),)

    def _is_mapped(self, qualified: str, name: str) -> bool:
        """Whether ``name`` is an attribute for statements if it is read off the class itself."""
        mapped = self._models.mapped_class(qualified)
        if mapped is None or name.startswith("_"):
            return False
        return name in mapped.columns or name in mapped.relationships

    def _of_instance(self, qualified: str, name: str) -> Values:
        mapped = self._models.mapped_class(qualified)
        if mapped is None or self._annotation(qualified, name) is not None:
            return ()
        if name in mapped.relationships:
            return self._related_values(qualified, name, mapped.relationships[name])
        if mapped.kinds.get(name) == "proxy":
            return self._proxied_values(qualified, name)
        column = mapped.columns.get(name)
        return () if column is None else self._of_column(qualified, name, column)

    def _of_column(self, qualified: str, name: str, facts: ColumnFacts) -> Values:
        written = (facts.type or "").rpartition(".")[2]
        named = sql_names().column_types.get(written)
        named = named or self._by_arguments(qualified, name, written)
        plain: Values = (
            self._decoded_values(qualified, name) if named is None else (InstanceOf(named),)
        )
        if not plain:
            return ()
        return plain if facts.nullable is False or facts.primary_key else (*plain, NoneValue())

    def _decoded_values(self, qualified: str, name: str) -> Values:
        """Return the data of a column of JSON, which ends at what makes the column."""
        module, given = self._given_to(qualified, name) or (None, [])
        # Where a file gives the attribute twice, either may be the column.
        calls = [value for value, _ in given if isinstance(value, ast.Call)]
        if module is None or len(calls) != 1 or not decodes(self._evaluator, module, calls[0]):
            return ()
        return (self._evaluator.unknown(module, calls[0], f"`{name}` is a column of JSON"),)

    def _by_arguments(self, qualified: str, name: str, written: str) -> str | None:
        """Return the Python type of a column whose type has arguments that say it."""
        decimal = sql_names().decimal_types.get(written)
        module, given = self._given_to(qualified, name) or (None, [])
        if module is None or (decimal is None and written != "Enum"):
            return None
        for call in (part for value, _ in given if value is not None for part in ast.walk(value)):
            if isinstance(call, ast.Call) and last_name(call.func) == written:
                if keyword_of(call, "asdecimal") is not None:
                    return None
                for argument in call.args[:1] if written == "Enum" else ():
                    enumeration = self._evaluator.names.qualified_name(module, argument) or ""
                    is_known = self._evaluator.classes.node(enumeration) is not None
                    return enumeration if is_known else None
        return decimal

    def _proxied_values(self, qualified: str, name: str) -> Values:
        """Return what `association_proxy("notes", "tag")` gives; empty where it is not certain."""
        _, given = self._given_to(qualified, name) or (None, [])
        match given:
            case [(ast.Call(args=[ast.Constant(value=through), ast.Constant(value=attribute)]), _)]:
                return self._attribute_of_each(
                    self._held_values(qualified, str(through)), str(attribute)
                )
        return ()

    def _held_values(self, qualified: str, name: str) -> Values:
        """Return what an attribute holds, by its annotation or by its mapping."""
        annotation = self._annotation(qualified, name)
        if annotation is not None:
            return self._evaluator.declared_values(*annotation)
        return self._of_instance(qualified, name)

    def _attribute_of_each(self, values: Values, attribute: str) -> Values:
        """Return the value of an attribute of each object, in the collection that holds them."""
        result: Values = ()
        for value in values:
            match value:
                case NoneValue():
                    result = union(result, (value,))
                case InstanceOf(qualified="builtins.list", parameters=[held]):
                    inner = self._attribute_of_each(held, attribute)
                    many = (structs.replace(value, parameters=(inner,)),)
                    result = union(result, many) if inner else ()
                case InstanceOf(parameters=()):
                    given = self._held_values(value.qualified, attribute)
                    if not given:
                        return ()
                    result = union(result, given)
                case _:
                    return ()
        return result

    def _by_keys(self, owner: str, target: str) -> bool | None:
        """Return the direction by foreign keys, with table names that follow from class names."""
        sides = [self._models.mapped_class(name) for name in (owner, target)]
        named = [None if side is None else self.with_tablename(side) for side in sides]
        if named[0] is None or named[1] is None:
            return None
        return direction(named[0], named[1])

    def with_tablename(self, mapped: MappedClass) -> MappedClass:
        """Return a mapped class with the table name that Flask-SQLAlchemy gives it."""
        if mapped.tablename is not None:
            return mapped
        if not isinstance(self._class_queries.source_of(mapped.qualified), ClassQuery):
            return mapped
        simple = mapped.qualified.rpartition(".")[2]
        return structs.replace(mapped, tablename=_CAMEL.sub(r"_\1", simple).lower())

    def _given_to(
        self, qualified: str, name: str
    ) -> tuple[Module, list[tuple[ast.expr | None, ast.expr | None]]] | None:
        """Return what the nearest class body gives to an attribute: values, annotations."""
        for ancestor in self._models.ancestors(qualified):
            node = self._evaluator.classes.node(ancestor.qualified)
            given = [] if node is None else self._evaluator.members.given_to(*node, name)
            if node is not None and given:
                return node[0], given
        return None

    def _annotation(self, qualified: str, name: str) -> tuple[Module, ast.expr] | None:
        """Return what a class body says itself that the attribute holds."""
        module, given = self._given_to(qualified, name) or (None, [])
        annotations = [annotation for _, annotation in given if annotation is not None]
        return (module, annotations[0]) if module is not None and annotations else None

    def _related_values(self, owner: str, name: str, facts: RelationshipFacts) -> Values:
        if facts.target is None or self._models.status(facts.target) == "plain":
            return ()
        value: Values = (InstanceOf(facts.target),)
        if facts.lazy in _COLLECTIONS:
            return (InstanceOf(_COLLECTIONS[facts.lazy], parameters=(value,)),)
        many = self._collection(facts, value)
        is_collection = self.is_collection(owner, name, facts)
        if not many and is_collection is not False:
            return ()
        if is_collection is None:
            return union(many, value, (NoneValue(),))
        return many if is_collection else (*value, NoneValue())

    def _collection(self, facts: RelationshipFacts, one: Values) -> Values:
        """Return the collection of a relationship; empty where its class is unknown."""
        module = self._evaluator.load(facts.path)
        calls = [] if module is None else module.calls_at(facts.span)
        if module is None or not calls or "collection_class" not in module.text_of(calls[0]):
            return (InstanceOf("builtins.list", parameters=(one,)),)
        sides = self._models.relationships.in_file(facts.path)
        given = next((x.value for x in calls[0].keywords if x.arg == "collection_class"), None)
        # The arguments of a `backref` are inside of it.
        if given is None or any(side.facts == facts and side.reverse for side in sides):
            return ()
        made = given.func if isinstance(given, ast.Call) else given
        name = self._evaluator.names.qualified_name(module, made) or ""
        if name in _KEYED and made is not given:
            key = Unknown("awaken does not follow the keys of a collection", NOWHERE)
            return (InstanceOf("builtins.dict", parameters=((key,), one)),)
        name = "builtins.list" if name == _ORDERED else name
        return (InstanceOf(name, parameters=(one,)),) if name in _PLAIN else ()
