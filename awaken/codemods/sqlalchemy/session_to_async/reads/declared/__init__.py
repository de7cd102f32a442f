"""Mappings of columns and collections that load when they are read.

``database_values`` and ``mapper_arguments`` add mapper arguments, ``late_columns`` awaits reads,
and ``refused_declarations`` refuses.
"""
