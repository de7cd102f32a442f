"""The decision about a query that is a single expression.

Begin with ``single`` (its rewrite), which dispatches by the ending: ``loading``, ``bulk``,
``extensions``, ``get``. ``operands`` are those of set operations,
``distinct`` asks one question. A ``decision`` is what comes out.
"""
