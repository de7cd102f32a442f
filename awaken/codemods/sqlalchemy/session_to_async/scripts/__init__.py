"""Scripts: where a process begins and ends its event loop.

``waiting`` and ``regions`` find the statements that wait outside of functions.
``script_names`` says which of their names others see, and ``event_loops`` what runs an event loop
itself. ``serving_functions`` begins the loop of a server, and ``disposal`` closes connections
before a loop ends.
"""
