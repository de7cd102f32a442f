"""Functions and classes and what connects them: the floor above values.

Begin with ``callers`` (who calls a function, and what may hide another caller), then ``passing``
(arguments to parameters) and ``dispatch`` (what a call reaches). ``classes`` has hierarchies and
sets of overridden methods. ``forwards`` holds the call graph of a whole program: every call,
resolved once. ``call_paths`` climbs from calls to the coroutines that lead to them. ``call_edges``
and ``holders`` follow a value from function to function, on demand.
"""
