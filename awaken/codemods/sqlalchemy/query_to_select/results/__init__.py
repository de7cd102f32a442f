"""The results of a statement, and what of them changes with a select.

``unique`` proves that no object comes twice; ``row_keys`` compares the keys of rows with how rows
are used; ``laziness`` and ``flushing`` look at when the statement runs, and after what.
"""
