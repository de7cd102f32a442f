"""Local names of one function: which values and checks reach a place.

``control`` is the control flow graph, ``flow`` says which bindings reach a name, ``narrowing``
which checks hold there.
"""
