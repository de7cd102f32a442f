"""Components: the parts of a program that have to become asynchronous together.

``pieces`` are the elements of a ``component``. Engines and factories link nothing: ``engines`` adds
asynchronous ones next to them if a part of their users stays synchronous. ``own_lines`` moves
statements, and ``leftover`` removes unused engines.
"""
