"""Components: what of a program has to become asynchronous together.

Begin with ``deciding``, which says which components convert, and ``outcome``, which makes changes
of them. ``pieces`` are what components consist of, ``links`` and ``carriers`` say which of them
belong together, ``sources`` where their sessions come from. Engines and factories join nothing:
those of ``engines`` stand beside each other where a part of their users stays synchronous.
"""
