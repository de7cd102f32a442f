"""Mocks and fakes of functions and objects that wait in the asynchronous program.

``replaced_functions`` finds replacements of functions other than those of
``colour/test_stand_ins``, which ``double_writer`` rewrites. ``patched`` has the mocks of whole
objects, classes and modules, and of session factories. ``mocked_objects`` has the mocks that tests
pass to the program, ``fake_sessions`` the classes that tests wrote instead of sessions. Anything
else is refused.
"""
