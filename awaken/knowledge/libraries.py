"""The typed form of the TOML files of this folder, and the questions about them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

from awaken.knowledge.typed_tables import read_tables

Value = TypeVar("Value")
Role = Literal[
    "session",
    "scoped",
    "async",
    "async-scoped",
    "factory",
    "async-factory",
    "engine",
    "none",
]
"""What an object is to a session proof; ``none`` says that it is known and is no session."""
BLOCKING_SESSIONS: frozenset[Role] = frozenset({"session", "scoped"})
"""The roles of sessions whose calls hold up their thread."""
CONFIGURED: frozenset[Role] = frozenset({"async", "async-factory", "factory", "session"})
"""The roles of what is made with the options of a session."""


Wait = Literal["sleep", "http", "network", "process", "file", "database", "lock", "cpu"]
"""What a blocking call waits for."""


Resource = Literal["engine", "async-engine", "pool", "client"]


class SameAs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``names`` of ``module`` are the very same objects in each module of ``also``."""

    module: str
    names: tuple[str, ...]
    also: tuple[str, ...] = ()


class TakenStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``function`` that takes a Query or a select() as its ``parameter``, at this position.

    From the version ``since`` on.
    """

    function: str
    parameter: str
    position: int
    since: str


class StatementTaker(msgspec.Struct, frozen=True):
    """Such a function, with the distribution that it is of."""

    distribution: str
    parameter: str
    position: int
    since: str


class Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One distribution; ``source`` says where its rows were read.

    All keys are dotted names as the program writes them after ``same`` was applied.

    - ``types``: what an instance of a class is.
    - ``calls``: what calling a function or a method of an instance returns.
    - ``attributes``: what an attribute of an instance or module is.
    - ``instances``: the class of which calling a function gives an instance, and
      ``instance_attributes`` the class of which an attribute is an instance.
    - ``classes``: functions that return a class, and the class.
    - ``managers``: what ``with`` binds for the value that calling this function returns.
    - ``delegates``: modules whose names are also attributes of an instance (``db.Column``).
    - ``declarative_bases``: classes, and ``declarative_factories``: functions whose result, of
      which a subclass is mapped; ``declarative_attributes`` are such bases as attributes of an
      instance; of ``declarative_roots`` a subclass is such a base; of ``table_keyword_bases`` a
      subclass is mapped where it says ``table=True``.
    - ``mapped_classes``: mapped classes, and ``mapped_attributes`` the attributes of a class that
      are one, with its name.
    - ``plain_bases``: classes that add nothing to the mapping of a subclass that loads eagerly.
    - ``class_queries``: such attributes whose subclasses have ``query``, and the attribute of the
      instance that is the session behind it; ``queried_classes`` are mapped classes of a
      library with such a ``query``, and the variable of a library that holds the instance.
    - ``query_classes``: what ``query()`` returns unless the program has a class of its own;
      ``query_attributes`` are their public names, in any version, and ``query_callers`` those that
      a subclass may replace, with the methods that call them.
    - ``takes_statements``: functions that do the same with a Query and with its select().
    - ``not_sessions``: top-level modules of which no class is a session, and no function gives one.
    - ``services``: top-level modules of clients for services: what they give is made of what these
      answer, and is no object of the program.
    - ``blocking``: functions and methods that hold up their thread until something outside is
      done, by what they wait for.
    - ``async_twins``: what a coroutine awaits instead of such a function, with the same arguments.
    - ``opens``: functions and classes whose call opens something that is to be kept and closed: a
      pool of connections to a database (``engine`` or
      ``async-engine`` of SQLAlchemy, ``pool`` of others), or a
      ``client`` with connections to other services.
    - ``for_one_task``: classes whose instances serve one task at a time; async sessions do, too.
    - ``current_users``: objects that stand for the user of a request, and what gives them: methods
      that are given a function which returns one, and functions that are given one.
    - ``not_mapped``: objects of a request or an application that are never mapped themselves,
      though their attributes may hold anything.
    - ``decoded``: functions that make plain data of the bytes or the text that they are given, or
      of those that they belong to, as long as nothing else is passed.
    """

    distribution: str
    source: str
    same: tuple[SameAs, ...] = ()
    types: dict[str, Role] = {}
    calls: dict[str, Role] = {}
    attributes: dict[str, Role] = {}
    instances: dict[str, str] = {}
    instance_attributes: dict[str, str] = {}
    classes: dict[str, str] = {}
    managers: dict[str, Role] = {}
    delegates: dict[str, tuple[str, ...]] = {}
    declarative_roots: tuple[str, ...] = ()
    declarative_bases: tuple[str, ...] = ()
    table_keyword_bases: tuple[str, ...] = ()
    declarative_factories: tuple[str, ...] = ()
    declarative_attributes: tuple[str, ...] = ()
    mapped_classes: tuple[str, ...] = ()
    mapped_attributes: dict[str, str] = {}
    plain_bases: tuple[str, ...] = ()
    class_queries: dict[str, str] = {}
    queried_classes: dict[str, str] = {}
    query_classes: tuple[str, ...] = ()
    query_attributes: tuple[str, ...] = ()
    query_callers: dict[str, tuple[str, ...]] = {}
    takes_statements: tuple[TakenStatement, ...] = ()
    not_sessions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    blocking: dict[Wait, tuple[str, ...]] = {}
    async_twins: dict[str, str] = {}
    opens: dict[str, Resource] = {}
    for_one_task: tuple[str, ...] = ()
    current_users: dict[str, tuple[str, ...]] = {}
    not_mapped: tuple[str, ...] = ()
    decoded: tuple[str, ...] = ()


