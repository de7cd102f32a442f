"""What functions do with threads, which means something else in the one thread of an event loop.

Begin with ``locks``: what holds a lock while it waits, and which locks become those of tasks.
``takings`` finds where locks are taken. ``waits`` are other ways in which threads wait for each
other, or differ.
"""
