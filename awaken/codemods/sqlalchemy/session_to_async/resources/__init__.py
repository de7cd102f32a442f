"""Engines, factories and sessions, and what an asynchronous program needs next to its code.

Begin with ``names``, which replaces synchronous names. ``urls`` chooses drivers, ``bases`` makes
attributes awaitable, ``surroundings`` writes requirements.
"""
