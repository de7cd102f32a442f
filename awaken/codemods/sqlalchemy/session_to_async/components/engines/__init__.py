"""Engines and factories of a program: who shares them, and which get an asynchronous counterpart.

Begin with ``shared``, which finds those that a file makes once. ``beside`` adds asynchronous ones
next to them.
"""
