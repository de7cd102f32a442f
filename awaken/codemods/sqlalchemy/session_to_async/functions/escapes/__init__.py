"""Functions that something else calls, and calls of which only the name is known.

Begin with ``callables``: who is passed a function, and whether that awaits it. ``unresolved`` finds
calls by the name of a function that waits, also by a name that the program works out.
"""
