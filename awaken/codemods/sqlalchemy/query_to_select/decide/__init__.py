"""The decision about a query that stands in one expression.

Begin with ``queries``, which hands it on by its ending: ``loading``, ``bulk``, ``slices``,
``extensions``, ``get``. They ask ``unique`` (may an object repeat), ``row_keys``, ``laziness`` and
``distinct``; ``operands`` are those of set operations. A ``decision`` is what comes out.
"""
