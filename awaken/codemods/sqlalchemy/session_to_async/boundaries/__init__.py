"""The boundaries of the event loop: code that calls functions outside of it.

Begin with ``bridges``, which makes functions run coroutines. ``published`` knows what other files
of the repository use, and what a base class or pytest calls by its name. ``own_loops`` and
``tasks`` move jobs of schedulers and workers into the loop, or tell what stops them.
``objects_with_sessions`` tells what a session in an attribute comes from. ``waits`` finds ways in
which threads wait for each other, and what holds up the loop.
"""
