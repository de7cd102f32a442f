"""Components: the parts of a program that have to become asynchronous together.

``program_pieces`` are the elements of a ``program_components``. Engines and factories link nothing:
``engines`` adds asynchronous ones next to them if a part of their users stays synchronous.
``leftover`` removes unused engines.
"""
