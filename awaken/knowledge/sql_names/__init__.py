"""The names of SQL expressions, shared so that no two rules disagree.

The TOML file of this folder, typed; it names the sources of its rows.
"""

from __future__ import annotations

from functools import cache

import msgspec

from awaken.knowledge.typed_tables import read_table


class SqlNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first five are qualified names, all others last names.

    - ``selects``, ``texts``, ``deletes``, ``updates``, ``inserts``: what begins a statement.
    - ``aggregates``: functions of ``func`` that have one value for all rows of a group.
    - ``unhashable``: those of them whose values have no hash.
    - ``imported_functions``: those that some import, in place of ``func``.
    - ``connectives``, ``orderings``: of criteria, and of what ORDER BY takes.
    - ``constants``, ``written``: values, and expressions that are written as text.
    - ``of_columns``: other functions that make an expression.
    - ``core``: functions that combine others to something of Core.
    - ``tables``, ``set_operations``: functions that make what a statement selects from.
    - ``subqueries``, ``scalar_subqueries``: methods that make a FROM, or a value, of a statement.
    - ``of_exists``: methods of an EXISTS that leave it one, and bring nothing into what it is of.
    - ``column_types``: the Python types of column types; those of others depend on their arguments
      or on the database. ``decimal_types`` are those of numbers without ``asdecimal``.
    - ``homes``: the modules that export a name.
    """

    source: str
    selects: frozenset[str]
    texts: frozenset[str]
    deletes: frozenset[str]
    updates: frozenset[str]
    inserts: frozenset[str]
    aggregates: frozenset[str]
    unhashable: frozenset[str]
    imported_functions: frozenset[str]
    connectives: frozenset[str]
    orderings: frozenset[str]
    constants: frozenset[str]
    written: frozenset[str]
    by_text: frozenset[str]
    of_columns: frozenset[str]
    core: frozenset[str]
    tables: frozenset[str]
    set_operations: frozenset[str]
    subqueries: frozenset[str]
    scalar_subqueries: frozenset[str]
    of_exists: frozenset[str]
    column_types: dict[str, str]
    decimal_types: dict[str, str]
    homes: dict[str, tuple[str, ...]]

    @property
    def changes(self) -> frozenset[str]:
        """The functions whose statements change rows that are there."""
        return self.deletes | self.updates

    @property
    def writes(self) -> frozenset[str]:
        """The functions whose statements write rows."""
        return self.changes | self.inserts

    @property
    def of_no_class(self) -> frozenset[str]:
        """The functions that make a value or a text, and ask for nothing."""
        return self.constants | self.written

    @property
    def expressions(self) -> frozenset[str]:
        """The functions that make an expression, and no FROM."""
        return self.connectives | self.orderings | self.of_no_class | self.of_columns


@cache
def sql_names() -> SqlNames:
    """Return what the TOML file of this package says.

    Raises msgspec.ValidationError where it does not have the form of these names.
    """
    return read_table(__name__, "sql_names.toml", SqlNames)
