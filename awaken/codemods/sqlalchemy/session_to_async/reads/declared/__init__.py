"""Mappings of columns and collections that load when they are read.

``database_values`` and ``subclasses`` add mapper arguments (with ``mapper_arguments``),
``late_columns`` awaits reads, and ``refused_declarations`` refuses.
"""
