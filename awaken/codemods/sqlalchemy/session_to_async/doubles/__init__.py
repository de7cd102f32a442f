"""Mocks and fakes of functions and objects that wait in the asynchronous program.

``stand_ins`` finds the functions with which tests replace others: they become coroutine functions
too. ``replaced`` finds other replacements, which ``double_writer`` rewrites. ``patched`` has the
mocks of whole objects, classes and modules, and of session factories. ``objects`` has the mocks
that tests pass to the program, ``fake_sessions`` the classes that tests wrote instead of sessions.
Anything else is refused.
"""
