"""Where what waits is awaited: expressions, and the statements around them.

Begin with ``awaiting``, which writes what is awaited, entered and iterated, by ``insertions``.
``hoisting`` gives what is awaited a statement of its own, ``first_items`` holds generators.
"""
