"""Files of Alembic that are given what becomes asynchronous: an engine of the program's own.

Begin with ``environments``, which finds what enters them, and writes or refuses it.
"""
