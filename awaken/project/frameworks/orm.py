"""The SQLAlchemy side of a program, in one place to ask."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from msgspec import structs

from awaken.contract import Place
from awaken.knowledge.asynchronous import Resource
from awaken.project.effects.places.between import Event
from awaken.project.frameworks.program_reads import ProgramReads
from awaken.project.frameworks.schemas.providers import schema_sights
from awaken.project.frameworks.schemas.sights import SchemaSights
from awaken.project.frameworks.sqlalchemy.attributes import MappedAttributes
from awaken.project.frameworks.sqlalchemy.automap import Automap
from awaken.project.frameworks.sqlalchemy.commits.program_commits import Commits
from awaken.project.frameworks.sqlalchemy.eager import EagerLoading, direction
from awaken.project.frameworks.sqlalchemy.engines.program_engines import Engines
from awaken.project.frameworks.sqlalchemy.keys import (
    Partners,
    Side,
    by_foreign_keys,
    pins_one,
    related_partners,
)
from awaken.project.frameworks.sqlalchemy.made_sessions.dependencies import (
    SessionDependency,
    session_dependency,
)
from awaken.project.frameworks.sqlalchemy.made_sessions.made import MadeSession, made_session
from awaken.project.frameworks.sqlalchemy.made_sessions.otherwise import (
    MadeOtherwise,
    made_otherwise,
)
from awaken.project.frameworks.sqlalchemy.mapping import ColumnFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, Models, Status
from awaken.project.frameworks.sqlalchemy.operations import Operation, Operations
from awaken.project.frameworks.sqlalchemy.queries.class_queries import ClassQueries, ClassQuery
from awaken.project.frameworks.sqlalchemy.queries.query_classes import QueryClass, QueryClasses
from awaken.project.frameworks.sqlalchemy.queries.replaced_methods import ReplacedMethods
from awaken.project.frameworks.sqlalchemy.reads.domain import Read, Trace, Wanted
from awaken.project.frameworks.sqlalchemy.reads.inverse import Inverse
from awaken.project.frameworks.sqlalchemy.relationships import Relationships, Site
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof, Sessions
from awaken.project.frameworks.sqlalchemy.sharing import SharedSession, SharedSessions
from awaken.project.frameworks.sqlalchemy.stand_ins.given import StandIn, StandIns
from awaken.project.frameworks.templates.sights import TemplateSights
from awaken.project.frameworks.testing.replaced.in_force import InForces
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.trees import Function
from awaken.project.source.words import FilesWith
from awaken.project.values.domain import Unknown
from awaken.workspace.text_files import Texts


class Orm:
    """Sessions, mapped classes and queries; nothing is looked for before it is asked."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        files_with: FilesWith,
        templates: Callable[[], Texts | None],
        in_force: InForces,
        program: Program,
    ) -> None:
        self._evaluator = evaluator
        self._files_with = files_with
        self._models = Models(evaluator, evaluator.classes, files_with)
        self._eager = EagerLoading(self._models)
        self.automap = Automap(evaluator, self._models, files_with)
        self._sessions = Sessions(evaluator, self._models, files_with)
        self._operations = Operations(evaluator, self._sessions, files_with)
        self._query_classes = QueryClasses(evaluator, files_with)
        self._class_queries = ClassQueries(
            evaluator, evaluator.classes, self._models, self._query_classes, files_with
        )
        self._shared_sessions = SharedSessions(evaluator, files_with)
        self.replaced_methods = ReplacedMethods(
            evaluator, self._sessions, files_with, in_force, program
        )
        self._stand_ins = StandIns(evaluator, self._models, files_with)
        self.engines = Engines(evaluator, files_with)
        self.commits = Commits(evaluator, self._models, self._sessions, files_with)
        self.schemas = self.schemas_reading(None)
        sights = (self.schemas, TemplateSights(evaluator, files_with, templates))
        self._reads = ProgramReads(evaluator, self._models, self._eager, files_with, sights)
        self._attributes = MappedAttributes(
            evaluator, self._models, self._eager, self._class_queries
        )
        evaluator.mapping = self._attributes

    def session_of(self, module: Module, node: ast.expr) -> SessionProof | Unknown | None:
        """Return the proof that ``node`` is a session, from where its value comes from.

        Unknown has one sentence on why, and the place; None means that ``node`` is proven to be
        something else.
        """
        return self._sessions.of(module, node)

    def stand_in(
        self, module: Module, node: ast.expr, without: Collection[str] = ()
    ) -> StandIn | None:
        """Return an object with a ``query`` of its own that the program gives for a session.

        ``node`` is one by its annotation alone. Objects of the classes ``without`` do not count.
        """
        return self._stand_ins.of(module, node, without)

    def operations(self, module: Module) -> tuple[Operation, ...]:
        """Return where a file uses synchronous sessions, connections and engines."""
        return tuple(self._operations.in_module(module))

    def operations_among(
        self, module: Module, among: Callable[[ast.AST], bool]
    ) -> Iterator[Operation]:
        """Yield those of a file whose nodes are ``among`` some; no other node is looked at."""
        return self._operations.in_module(module, among)

    def resource_of(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        """Return which synchronous resource an expression is; None if it is proved to be none."""
        return self._operations.resource_of(module, node)

    def session_variable(self, module: Module, function: Function) -> str:
        """Return how a function names the only session that it uses; empty without one."""
        return self._operations.session_variable(module, function)

    def made_session(self, module: Module, call: ast.Call) -> MadeSession | None:
        """Return the session that a call makes, or gets; None where that is not proven."""
        return made_session(self._evaluator, module, call)

    def made_otherwise(self, module: Module, call: ast.Call) -> MadeOtherwise:
        """Return what a call that makes a session may give instead, whatever is declared."""
        return made_otherwise(self._stand_ins.doubting, module, call)

    def session_dependency(self, module: Module, function: Function) -> SessionDependency | None:
        """Return what a function gives that is injected and makes a session; None if it is not."""
        return session_dependency(self._evaluator, module, function)

    def others_than_session(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return what ``node`` is proven to be instead of a session, one noun phrase for each.

        As in "an instance of app.Client"; empty where nothing is proven.
        """
        return self._sessions.others(module, node)

    def proved_by_use(
        self, module: Module, call: ast.Call, evidence: ast.expr | None = None
    ) -> SessionProof | None:
        """Return the proof that ``call`` gives by itself: ``x.query(MappedClass)``.

        ``evidence`` is an argument of which the caller knows that it is mapped. None where no
        argument is proven to be mapped, or where the receiver is known to be something else or
        asynchronous. None also where a class of the project may be meant that has a ``query`` of
        its own.
        """
        return self._sessions.by_use(module, call, evidence)

    def shared_session(
        self, module: Module, together: ast.AST, coroutines: Sequence[ast.expr]
    ) -> SharedSession | None:
        """Return a session, or connection, that several of ``coroutines`` use at once.

        They are expressions of ``module``, and ``together`` is what runs them: a call of
        ``gather``, the block of a ``TaskGroup``. A loop around a coroutine that is not around
        ``together`` makes it several times. None where that is not proven.
        """
        return self._shared_sessions.of(module, together, coroutines)

    def class_query(self, qualified: str) -> ClassQuery | Unknown | None:
        """Return which session ``query`` of a class asks, as in ``Model.query.all()``.

        Unknown has the reason; None means that the class has no such attribute.
        """
        return self._class_queries.of(qualified)

    def subclass_query(self, qualified: str) -> ClassQuery | Unknown | None:
        """Return which session ``cls.query`` asks, where any subclass may be meant."""
        return self._class_queries.of_subclasses(qualified)

    def query_class(self, qualified: str) -> QueryClass | None:
        """Return what a Query class of the project changes; None where it may be anything."""
        return self._query_classes.named(qualified)

    def query_classes_given(self) -> tuple[str, ...]:
        """Return the Query classes that sessions of the project are given; ``?`` for unknown ones.

        Which sessions these are is not said: ``session_of`` says so of those that it follows to
        where they are made.
        """
        return self._query_classes.given()

    def is_extension(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a Flask-SQLAlchemy object that gives classes their ``query``."""
        return self._class_queries.is_extension(module, node)

    def mapped_class(self, qualified: str | None) -> MappedClass | None:
        """Return the mapping of a class that the project defines.

        None if it is not proven to be mapped, which is unknown for classes of libraries.
        """
        return None if qualified is None else self._models.mapped_class(qualified)

    def mapping_ancestors(self, qualified: str) -> tuple[str, ...]:
        """Return the classes of the project from which a class inherits, itself first.

        Those that a declarative base is made of are among them.
        """
        return tuple(ancestor.qualified for ancestor in self._models.ancestors(qualified))

    def mapping_status(self, qualified: str) -> Status:
        """Return whether a class is mapped, a base of mapped classes, neither, or unknown."""
        return self._models.status(qualified)

    def relationships_to(self, qualified: str) -> Mapping[str, tuple[str | None, ...]]:
        """Return the visible relationships that lead to a class, by the class that has them.

        None is one whose name is put together. There may be more: the target of such a relationship
        may be unknown as well.
        """
        relationships: dict[str, tuple[str | None, ...]] = {}
        for site in self._models.relationships.leading_to(qualified):
            if site.owner is not None:
                relationships[site.owner] = (*relationships.get(site.owner, ()), site.attribute)
        return relationships

    @property
    def relationships(self) -> Relationships:
        """The declarations of relationships."""
        return self._models.relationships

    def relationship_sides(self, path: str) -> tuple[Site, ...]:
        """Return the sides of relationships that a file declares, those of backrefs included."""
        return self._models.relationships.in_file(path)

    def relationship_reads(self) -> tuple[Read, ...]:
        """Return every visible read of a relationship, with the loads of the objects, in order.

        One with an empty ``owner`` reads an attribute that some class has as a relationship, of an
        object of unknown class. Templates are read for rules that declare ``TEMPLATE_READS`` in
        ``reads``; for others they may read any attribute.
        """
        return self._reads.all()

    def relationship_reads_of(self, wanted: Wanted) -> tuple[Read, ...]:
        """Return those of ``relationship_reads`` that are wanted: only these are followed."""
        return self._reads.of(wanted)

    def schema_reads(self) -> tuple[tuple[Place | None, Read], ...]:
        """Return the reads of schemas among ``relationship_reads``, by what calls these.

        Each with the place of the call that reads. Without one it is the expression that gives the
        object, None where none is visible. A read that ``relationship_reads`` has once is here for
        each of them, with its own loads.
        """
        return self._reads.of_schemas()

    def schemas_reading(self, counts: Callable[[str], bool] | None) -> SchemaSights:
        """Return what models and schemas read of objects whose class ``counts``.

        Without ``counts`` that are the classes of the program that are mapped.
        """
        return schema_sights(self._evaluator, self._models, self._files_with, counts)

    def column_reads(self, names: Collection[str]) -> tuple[Read, ...]:
        """Return every read of a column with one of these names, with the loads of the objects.

        One whose ``owner`` is empty reads it of an object of which the class is not known.
        """
        return tuple(self._reads.columns.of(names))

    def relationships_of_mapped(self) -> frozenset[str]:
        """Return the names of all relationships of classes that are, or may be, mapped.

        Only a read of one of them can have an ``owner``.
        """
        return self._reads.names_of_mapped()

    def files_reading(self, attribute: str) -> list[str]:
        """Return the Python files that may read an attribute of this name, by how they look.

        To tell the reads, all those of relationships are parsed.
        """
        return self._reads.files_reading(attribute)

    def between_load_and_read(self, trace: Trace, read: Read) -> tuple[Event, ...]:
        """Return what may happen to an object between a load and a read, one of its ``traces``.

        ``unknown`` events have the reason.
        """
        return self._reads.between_load_and_read(trace, read)

    def keeps_objects(self) -> bool:
        """Whether every visible session keeps what it loaded when it commits."""
        return self._reads.expiry.never_by_commit()

    def expiring_sessions(self) -> list[tuple[Module, ast.Call]] | None:
        """Return the calls that make sessions which commits expire, next to others that keep.

        None where no visible session keeps what it loaded.
        """
        return self._reads.expiry.expiring()

    def inverse_of(self, owner: str, attribute: str) -> Inverse | None:
        """Return the side of a relationship that leads back; None if none is visible.

        Read of what the relationship gives, it leads to an object that was loaded before.
        """
        return self._reads.inverse_of(owner, attribute)

    def is_collection(self, qualified: str, attribute: str) -> bool | None:
        """Return whether a relationship of a mapped class holds many objects.

        None if unknown.
        """
        mapped = self._models.mapped_class(qualified)
        facts = None if mapped is None else mapped.relationships.get(attribute)
        return (
            None if facts is None else self._attributes.is_collection(qualified, attribute, facts)
        )

    def is_referred_to(self, qualified: str, attribute: str) -> bool:
        """Whether only the rows of a relationship refer to those of its owner."""
        mapped = self._models.mapped_class(qualified)
        facts = None if mapped is None else mapped.relationships.get(attribute)
        target = None if facts is None else self._models.mapped_class(facts.target or "")
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

    def has_one_table(self, qualified: str) -> bool:
        """Whether the rows of a mapped class are known to come from one table alone."""
        tables = self._tables(qualified)
        return tables is not None and len(tables) == 1

    def _side(self, qualified: str) -> Side | None:
        """Return a class with the tables of its rows: its own, and those that it inherits."""
        mapped, tables = self._models.mapped_class(qualified), self._tables(qualified)
        if mapped is None or tables is None:
            return None
        return Side(structs.replace(mapped, columns=self._with_references(mapped)), tables)

    def _tables(self, qualified: str) -> frozenset[str] | None:
        """Return the names of the tables that a class has its rows from; None if not all are."""
        above = [self._models.mapped_class(name) for name in self.mapping_ancestors(qualified)]
        named = [self._attributes.with_tablename(model) for model in above if model is not None]
        if any(model.table != "plain" or model.tablename is None for model in named):
            return None
        return frozenset(model.tablename for model in named if model.tablename is not None)

    def _with_references(self, mapped: MappedClass) -> Mapping[str, ColumnFacts]:
        """Return the columns of a class with ``"table.column"`` where keys name attributes."""
        return {
            name: column if column.refers is None else self._with_reference(column, column.refers)
            for name, column in mapped.columns.items()
        }

    def _with_reference(self, column: ColumnFacts, refers: str) -> ColumnFacts:
        owner, _, attribute = refers.rpartition(".")
        mapped = self._models.mapped_class(owner)
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
        for path in self._files_with(texts):
            for qualified in self._evaluator.classes.in_file(path):
                mapped = self._models.mapped_class(qualified)
                if mapped is None or mapped.tablename != table:
                    continue
                for name, facts in mapped.columns.items():
                    if (facts.name or name) == column:
                        return facts
        return None

    def pins_one(self, qualified: str, attributes: Collection[str]) -> bool:
        """Whether values for these attributes of a mapped class are those of one row at most."""
        mapped = self._models.mapped_class(qualified)
        return mapped is not None and pins_one(mapped, attributes)

    def needs_unique(self, qualified: str) -> bool | None:
        """Return whether loading the class loads a collection by a join (``.unique()`` needed).

        Only the mapping is looked at: joins and options of the statement are the caller's. None if
        unknown.
        """
        return self._eager.needs_unique(qualified)
