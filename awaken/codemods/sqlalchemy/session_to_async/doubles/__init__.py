"""Test doubles of what waits, once the program is asynchronous.

``stand_ins`` finds the functions that tests put in the place of others: they become coroutine
functions as well. ``replaced`` writes anew what else is put there, ``patched_objects`` the mocks of
whole objects, classes and modules, ``patched_factories`` those of what makes sessions, ``objects``
the mocks that tests pass to the program, and ``fake_sessions`` the classes that tests wrote in the
place of sessions. What is not understood is
refused.
"""
