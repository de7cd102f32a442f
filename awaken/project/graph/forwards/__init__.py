"""Calls followed forwards: the call graph of a program.

Begin with ``call_graph`` (what it answers), then ``building`` (how it is made): ``resolving`` reads
what each call of a file refers to, ``families`` and ``decorated`` say what a method stands for, and
``components`` finds circles.
"""
