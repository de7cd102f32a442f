"""What has no asynchronous counterpart.

``run_sync`` writes calls that a session makes synchronously in a greenlet: methods that only
synchronous sessions have, and functions of libraries that are given the session.
``models`` asks about those of installed packages, ``executed_queries`` refuses their collections
that are queries.
"""
