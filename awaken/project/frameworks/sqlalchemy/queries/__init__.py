"""Queries that a program begins or changes by itself.

``class_queries`` finds the session of ``Model.query``, ``query_classes`` the Query classes of the
program, and ``replaced_methods`` what it replaces of sessions and queries.
"""
