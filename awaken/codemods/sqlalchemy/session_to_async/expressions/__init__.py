"""Where calls are awaited: expressions, and the statements around them.

Begin with ``awaiting``, which awaits, enters and iterates in ``writing``: by ``insertions``, and by
rewritten nodes. ``places`` says whether something can be awaited in a place, and which code takes
the items of generators: ``searching`` are `any` and `all`, ``applying`` keys, `map` and `filter`,
``writing`` f-strings; ``order`` knows the order of evaluation. ``hoisting`` moves an awaited call
into a statement of its own, ``first_items`` holds generators. ``functions_of_lambdas`` writes
lambdas as functions.
"""
