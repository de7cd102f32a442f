"""The SQLAlchemy side of a program, in one place to ask."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping

from msgspec import structs

from awaken.knowledge.asynchronous import Resource
from awaken.project.frameworks.program_reads import ProgramReads
from awaken.project.frameworks.schemas.schema_readers import schema_sights
from awaken.project.frameworks.schemas.schema_sights import SchemaSights
from awaken.project.frameworks.sqlalchemy.automap import Automap
from awaken.project.frameworks.sqlalchemy.commits.program_commits import Commits
from awaken.project.frameworks.sqlalchemy.concurrent_sessions import SharedSessions
from awaken.project.frameworks.sqlalchemy.engines.program_engines import Engines
from awaken.project.frameworks.sqlalchemy.keys import (
    EagerLoading,
    Partners,
    Side,
    by_foreign_keys,
    direction,
    keys_to,
    pins_one,
    related_partners,
)
from awaken.project.frameworks.sqlalchemy.made_sessions.dependencies import (
    SessionDependency,
    session_dependency,
)
from awaken.project.frameworks.sqlalchemy.made_sessions.made import (
    MadeOtherwise,
    MadeSession,
    made_otherwise,
    made_session,
)
from awaken.project.frameworks.sqlalchemy.mapped_attributes import MappedAttributes
from awaken.project.frameworks.sqlalchemy.mapping import ColumnFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, Models
from awaken.project.frameworks.sqlalchemy.operations import Operations
from awaken.project.frameworks.sqlalchemy.queries.class_queries import ClassQueries
from awaken.project.frameworks.sqlalchemy.queries.query_classes import QueryClasses
from awaken.project.frameworks.sqlalchemy.queries.replaced_methods import ReplacedMethods
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof, Sessions
from awaken.project.frameworks.sqlalchemy.stand_ins import StandIns
from awaken.project.frameworks.templates.template_sights import TemplateSights
from awaken.project.frameworks.testing.replaced.in_force import InForces
from awaken.project.graph.computed_names import ComputedNames
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.trees import FunctionOrLambda
from awaken.project.values.domain import InstanceOf, Unknown, Value, Values, classes_in, with_parts
from awaken.workspace.text_files import Texts


class Orm:
    """Sessions, mapped classes and queries; nothing is looked for before it is asked."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        templates: Callable[[], Texts | None],
        in_force: InForces,
        program: Program,
    ) -> None:
        self._evaluator = evaluator
        self.computed_names = ComputedNames(evaluator)
        self.models = Models(evaluator)
        self.relationships = self.models.relationships
        self.eager = EagerLoading(self.models)
        self.automap = Automap(evaluator, self.models)
        self.sessions = Sessions(evaluator, self.models)
        self.operations = Operations(evaluator, self.sessions)
        self.query_classes = QueryClasses(evaluator)
        self.class_queries = ClassQueries(evaluator, self.models, self.query_classes)
        self.shared_sessions = SharedSessions(evaluator)
        self.replaced_methods = ReplacedMethods(evaluator, self.sessions, in_force, program)
        self.stand_ins = StandIns(evaluator, self.models)
        self.engines = Engines(evaluator)
        self.commits = Commits(evaluator, self.models, self.sessions)
        self.schemas = self.schemas_reading(None)
        sights = (self.schemas, TemplateSights(evaluator, templates))
        self._attributes = MappedAttributes(evaluator, self.models, self.eager, self.class_queries)
        self.reads = ProgramReads(evaluator, self.models, self._attributes, sights)
        evaluator.mapping = self._attributes

    def session_of(self, module: Module, node: ast.expr) -> SessionProof | Unknown | None:
        """Return the proof that ``node`` is a session, from where its value comes from.

        Unknown has one sentence on why, and the place; None means that ``node`` is proven to be
        something else.
        """
        return self.sessions.proof_of(module, node)

    def may_call_session(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` may call a method of a session."""
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        return receiver is not None and self.session_of(module, receiver) is not None

    def resource_of(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        """Return which synchronous resource an expression is; None if it is proved to be none."""
        return self.operations.resource_of(module, node)

    def is_resource(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression is proved to be a synchronous resource."""
        return not isinstance(self.resource_of(module, node), Unknown | None)

    def made_session(self, module: Module, call: ast.Call) -> MadeSession | None:
        """Return the session that a call makes, or gets; None where that is not proven."""
        return made_session(self._evaluator, module, call)

    def made_otherwise(self, module: Module, call: ast.Call) -> MadeOtherwise:
        """Return what a call that makes a session may give instead, whatever is declared."""
        return made_otherwise(self.stand_ins.doubting, module, call)

    def session_dependency(
        self, module: Module, function: FunctionOrLambda
    ) -> SessionDependency | None:
        """Return what a function gives that is injected and makes a session; None if it is not."""
        return session_dependency(self._evaluator, module, function)

    def mapped_class(self, qualified: str | None) -> MappedClass | None:
        """Return the mapping of a class that the project defines.

        None if it is not proven to be mapped, which is unknown for classes of libraries.
        """
        return None if qualified is None else self.models.mapped_class(qualified)

    def classes_of(self, module: Module, node: ast.expr) -> list[str]:
        """Return the mapped classes of which an expression may give an object."""
        classes = dict.fromkeys(classes_in(self._evaluator.values(module, node)))
        return [name for name in classes if self.models.mapped_class(name) is not None]

    def with_heirs(self, values: Values) -> Values:
        """Return values, with those of each mapped class below in place of an object of a base."""
        result: list[Value] = []
        for value in values:
            if isinstance(value, InstanceOf) and self.models.status(value.qualified) == "base":
                below = self.models.mapped_below(value.qualified)
                result += [structs.replace(value, qualified=name) for name in below]
            else:
                result.append(with_parts(value, self.with_heirs))
        return tuple(result)

    def mapping_ancestors(self, qualified: str) -> tuple[str, ...]:
        """Return the classes of the project from which a class inherits, itself first.

        Those that a declarative base is made of are among them.
        """
        return tuple(ancestor.qualified for ancestor in self.models.ancestors(qualified))

    def relationships_to(self, qualified: str) -> Mapping[str, tuple[str | None, ...]]:
        """Return the visible relationships that lead to a class, by the class that has them.

        None is one whose name is put together. There may be more: the target of such a relationship
        may be unknown as well.
        """
        relationships: dict[str, tuple[str | None, ...]] = {}
        for site in self.models.relationships.leading_to(qualified):
            if site.owner is not None:
                relationships[site.owner] = (*relationships.get(site.owner, ()), site.attribute)
        return relationships

    def schemas_reading(self, counts: Callable[[str], bool] | None) -> SchemaSights:
        """Return what models and schemas read of objects whose class ``counts``.

        Without ``counts`` that are the classes of the program that are mapped.
        """
        return schema_sights(self._evaluator, self.models, counts)

    def is_collection(self, qualified: str, attribute: str) -> bool | None:
        """Return whether a relationship of a mapped class holds many objects.

        None if unknown.
        """
        facts = self.models.relationship(qualified, attribute)
        return (
            None if facts is None else self._attributes.is_collection(qualified, attribute, facts)
        )

    def is_referred_to(self, qualified: str, attribute: str) -> bool:
        """Whether only the rows of a relationship refer to those of its owner."""
        mapped = self.models.mapped_class(qualified)
        facts = self.models.relationship(qualified, attribute)
        target = None if facts is None else self.models.mapped_class(facts.target or "")
        return mapped is not None and target is not None and bool(direction(mapped, target))

    def partners(self, owner: str, target: str, attribute: str = "") -> Partners | None:
        """Return how many rows of a class may belong to one row of another, by their keys.

        By those that a relationship of ``owner`` follows, or all. None if unknown.
        """
        sides = [self._side(name) for name in (owner, target)]
        if sides[0] is None or sides[1] is None:
            return None
        if not attribute:
            return by_foreign_keys(sides[0], sides[1])
        facts = sides[0].mapped.relationships.get(attribute)
        return None if facts is None else related_partners(sides[0], sides[1], facts)

    def keys_between(self, owner: str, target: str) -> frozenset[str]:
        """Return the attributes by which rows of two classes may refer to each other."""
        sides = [self._side(name) for name in (owner, target)]
        known = [side for side in sides if side is not None]
        tables = frozenset[str]().union(*(side.tables for side in known))
        wanted = tables if len(known) == len(sides) else None
        mapped = filter(None, map(self.models.mapped_class, (owner, target)))
        return frozenset(name for each in mapped for name in keys_to(self._referring(each), wanted))

    def has_one_table(self, qualified: str) -> bool:
        """Whether the rows of a mapped class are known to come from one table alone."""
        tables = self._tables(qualified)
        return tables is not None and len(tables) == 1

    def _side(self, qualified: str) -> Side | None:
        """Return a class with the tables of its rows: its own, and those that it inherits."""
        mapped, tables = self.models.mapped_class(qualified), self._tables(qualified)
        if mapped is None or tables is None:
            return None
        return Side(self._referring(mapped), tables)

    def _tables(self, qualified: str) -> frozenset[str] | None:
        """Return the names of the tables that a class has its rows from; None if not all are."""
        above = [self.models.mapped_class(name) for name in self.mapping_ancestors(qualified)]
        named = [self._attributes.with_tablename(model) for model in above if model is not None]
        if any(model.table != "plain" or model.tablename is None for model in named):
            return None
        return frozenset(model.tablename for model in named if model.tablename is not None)

    def _referring(self, mapped: MappedClass) -> MappedClass:
        """Return a class whose columns have ``"table.column"`` where keys name attributes."""
        columns = {
            name: column if column.refers is None else self._with_reference(column, column.refers)
            for name, column in mapped.columns.items()
        }
        return structs.replace(mapped, columns=columns)

    def _with_reference(self, column: ColumnFacts, refers: str) -> ColumnFacts:
        owner, _, attribute = refers.rpartition(".")
        mapped = self.models.mapped_class(owner)
        referred = None if mapped is None else mapped.columns.get(attribute)
        # A class with several tables does not say of which one its attribute is.
        tables = self._tables(owner)
        if referred is None or tables is None or len(tables) != 1:
            return column
        (table,) = tables
        key = f"{table}.{referred.name or attribute}"
        return structs.replace(column, foreign_key=key)

    def referred_column(self, foreign_key: str) -> ColumnFacts | None:
        """Return the column that ``"table.column"`` refers to; None if none is visible."""
        table, _, column = foreign_key.rpartition(".")
        texts = [f"__tablename__ = {quote}{table}{quote}".encode() for quote in "\"'"]
        for path in self._evaluator.files_with(texts):
            for qualified in self._evaluator.classes.written_in(path):
                mapped = self.models.mapped_class(qualified)
                if mapped is None or mapped.tablename != table:
                    continue
                for name, facts in mapped.columns.items():
                    if (facts.name or name) == column:
                        return facts
        return None

    def pins_one(self, qualified: str, attributes: Collection[str]) -> bool:
        """Whether values for these attributes of a mapped class are those of one row at most."""
        mapped = self.models.mapped_class(qualified)
        return mapped is not None and pins_one(mapped, attributes)
