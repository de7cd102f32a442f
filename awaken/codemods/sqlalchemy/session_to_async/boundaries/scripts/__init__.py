"""Scripts: statements outside of functions that wait where a process begins.

Begin with ``writing``, and with ``at_import`` for what is not moved. ``waiting`` and ``regions``
find them, ``names`` says which of their names others see, ``loops`` what runs an event loop itself,
and ``imports`` which files import which.
"""
