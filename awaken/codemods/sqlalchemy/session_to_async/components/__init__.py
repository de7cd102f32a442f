"""Components: what of a program has to become asynchronous together.

Begin with ``deciding``, which makes changes of components. ``pieces`` are what components consist
of, ``links`` and ``carriers`` say which of them belong together. Engines and factories join
nothing: ``shared`` finds them, ``beside`` writes asynchronous ones next to them where a part of
their users stays synchronous.
"""
