"""Files of Alembic that are given what becomes asynchronous: an engine of the program's own.

Begin with ``environments``, which writes what enters it or refuses it; ``alembic_engines`` finds
what it is given, and ``commands`` who runs Alembic.
"""
