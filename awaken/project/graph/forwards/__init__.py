"""Calls followed forwards: the call graph of a program.

Begin with ``call_graph`` (its answers), then ``call_graph_building`` (its construction):
``resolving`` reads the target of each call in a file, ``families`` and ``decorated_functions``
expand a method to its overrides and wrappers, and ``components`` finds circles.
"""
