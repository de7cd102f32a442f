"""Code that runs inside of a synchronous session, in its greenlet, and so stays as it is.

`model_constructors` finds it: constructors of mapped classes that query, and listeners. Calls that
pass them a session go through `run_sync`.
"""
