"""Components: the parts of a program that have to become asynchronous together.

Begin with ``deciding``, which says which components convert, and ``outcome``, which makes changes
of them. ``pieces`` are the elements of components, ``links`` and ``carriers`` say which of them
belong together, ``sources`` where their sessions come from. Engines and factories link nothing.
``engines`` adds asynchronous ones next to them if a part of their users stays synchronous.
"""
