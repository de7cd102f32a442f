"""The results of a statement, and what of them changes with a select.

``given`` proves that no object comes twice, and looks at flushes before it. ``row_keys`` compares
the keys of rows with how rows are used. ``laziness`` looks at when the statement runs.
"""
