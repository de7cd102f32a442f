"""The decision about a query that stands in one expression.

Begin with ``single`` (what becomes of one), then ``queries``, which hands it on by its ending:
``loading``, ``bulk``, ``slices``, ``extensions``, ``get``. ``operands`` are those of set
operations, ``distinct`` asks one question. A ``decision`` is what comes out.
"""
