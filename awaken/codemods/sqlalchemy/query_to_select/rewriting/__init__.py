"""The rewriters: what was decided, written into the tree.

Begin with ``rewrite``; ``lines`` and ``layout`` place the chain on its lines. The others write one
kind of end or start each, by means of it.
"""