def _merge_tables(tables: Iterable[dict[str, Value]]) -> dict[str, Value]:
    return {name: value for table in tables for name, value in table.items()}


def _all_names(names: Iterable[tuple[str, ...]]) -> set[str]:
    return {name for each in names for name in each}


class Knowledge:
    """All libraries together."""

    def __init__(self, libraries: tuple[Library, ...]) -> None:
        self.libraries = libraries
        self.types = _merge_tables(item.types for item in libraries)
        self.calls = _merge_tables(item.calls for item in libraries)
        self.attributes = _merge_tables(item.attributes for item in libraries)
        self.instances = _merge_tables(item.instances for item in libraries)
        self.instance_attributes = _merge_tables(item.instance_attributes for item in libraries)
        self.classes = _merge_tables(item.classes for item in libraries)
        self.managers = _merge_tables(item.managers for item in libraries)
        self.delegates = _merge_tables(item.delegates for item in libraries)
        self.declarative_roots = _all_names(item.declarative_roots for item in libraries)
        self.declarative_bases = _all_names(item.declarative_bases for item in libraries)
        self.table_keyword_bases = _all_names(item.table_keyword_bases for item in libraries)
        self.declarative_factories = _all_names(item.declarative_factories for item in libraries)
        self.declarative_attributes = _all_names(item.declarative_attributes for item in libraries)
        mapped = _all_names(item.mapped_classes for item in libraries)
        self.mapped_attributes = _merge_tables(item.mapped_attributes for item in libraries)
        self.plain_bases = _all_names(item.plain_bases for item in libraries)
        self.class_queries = _merge_tables(item.class_queries for item in libraries)
        self.queried_classes = _merge_tables(item.queried_classes for item in libraries)
        self.mapped_classes = mapped | self.queried_classes.keys()
        self.query_classes = _all_names(item.query_classes for item in libraries)
        self.query_attributes = _all_names(item.query_attributes for item in libraries)
        self.query_callers: dict[str, set[str]] = {}
        self.takes_statements: dict[str, StatementTaker] = {}
        self.not_sessions = _all_names(item.not_sessions for item in libraries)
        self.services = _all_names(item.services for item in libraries)
        self.blocking: dict[str, Wait] = {}
        self.async_twins = _merge_tables(item.async_twins for item in libraries)
        self.opens = _merge_tables(item.opens for item in libraries)
        self.for_one_task = _all_names(item.for_one_task for item in libraries)
        self.current_users = _merge_tables(item.current_users for item in libraries)
        self.not_mapped = _all_names(item.not_mapped for item in libraries)
        self.decoded = _all_names(item.decoded for item in libraries)
        self._same: dict[str, str] = {}
        self._public: dict[str, set[str]] = {}
        for library in libraries:
            self._add(library)

    def _add(self, library: Library) -> None:
        for name, callers in library.query_callers.items():
            self.query_callers.setdefault(name, set()).update(callers)
        for item in library.takes_statements:
            taker = StatementTaker(library.distribution, item.parameter, item.position, item.since)
            self.takes_statements[item.function] = taker
        for wait, blocking in library.blocking.items():
            self.blocking |= dict.fromkeys(blocking, wait)
        for row in library.same:
            self._public.setdefault(row.module, set()).update(row.names)
            for module in row.also:
                for name in row.names:
                    self._same[f"{module}.{name}"] = f"{row.module}.{name}"

    def canonical(self, name: str) -> str:
        """Return the one name by which awaken knows the object that is also called ``name``.

        ``sqlalchemy.orm.session.Session`` is ``sqlalchemy.orm.Session``; names that no library
        file mentions stay as they are.
        """
        # The longest name first: a class may be renamed, and an attribute of it once more.
        canonical = self._same.get(name)
        if canonical is not None:
            return canonical
        head, dot, last = name.rpartition(".")
        if dot and head in self._same:  # an attribute of a renamed class
            return f"{self._same[head]}.{last}"
        return name

    def require_canonical(self, who: str, names: Iterable[str]) -> None:
        """Raise TypeError if ``who`` looks for one of ``names`` that no code ever gets."""
        for name in names:
            canonical = self.canonical(name) if "." in name else f"builtins.{name}"
            if canonical != name:
                raise TypeError(f"{who} can never match `{name}`: awaken calls it `{canonical}`")

    def has(self, module: str, name: str) -> bool:
        """Whether ``name`` is known to exist in the library module ``module``."""
        return name in self._public.get(module, ())


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """Return what the TOML files of this package say.

    Raises msgspec.ValidationError where a file does not have the form of ``Library``.
    """
    return Knowledge(read_tables("awaken.knowledge", Library))
