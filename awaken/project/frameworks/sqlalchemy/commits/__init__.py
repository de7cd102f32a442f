"""Commits of sessions, and what runs after them: reads of objects, and further loads.

Begin with ``program_commits``, which finds the commits and follows them to their callers; ``later``
looks at one function, ``loaded_objects`` tells what an expression may hold.
"""
