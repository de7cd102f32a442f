"""Functions that something else calls, and calls of which only the name is known.

Begin with ``uncalled_uses``: who is passed a function, and whether that awaits it. ``unresolved``
finds calls by the name of a function that waits, ``getattr_calls`` those that `getattr` finds by a
computed name.
"""
