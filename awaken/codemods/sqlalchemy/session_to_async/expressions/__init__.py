"""Where what waits is awaited: expressions, and the statements around them.

Begin with ``awaiting``, which writes what is awaited, entered and iterated, into ``writing``: by
``insertions``, and by nodes written anew. ``places`` says whether something can be awaited in a
place, and what takes the items of generators: ``searching`` are `any` and `all`, ``applying`` keys,
`map` and `filter`, ``formatted`` f-strings; ``order`` says what is evaluated before. ``hoisting``
gives what is awaited a statement of its own, ``first_items`` holds generators.
"""
