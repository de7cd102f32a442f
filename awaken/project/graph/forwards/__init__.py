"""Calls followed forwards: the call graph of a program.

Begin with ``call_graph`` (its answers), then ``call_graph_building`` (its construction): it expands
methods to their overrides. ``resolving`` reads the target of each call in a file, and
``components`` finds circles.
"""
