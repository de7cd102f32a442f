"""What mappings say of columns and collections that load when they are read.

``database_values`` and ``subclasses`` tell mappers more (with ``mapper_arguments``),
``late_columns`` has reads awaited, and ``dynamic_collections`` refuses.
"""
