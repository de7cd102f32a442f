"""Awaited calls: expressions, and the statements around them.

Begin with ``awaiting``, which awaits, enters and iterates: by ``text_insertions``, and by rewritten
nodes. ``awaitable_places`` says whether something can be awaited in a place, and which code takes
the items of generators. It has f-strings, and knows the order of evaluation. ``first_items`` holds
generators. ``functions_of_lambdas`` moves awaited calls into statements and functions of their own.
"""
