"""Names of libraries that several questions share, so that they cannot disagree.

The TOML files of this folder, typed; they name the sources of their rows.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from awaken.knowledge.typed_tables import read_table


class LibraryNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Qualified names; of loader options the last name.

    - ``plain_bases``: classes that give their subclasses no method, and call none of them.
    - ``protocols``: the base of protocols.
    - ``manager_bases``, ``manager_makers``: bases of context managers, and their decorators.
    - ``mocks``, ``threads``: what makes a mock, and a thread.
    - ``mock_attributes``: attributes of a mock, apart from ``assert_...``, that functions lack.
    - ``methods_of_properties``: methods of ``util.Properties``, so no attribute by such a name.
    - ``casts``: functions that return their second argument.
    - ``catching_all``: classes of exceptions that catch what any code is likely to raise.
    - ``listing_names``: builtins that see all names of the scope in which they are called.
    - ``looking``: functions that are given a function and neither call nor keep it.
    - ``reading_signatures``: those of them that read its parameters, or its text.
    - ``task_makers``, ``loop_getters``: functions that make a task, and that return an event loop.
    - ``varying``: functions, and modules of them, that return another value each time.
    - ``in_threads``: functions that run one of their arguments in a thread, and its position.
    - ``calling``: further functions that call one with the arguments after it, and its position.
    - ``adding_methods``: methods that put one of their arguments into a container, its position.
    - ``joining_methods``, ``removing_methods``: methods that put in all items, or take some out.
    - ``engines``, ``engine_makers``: what has connections, and the functions that make an engine.
    - ``adapted_connections``: what a listener gets in place of the connection of a driver.
    - ``session_classes``: the class of each kind of session.
    - ``lazy_collections``: the class that a relationship gives with a value of ``lazy``.
    - ``dynamic_methods``: methods of a dynamic collection that send no query.
    - ``result_methods``: methods of results and queries that give their objects.
    - ``executing_methods``: methods of sessions that run the statement that they are given.
    - ``getting_methods``: methods of sessions that give an object of a key.
    - ``http_methods``: the methods of requests, as functions are named.
    - ``consuming``: builtins that take all items of what they are given before they return.
    - ``joined_loaders``, ``separate_loaders``: options that load by a JOIN, or a statement.
    - ``blocking_loaders``, ``column_loaders``: options that put the load off, or load columns.
    """

    source: str
    plain_bases: frozenset[str]
    protocols: frozenset[str]
    manager_bases: frozenset[str]
    manager_makers: frozenset[str]
    mocks: frozenset[str]
    mock_attributes: frozenset[str]
    methods_of_properties: frozenset[str]
    threads: frozenset[str]
    casts: frozenset[str]
    catching_all: frozenset[str]
    listing_names: frozenset[str]
    looking: frozenset[str]
    reading_signatures: frozenset[str]
    task_makers: frozenset[str]
    loop_getters: tuple[str, ...]
    varying: tuple[str, ...]
    in_threads: dict[str, int]
    calling: dict[str, int]
    adding_methods: dict[str, int]
    joining_methods: frozenset[str]
    removing_methods: frozenset[str]
    engines: frozenset[str]
    engine_makers: frozenset[str]
    adapted_connections: dict[str, str]
    session_classes: dict[str, str]
    lazy_collections: dict[str, str]
    dynamic_methods: frozenset[str]
    result_methods: frozenset[str]
    executing_methods: frozenset[str]
    getting_methods: frozenset[str]
    http_methods: frozenset[str]
    consuming: frozenset[str]
    joined_loaders: frozenset[str]
    separate_loaders: frozenset[str]
    blocking_loaders: frozenset[str]
    column_loaders: frozenset[str]

    @property
    def harmless_bases(self) -> frozenset[str]:
        """The bases that give a class nothing: plain ones and protocols."""
        return self.plain_bases | self.protocols

    @property
    def by_key(self) -> frozenset[str]:
        """The methods of sessions that load by the key of an object, with options of their own."""
        return self.getting_methods | {"merge"}

    @property
    def growing_methods(self) -> frozenset[str]:
        """The methods by which a container gets items."""
        return self.joining_methods | {*self.adding_methods, "setdefault"}

    @property
    def changing_methods(self) -> frozenset[str]:
        """The methods by which a container gets or loses items."""
        return self.growing_methods | self.removing_methods

    def is_of_mock(self, attribute: str) -> bool:
        """Whether it configures a mock, or says how it was called: functions have none."""
        return attribute in self.mock_attributes or attribute.startswith("assert_")


@cache
def library_names() -> LibraryNames:
    """Return what the TOML file of this package says.

    Raises msgspec.ValidationError where it does not have the form of these names.
    """
    return read_table(__name__, "library_names.toml", LibraryNames)


def name_list(question: str) -> frozenset[str]:
    """Return the names that ``name_lists.toml`` has for a question. Raises KeyError."""
    return _lists()[question]


def word_list(question: str) -> tuple[bytes, ...]:
    """Return the same as words to search for, in order. Raises KeyError."""
    return tuple(name.encode() for name in sorted(_lists()[question]))


def name_table(question: str) -> dict[str, Any]:
    """Return what ``name_tables.toml`` has for a question, by name. Raises KeyError."""
    return _tables()[question]


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return read_table(__name__, "name_tables.toml", dict[str, dict[str, Any]])


@cache
def _lists() -> dict[str, frozenset[str]]:
    return read_table(__name__, "name_lists.toml", dict[str, frozenset[str]])
