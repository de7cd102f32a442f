"""Mappings of columns and collections that load when they are read.

``database_values`` and ``mapper_arguments`` add mapper arguments, or await reads.
``refused_declarations`` refuses.
"""
