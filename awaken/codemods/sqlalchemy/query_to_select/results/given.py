"""Changes where a session is given a ``select()`` instead of a Query.

Until 2.0, ``session.execute(query)`` gives rows, as it does for a ``select()``. Since 2.1 it raises
``ObjectNotExecutableError``. Nothing is loaded with the objects of a Query there
(``Query.__clause_element__``: ``_enable_eagerloads=False``).
"""

from __future__ import annotations

from collections.abc import Iterable

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.statements.partners import in_from
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.embedded import is_orm
from awaken.project.frameworks.loads.query_items import Item, Kind, What, kind_of
from awaken.project.frameworks.loads.repeats import loads_collection
from awaken.project.frameworks.orm import Orm

_EAGER = name_list("eager_strategies")
_IGNORED = frozenset({"autoflush", "options", "populate_existing", "yield_per"})
"""Builders whose settings belong to the Query, and not to the statement that is made of it."""


def caveats_of_given(statement: Statement, links: Iterable[Link]) -> list[str]:
    """Return what may change when a ``select()`` replaces a Query that ``links`` made."""
    method, caveats = statement.chain.end, []
    if statement.unsure or may_load_collection(statement):
        caveats.append(f"`{method}()` needs `.unique()` if a class loads a collection by a join")
    ignored = sorted({f"`{link.name}()`" for link in links if link.name in _IGNORED})
    ignored += ["eager relationships"] if _loads_eagerly(statement) else []
    if ignored:
        caveats.append(
            f"`{method}()` ignores {' and '.join(ignored)} of a Query, which now take effect"
        )
    if method == "execute" and any(item.what is not What.ENTITY for item in statement.items):
        caveats.append("rows of `execute()` have a key for every column")
    if statement.reader.project.targets.admits("sqlalchemy", ">=2.1"):
        caveats.append(
            f"`{method}()` accepts no Query since SQLAlchemy 2.1, where this code fails today"
        )
    return caveats


def _loads_eagerly(statement: Statement) -> bool:
    """Whether a mapping may load relationships with the objects of ``statement``."""
    eager = statement.reader.project.orm.eager
    entities = (item for item in statement.items if item.what is What.ENTITY)
    models = (model for item in entities for model in ([item.model] if item.model else item.models))
    return any(eager.side_loaded_by(model, _EAGER) for model in models)


def may_repeat(statement: Statement) -> bool:
    """Whether an object may come twice, for all that was added so far."""
    kind = kind_of(statement.items)
    has_entity = kind in {Kind.ENTITY, Kind.ROWS_WITH_ENTITY}
    return has_entity and not is_surely_unique(statement, kind)


def is_surely_unique(statement: Statement, kind: Kind) -> bool:
    """Whether no row of ``statement``, which has a mapped class among its items, may repeat."""
    if statement.unsure or statement.from_statement:
        return False
    if statement.one_row_each and not statement.changed_items and not statement.several:
        return _is_read_from_one_table(statement, statement.items[0])
    # A second FROM may repeat an object.
    if statement.selects_from:
        return False
    if statement.multiplies or (statement.partners and statement.items[0].what is not What.ENTITY):
        return False
    if statement.changed_items:
        return False
    entity = next(item for item in statement.items if item.what is What.ENTITY)
    if statement.several:
        # Each class was judged where the ways met: only later options can add a collection.
        is_plain = not loads_collection(statement.reader, statement.options)
    else:
        is_plain = _is_plain(statement, entity, kind)
    # The result of another function may have no name here: then no criterion is its own.
    sources = in_from(statement, entity)
    return is_plain and sources.only(statement.unjudged)


def _is_read_from_one_table(statement: Statement, entity: Item) -> bool:
    mapped = statement.reader.project.orm.mapped_class(entity.model or "")
    # A view or join may repeat what is declared as its primary key.
    is_table = mapped is not None and mapped.table == "plain"
    return is_table and not may_load_collection(statement)


def _is_plain(statement: Statement, entity: Item, kind: Kind) -> bool:
    """Whether ``entity`` is read from one table, with nothing but its own columns."""
    if entity.model is None:
        is_known = entity.automapped and kind is Kind.ENTITY
        return is_known and not may_load_collection(statement)
    if not _is_read_from_one_table(statement, entity):
        return False
    others = [item for item in statement.items if item is not entity]
    # Columns of the object itself, and its one partner, repeat only where it does.
    own = {(entity.owner, entity.model), *((item.text, item.model) for item in statement.partners)}
    return kind is not Kind.ROWS_WITH_ENTITY or all(
        item.what in {What.COLUMN, What.ENTITY} and (item.owner, item.model) in own
        for item in others
    )


def _may_join_collection(orm: Orm, item: Item) -> bool:
    if item.automapped:
        return not orm.automap.loads_one_table
    return item.model is None or orm.eager.needs_unique(item.model) is not False


def may_load_collection(statement: Statement) -> bool:
    """Whether ``statement`` may load a collection by a JOIN, which repeats its owner."""
    entities = [item for item in statement.items if item.what is What.ENTITY]
    project = statement.reader.project
    # None says that it is not known, and so it counts as a collection.
    if any(_may_join_collection(project.orm, item) for item in entities):
        return True
    return loads_collection(statement.reader, statement.options)


def is_buffered(statement: Statement) -> bool:
    """Whether all rows of ``statement`` are read before the first is passed out, as of a Query.

    The ORM reads all rows (``loading.instances``); Core objects alone are read row by row.
    """
    named = (*statement.orm_items, *statement.items)
    if statement.yields or any(item.orm for item in named):
        return True
    return any(is_orm(statement.reader, node) for node in statement.sources)


def flushes_first(statement: Statement) -> bool:
    """Whether the session flushes before ``statement``, as it does before any Query.

    Before 2.1 it does not where a select is of Core objects alone (issue 9809).
    """
    targets = statement.reader.project.targets
    if not targets.admits("sqlalchemy", "<2.1"):
        return True
    if any(item.orm for item in statement.orm_items):
        return True
    if any(is_orm(statement.reader, node) for node in statement.sources):
        return True
    in_criteria = any(is_orm(statement.reader, node) for node in statement.criteria)
    # Before 2.0.15 criteria alone make no ORM statement; together with a join they do.
    return in_criteria and (statement.joined or not targets.admits("sqlalchemy", "<2.0.15"))
