"""Engines and factories of a program: who shares them, and which stand beside others.

Begin with ``shared``, which finds those that a file makes once. ``beside`` writes asynchronous ones
next to them, as ``written`` has them, and ``leftover`` removes those that nobody uses any more.
"""
