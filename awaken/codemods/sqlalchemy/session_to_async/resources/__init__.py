"""Engines, factories and sessions, and what an asynchronous program needs next to its code.

Begin with ``resource_names``, which replaces synchronous names. ``database_urls`` chooses drivers
and writes requirements, ``bases`` makes attributes awaitable.
"""
