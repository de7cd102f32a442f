"""Changes where a session is given a ``select()`` instead of a Query.

Until 2.0, ``session.execute(query)`` gives rows, as it does for a ``select()``. Since 2.1 it raises
``ObjectNotExecutableError``. Nothing is loaded with the objects of a Query there
(``Query.__clause_element__``: ``_enable_eagerloads=False``).
"""

from __future__ import annotations

from collections.abc import Iterable

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.results.unique import may_load_collection
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.query_items import What

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
