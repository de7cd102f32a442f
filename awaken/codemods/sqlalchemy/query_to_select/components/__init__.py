"""Queries that go over statements and functions.

Begin with ``component`` (the fragments of queries, and what holds them) and ``collecting``,
which reads it from the program. ``states`` solves which statement each fragment comes to, where
ways meet and from function to function. ``session_names`` finds the session where one is executed;
``decide`` says what is written.
"""
