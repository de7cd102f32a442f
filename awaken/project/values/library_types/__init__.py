"""Types of libraries, from the stubs in ``knowledge``, without a question to the evaluator.

``declared_types`` reads a type of a stub as values with type variables, ``solving`` replaces these
by their solutions. ``signatures`` has the overloads that a call fits.
"""
