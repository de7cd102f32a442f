"""Calls and models without an asynchronous counterpart.

``in_greenlets`` writes calls that a session makes synchronously in a greenlet: methods that only
synchronous sessions have, and functions of libraries that get the session. ``foreign_models`` knows
those of installed packages. Attributes of their objects that load are read in a greenlet:
``foreign_models`` finds them in code, and ``bridged_models`` in schemas.
"""
