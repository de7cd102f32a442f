"""The rewriters: what was decided, written into the tree.

Begin with ``rewrite``. The others write one kind of end or start each, by means of it. The lines of
chains are laid out by ``editing/chains/layout`` and ``editing/chains/lines``.
"""
