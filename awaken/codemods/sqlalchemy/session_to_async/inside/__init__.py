"""What runs inside of a synchronous session, in its greenlet, and so stays as it is.

`models` finds it: constructors of mapped classes that query, and listeners. `staying` follows what
they call, and `sessions_given` where they are handed a session, which `run_sync` does then. `found`
is the result.
"""
