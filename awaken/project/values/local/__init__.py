"""Names: what they are bound to, and which values and checks reach a place in one function.

``bound`` says what a binding gives, ``control`` is the control flow graph, ``flow`` says which
bindings reach a name, ``narrowing`` which checks hold there.
"""
