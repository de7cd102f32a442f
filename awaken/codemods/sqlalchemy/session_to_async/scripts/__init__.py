"""Scripts: where a process begins and ends its event loop.

``regions`` finds the statements that wait outside of functions, and what runs an event loop itself.
``disposal`` closes connections before a loop ends.
"""
