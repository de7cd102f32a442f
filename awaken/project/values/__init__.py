"""Values: the possible results of an expression, followed backwards.

Begin with ``possible`` (what rules ask) and ``domain`` (what can be said of a value), then
``evaluation``, the evaluator, and ``answers``, its memory; it is split by construct into
``annotations``, ``attributes``, ``calls``, ``pytest_fixtures`` and ``containers``; ``items`` reads
the values that hold others. ``local`` follows the names of one function. ``library_types`` reads
types of libraries, ``library`` says what libraries give.
"""
