"""The boundaries of the event loop: code that calls functions outside of it.

Begin with ``bridges``, which makes functions run coroutines. ``published`` knows what other files
of the repository use, ``called_from_outside`` what a base class or pytest calls by its name.
``own_loops`` and ``schedulers`` move jobs into the loop, ``tasks`` tells what stops tasks of
workers. ``waits`` finds ways in which threads wait for each other, ``holding_up`` what holds up the
loop.
"""
