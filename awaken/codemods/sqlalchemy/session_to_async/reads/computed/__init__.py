"""Values that the database computes or has already: objects read them after a statement.

``sql_expressions`` recognises the expressions, ``assigned_expressions`` are those of attributes,
``bulk_updates`` and ``upserts`` those of statements.
"""
