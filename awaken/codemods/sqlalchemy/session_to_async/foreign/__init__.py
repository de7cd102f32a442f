"""Calls and models without an asynchronous counterpart.

``run_sync_calls`` writes calls that a session makes synchronously in a greenlet: methods that only
synchronous sessions have, and functions of libraries that get the session. ``foreign_models`` knows
those of installed packages. Attributes of their objects that load are read in a greenlet:
``bridged_reads`` finds them in code, by the ``relationship_evidence``, ``bridged_models`` in
schemas, and ``in_greenlets`` writes it. ``executed_queries`` refuses other code that executes
collections which are queries.
"""
