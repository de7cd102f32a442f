"""Scripts: where a process begins and ends its event loop.

``waiting`` and ``regions`` find the statements that wait outside of functions. ``names`` says which
of their names others see, and ``loops`` what runs an event loop itself. ``serving`` begins the loop
of a server, and ``disposal`` closes connections before a loop ends.
"""
