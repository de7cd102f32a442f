"""What has no asynchronous counterpart.

``run_sync`` writes calls that a session makes synchronously in a greenlet: methods that only
synchronous sessions have, and functions of libraries that are given the session.
``models`` asks about those of installed packages. What loads when it is read of them is read in a
greenlet: ``bridged_reads`` finds that in code, by the ``evidence``, ``bridged_models`` where
schemas read, and ``in_greenlets`` writes it. ``executed_queries`` refuses collections that are
queries where nothing calls them so.
"""
