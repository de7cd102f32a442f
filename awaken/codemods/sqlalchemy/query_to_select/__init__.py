"""Rewrites ``session.query(...)`` to ``select(...)``."""

from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect

__all__ = ["QueryToSelect"]
