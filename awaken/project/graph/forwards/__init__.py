"""Calls followed forwards: the call graph of a program.

Begin with ``call_graph`` (its answers), then ``call_graph_building`` (its construction):
``resolving`` reads the target of each call in a file, ``override_definitions`` expands a method to
its overrides, and ``components`` finds circles.
"""
