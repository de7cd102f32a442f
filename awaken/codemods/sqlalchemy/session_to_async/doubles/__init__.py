"""Test doubles of what waits, once the program is asynchronous.

``stand_ins`` finds the functions that tests put in the place of others: they become coroutine
functions as well. ``replaced`` finds what else is put there, which ``double_writer`` writes anew,
``patched`` the mocks of whole objects, classes and modules, and of what makes sessions, ``objects``
the mocks that tests pass to the program, and ``fake_sessions`` the classes that tests wrote in the
place of sessions. What is not understood is refused.
"""
