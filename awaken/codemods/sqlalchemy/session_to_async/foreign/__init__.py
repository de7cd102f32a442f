"""What has no asynchronous counterpart, or another one than a method of the same name.

``run_sync`` writes calls that a session makes synchronously in a greenlet: methods that only
synchronous sessions have, and functions of libraries that are given the session. ``twins`` writes
calls of library functions that have an asynchronous twin.
"""
