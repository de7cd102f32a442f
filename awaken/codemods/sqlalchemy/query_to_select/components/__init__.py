"""Queries that go over statements and functions.

Begin with ``component`` (what holds queries, and their fragments) and ``holders``, which reads one
from the program. ``states`` solves which statement each fragment comes to, with ``joining`` where
ways meet and ``translation`` from function to function. ``session_names`` finds the session where
one is executed; ``decide`` says what is written.
"""
