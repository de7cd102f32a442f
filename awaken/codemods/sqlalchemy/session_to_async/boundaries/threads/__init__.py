"""Uses of threads that have another meaning in the single thread of an event loop.

Begin with ``locks``: code that holds a lock while it waits, and the locks that become those of
tasks. ``takings`` finds where locks are taken. ``waits`` finds other ways in which threads wait for
each other, or differ.
"""
