"""Calls followed forwards: the call graph of a program.

Begin with ``call_graph`` (its answers), then ``building`` (its construction): ``resolving`` reads
the target of each call in a file, ``families`` and ``decorated`` expand a method to its overrides
and wrappers, and ``components`` finds circles.
"""
