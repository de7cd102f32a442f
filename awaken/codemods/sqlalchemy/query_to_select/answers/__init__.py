"""Mocks of Query that answer statements instead: they are rewritten with their queries.

``session_mocks`` says by which methods a query is asked, before and after, and reads what a test
tells a mock (``db.query.return_value.all.return_value = rows``), and ``mocks_with_queries`` makes
one change of doubles and queries. ``blocking_doubles`` has what stays, and why.
"""
