"""Code that runs inside of a synchronous session, in its greenlet, and so stays as it is.

`models` finds it: constructors of mapped classes that query, and listeners. `staying` follows their
calls, and `sessions_given` the calls that pass them a session, which then go through `run_sync`.
"""
