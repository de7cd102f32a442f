"""The mapped classes of a program, and the relationships that they load by themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from awaken.contract import Span
from awaken.knowledge.library_names import library_names, name_list, name_table
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.effects.construction import Constructions
from awaken.project.frameworks.sqlalchemy.constraints import (
    NONE,
    UNKNOWN,
    Constraints,
    constraints_of,
)
from awaken.project.frameworks.sqlalchemy.mapping import (
    BY_CLASS,
    AttributeKind,
    ClassBody,
    ColumnFacts,
    MappingReader,
    RelationshipFacts,
    database_names,
)
from awaken.project.frameworks.sqlalchemy.relationships import WORDS, Relationships, Site
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import Ancestors, ClassFacts
from awaken.project.names.functions.decorators import decorator_names
from awaken.project.source.memo import cached_by, cached_method, cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, keyword_of, without_arguments
from awaken.project.source.words import called_words
from awaken.project.source.worklist import reverse_postorder
from awaken.project.values.domain import DeclarativeBase, External

Status = Literal["mapped", "base", "plain", "unknown"]
TableKind = Literal["plain", "selectable", "unknown"]

_MAPPING_DECORATORS = name_table("mapping_decorators")
_HARMLESS_DECORATORS = name_list("mapping_nothing")
_HARMLESS_BASES = library_names().plain_bases | library_names().protocols
_VALIDATES = "sqlalchemy.orm.validates"
_LISTENING = name_list("event_functions")
_LISTENING_WORDS = [b"event", b"constructor"]
_EVENTS_OF_NEW = name_list("events_of_new_objects")
_HARMLESS_BASES |= {"builtins.str", "enum.Enum", *schema_knowledge().models.bases}


class MappedClass(Struct, frozen=True):
    """One mapped class of the project with what it inherits.

    ``table`` is ``selectable`` for a class mapped to a join, view or select. ``complete`` is False
    if a base, a mixin, a decorator or an attribute could not be followed, so that more may be
    mapped than is listed here. ``constraints`` are those of its table.
    """

    qualified: str
    path: str
    span: Span
    table: TableKind
    tablename: str | None
    columns: Mapping[str, ColumnFacts]
    relationships: Mapping[str, RelationshipFacts]
    kinds: Mapping[str, AttributeKind]
    complete: bool
    constraints: Constraints = NONE

    def attribute_kind(self, name: str) -> AttributeKind | None:
        """Return what the attribute ``name`` is; None if the mapping does not show it."""
        return "relationship" if name in self.relationships else self.kinds.get(name)


class Imperative(NamedTuple):
    """One ``map_imperatively(Class, table, properties=...)``."""

    path: str
    table: TableKind
    columns: dict[str, ColumnFacts]
    complete: bool
    tablename: str | None
    constraints: Constraints


class Models:
    """Answers what is mapped; keeps small facts per class that was asked for."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._classes = evaluator.classes
        self._reader = MappingReader(evaluator)
        self._constructions = Constructions(evaluator)
        self.relationships = Relationships(
            evaluator, self._reader, lambda qualified: self.status(qualified) == "plain"
        )

    def is_bound_again(self, qualified: str) -> bool:
        """Whether a file gives the name of a class something else as well: a Table, or a proxy."""
        _, bindings = self._evaluator.names.bindings_at(qualified) or (None, [])
        return any(binding.kind not in {"class", "import"} for binding in bindings)

    @cached_method
    def status(self, qualified: str) -> Status:
        """Return whether a class is mapped, a base of mapped classes, neither, or unknown."""
        # Bases before their heirs: a line of a thousand classes is no recursion.
        line = reverse_postorder([qualified], self._bases_of)
        return [*map(self._status, reversed(line))][-1]

    def _bases_of(self, qualified: str) -> list[str]:
        """Return the classes of the program that a class inherits from itself."""
        facts = self._classes.facts(qualified)
        bases = () if facts is None else facts.bases
        return [base for base in bases if base and self._classes.facts(base) is not None]

    @cached_by(str, "unknown")  # for a class that inherits from itself
    def _status(self, qualified: str) -> Status:
        facts = self._classes.facts(qualified)
        if facts is None:
            return "base" if self._is_declarative(qualified) else "unknown"
        # First: such a class has neither a base nor a decorator that tells.
        if qualified in self._imperative():
            return "mapped"
        decorated = self._decorated_status(facts)
        if decorated is not None:
            return decorated
        inherited = self._inherited_status(facts)
        if self._has_keyword_base(qualified):
            # SQLModel maps a class only if it says ``table=True``.
            return "mapped" if ("table", "True") in facts.keywords else "plain"
        # A tree is loaded for a body.
        body = self.body(qualified) if inherited == "mapped" else None
        return "base" if body is not None and body.abstract else inherited

    def _is_declarative(self, qualified: str) -> bool:
        """Whether a module's variable holds a base: ``Base = declarative_base()``."""
        located = self._evaluator.names.locate(qualified)
        module = self._evaluator.load(located.path) if located is not None else None
        if located is None or module is None or len(located.rest) != 1:
            return False
        values = self._evaluator.global_values(module, located.rest[0])
        return bool(values) and all(isinstance(value, DeclarativeBase) for value in values)

    def _decorated_status(self, facts: ClassFacts) -> Status | None:
        pair = self._classes.node(facts.qualified) if facts.decorators else None
        for decorator in pair[1].decorator_list if pair is not None else ():
            plain = without_arguments(decorator)
            for name in self._reader.called_names(pair[0], plain) if pair is not None else ():
                status = _MAPPING_DECORATORS.get(name)
                if status is not None:
                    return "mapped" if status == "mapped" else "base"
        return None

    def _inherited_status(self, facts: ClassFacts) -> Status:
        """Return what the bases make of a class, were it not abstract."""
        knowledge, result = self._evaluator.knowledge, set[Status]()
        for index, base in enumerate(facts.bases):
            if base in knowledge.declarative_bases:
                result.add("mapped")
            elif base in knowledge.declarative_roots:
                result.add("base")
            elif base is not None and self._classes.facts(base) is not None:
                status = self._status(base)
                result.add("mapped" if status == "base" else status)
            elif self._declarative(facts, index) is not None:
                result.add("mapped")
            elif base is None or not self._is_harmless(base):
                result.add("unknown")
        # One mapped base is enough; after that what may be mapped counts before what is not.
        order: tuple[Status, ...] = ("mapped", "base", "unknown")
        return next((status for status in order if status in result), "plain")

    def _is_harmless(self, base: str) -> bool:
        knowledge = self._evaluator.knowledge
        return (
            base in _HARMLESS_BASES | knowledge.plain_bases | knowledge.table_keyword_bases
            or base.startswith("builtins.")
        )

    # None for a base that leads back to this class while it is looked for.
    @cached_by(lambda facts, index: (facts.qualified, index), None)
    def _declarative(self, facts: ClassFacts, index: int) -> DeclarativeBase | None:
        """Return the base at ``index`` if it is ``declarative_base()``, ``db.Model`` or so."""
        node = self._classes.node(facts.qualified)
        values = () if node is None else self._evaluator.values(node[0], node[1].bases[index])
        known = self._evaluator.knowledge.declarative_bases
        bases = [
            # One of a library, where another file may give its own in its place.
            DeclarativeBase() if isinstance(value, External) else value
            for value in values
            if isinstance(value, DeclarativeBase)
            or (isinstance(value, External) and value.qualified in known)
        ]
        if not bases or len(bases) < len(values):
            return None
        complete = all(base.complete for base in bases)
        return DeclarativeBase(bases[0].parent, complete, any(base.automap for base in bases))

    @cached_method
    def body(self, qualified: str) -> ClassBody | None:
        """Return what the body of a class of the project maps by itself."""
        pair, fields = self._classes.node(qualified), self._has_keyword_base(qualified)
        return None if pair is None else self._reader.body(*pair, fields=fields)

    def _has_keyword_base(self, qualified: str) -> bool:
        bases = self._evaluator.knowledge.table_keyword_bases
        return not bases.isdisjoint(self._classes.library_ancestors(qualified))

    @cached_method
    def mapped_class(self, qualified: str) -> MappedClass | None:
        """Return the mapping of a class of the project; None if it is not proven to be mapped."""
        facts = self._classes.facts(qualified)
        ancestors = self._classes.ancestors(qualified)
        mapped = facts is not None and self.status(qualified) == "mapped"
        return self._mapping(facts, ancestors) if mapped and facts and ancestors else None

    @cached_method
    def mapped_below(self, qualified: str) -> tuple[str, ...]:
        """Return the mapped classes that inherit from a class of the program."""
        is_above = self.may_have_heirs(qualified)
        below = self._classes.all_subclasses(qualified) if is_above else ()
        return tuple(name for name in below if self.mapped_class(name) is not None)

    def runs_where_made(self, qualified: str) -> bool:
        """Whether the program may run code where an object of a mapped class is made.

        That is a method of its construction, a validator, or a listener to new objects.
        """
        made = self._constructions.of_class(qualified)
        is_own = made is not None and bool(made.runs or made.why)
        return (
            is_own or self._listens_to_new or any(map(self._validates, self.ancestors(qualified)))
        )

    def _validates(self, facts: ClassFacts) -> bool:
        """Whether a class has validators, which run where a keyword sets an attribute."""
        module, node = self._classes.node(facts.qualified) or (None, None)
        return module is not None and any(
            _VALIDATES in decorator_names(self._evaluator.names, module, part)
            for part in module.walk(node)
            if isinstance(part, Function)
        )

    @cached_property
    def _listens_to_new(self) -> bool:
        """Whether the program listens to new objects, or gives a base another constructor."""
        paths = self._evaluator.files_with(_LISTENING_WORDS)
        names = self._evaluator.names
        for module, call in nodes_in(self._evaluator.modules_at(paths), ast.Call):
            if keyword_of(call, "constructor") is not None:
                return True
            event = call.args[1] if len(call.args) > 1 else keyword_of(call, "identifier")
            if event is None or names.qualified_name(module, call.func) not in _LISTENING:
                continue
            if not isinstance(event, ast.Constant) or event.value in _EVENTS_OF_NEW:
                return True
        return False

    def may_have_heirs(self, qualified: str) -> bool:
        """Whether it is a class of the program, or a variable that holds a declarative base."""
        return self._classes.facts(qualified) is not None or self.status(qualified) == "base"

    def relationship(self, qualified: str | None, name: str) -> RelationshipFacts | None:
        """Return the relationship that a mapped class of the project has by a name."""
        mapped = None if qualified is None else self.mapped_class(qualified)
        return None if mapped is None else mapped.relationships.get(name)

    def target_of(self, qualified: str | None, name: str) -> str | None:
        """Return the class that a relationship leads to; None if it is unknown."""
        facts = self.relationship(qualified, name)
        return None if facts is None else facts.target

    def _mapping(self, facts: ClassFacts, ancestors: Ancestors) -> MappedClass:
        columns: dict[str, ColumnFacts] = {}
        relationships: dict[str, RelationshipFacts] = {}
        kinds: dict[str, AttributeKind] = {}
        complete, tablename, table = True, None, None
        constraints: list[Constraints] = []
        for inherited in self._with_declarative(ancestors):
            body = self.body(inherited.qualified)
            imperative = self._imperative().get(inherited.qualified)
            if body is None:
                complete = False
                continue
            complete = complete and self._is_complete(inherited, body)
            tablename = body.tablename if tablename is None else tablename
            table = table or body.table or (imperative.table if imperative else None)
            # The nearer one came before, and wins.
            kinds = {**body.kinds, **kinds}
            own = body.columns
            constraints += [] if body.constraints is None else [body.constraints]
            if imperative is not None:
                tablename = tablename or imperative.tablename
                constraints.append(imperative.constraints)
                # Of such a class an annotation says nothing of a column.
                own = {**own, **imperative.columns}
                kinds = {**dict.fromkeys(imperative.columns, "column"), **kinds}
                complete = complete and imperative.complete
            columns = {**own, **columns}
            relationships = {**self._declared_facts(inherited), **relationships}
        if tablename == BY_CLASS or (tablename is None and self._has_keyword_base(facts.qualified)):
            tablename = facts.qualified.rpartition(".")[2].lower()
        return MappedClass(
            facts.qualified, facts.path, facts.span, table or "plain", tablename or None,
            columns, relationships, kinds, complete, _nearest(constraints),
        )  # fmt: skip

    def is_automapped(self, qualified: str) -> bool:
        """Whether a class inherits from what ``automap_base()`` gives."""
        return any(
            base is not None and base.automap
            for ancestor in self.ancestors(qualified)
            for base in (self._declarative(ancestor, index) for index in range(len(ancestor.bases)))
        )

    def ancestor_names(self, qualified: str) -> set[str]:
        """Return a class and all classes of the project from which it inherits mappings."""
        return {qualified, *(ancestor.qualified for ancestor in self.ancestors(qualified))}

    def ancestors(self, qualified: str) -> list[ClassFacts]:
        """Return the classes of the project from which a class inherits, itself first."""
        ancestors = self._classes.ancestors(qualified)
        return [] if ancestors is None else self._with_declarative(ancestors)

    def _with_declarative(self, ancestors: Ancestors) -> list[ClassFacts]:
        """Return the classes of the project with the ones that declarative bases add."""
        result = {entry.qualified: entry for entry in ancestors.inside}
        for facts in ancestors.inside:
            # The class of ``declarative_base(cls=...)`` is inherited, but in no list of bases.
            for index in range(len(facts.bases)):
                base = (
                    self._declarative(facts, index)
                    # A class of the project itself is followed by its name.
                    if facts.bases[index] is None
                    or (self._classes.facts(facts.bases[index] or "") is None)
                    else None
                )
                parent = None if base is None or base.parent is None else base.parent
                more = None if parent is None else self._classes.ancestors(parent)
                for item in more.inside if more is not None else ():
                    result.setdefault(item.qualified, item)
        return list(result.values())

    def _declared_facts(self, facts: ClassFacts) -> dict[str, RelationshipFacts]:
        """Return the relationships of one class itself, with those that others give to it."""
        sites = [
            site
            for site in self.relationships.in_file(facts.path)
            if site.owner == facts.qualified and not site.reverse
        ]
        imperative = self._imperative().get(facts.qualified)
        if imperative is not None and imperative.path != facts.path:
            sites += [
                site
                for site in self.relationships.in_file(imperative.path)
                if site.owner == facts.qualified and not site.reverse
            ]
        # Declared on the other class, but mapped on this one.
        sites += self.relationships.backrefs_to(facts.qualified)
        return {site.attribute: site.facts for site in sites if site.attribute is not None}

    def _is_complete(self, facts: ClassFacts, body: ClassBody) -> bool:
        knowledge = self._evaluator.knowledge
        # An attribute that cannot be read may be a relationship.
        if not facts.unique or "opaque" in body.kinds.values():
            return False
        for index, base in enumerate(facts.bases):
            if base is not None and self._classes.facts(base) is not None:
                continue
            if base in knowledge.declarative_bases | knowledge.declarative_roots:
                continue
            declarative = self._declarative(facts, index)
            if (
                declarative is not None
                and declarative.complete
                and (
                    declarative.parent is None
                    or self._classes.facts(declarative.parent) is not None
                )
            ):
                continue
            if declarative is not None or base is None or not self._is_harmless(base):
                return False
        return all(
            name in _HARMLESS_DECORATORS or self._decorated_status(facts) is not None
            for name in facts.decorators
        )

    @cached_by(tuple, {})
    def _imperative(self) -> dict[str, Imperative]:
        paths = self._evaluator.files_with([b"map_imperatively", *called_words("mapper")])
        calls = (
            (module, node)
            for module, node in nodes_in(self._evaluator.modules_at(paths), ast.Call)
            if node.args
        )
        return dict(pair for call in calls for pair in self._mapped_by(*call))

    def _mapped_by(self, module: Module, node: ast.Call) -> Iterator[tuple[str, Imperative]]:
        owner = self.relationships.class_of_mapper(module, node)
        if owner is None:
            return
        properties = keyword_of(node, "properties")
        # Properties put together elsewhere may map anything.
        complete = properties is None or isinstance(properties, ast.Dict)
        complete = complete and not any(keyword.arg is None for keyword in node.keywords)
        table = node.args[1] if len(node.args) > 1 else None
        values = properties.values if isinstance(properties, ast.Dict) else []
        # Attributes may be given other names than their columns have.
        is_renamed = not all(isinstance(value, ast.Call) for value in values)
        made = self._table(module, table)
        name, constraints = (None, UNKNOWN) if is_renamed else (made.name, made.constraints)
        mapped = Imperative(module.path, made.kind, made.columns, complete, name, constraints)
        yield owner, mapped

    def _table(self, module: Module, node: ast.expr | None) -> _Table:
        """Return the ``Table("x", metadata, Column(...), ...)`` that a name is assigned."""
        name = None if node is None else self._evaluator.names.qualified_name(module, node)
        defining, value = self._evaluator.names.value_at(name) or (module, node)
        if not isinstance(value, ast.Call):
            return _Table("unknown", {})
        if self._reader.called_names(defining, value.func) != {"sqlalchemy.Table"}:
            return _Table("unknown", {})
        columns: dict[str, ColumnFacts] = {}
        others: list[ast.expr] = []
        for argument in value.args[2:]:
            is_column = self._reader.kind_of(defining, argument) == "column"
            given = argument.args[0] if isinstance(argument, ast.Call) and argument.args else None
            if is_column and isinstance(given, ast.Constant) and isinstance(given.value, str):
                columns[given.value] = self._reader.column(defining, argument)
            else:
                others.append(argument)
        first = value.args[0] if value.args else None
        tablename = first.value if isinstance(first, ast.Constant) else None
        return _Table(
            "plain",
            columns,
            tablename if isinstance(tablename, str) else None,
            constraints_of(others, self._reader.namer(defining), database_names(columns)),
        )


class _Table(NamedTuple):
    """A table as it is written; ``name`` is None where that is put together."""

    kind: TableKind
    columns: dict[str, ColumnFacts]
    name: str | None = None
    constraints: Constraints = UNKNOWN


def _nearest(constraints: Sequence[Constraints]) -> Constraints:
    """Return what the nearest class says of its table: that of others may be another one."""
    if not constraints:
        return NONE
    others_known = all(candidate.known and not candidate.foreign for candidate in constraints[1:])
    return structs.replace(constraints[0], known=constraints[0].known and others_known)


__all__ = ["WORDS", "External", "MappedClass", "Models", "Site"]


class ModelFacts:
    """Facts of the mapped classes of one program."""

    def __init__(self, evaluator: ProgramEvaluator, models: Models) -> None:
        self._evaluator = evaluator
        self._models = models
