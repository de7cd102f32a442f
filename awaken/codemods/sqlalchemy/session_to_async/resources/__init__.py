"""Engines, factories and sessions, and what an asynchronous program needs beside its code.

Begin with ``names``, which writes the twins of synchronous names. ``urls`` chooses drivers,
``bases`` lets attributes be awaited, ``tables`` creates and drops tables, ``surroundings`` writes
requirements.
"""
