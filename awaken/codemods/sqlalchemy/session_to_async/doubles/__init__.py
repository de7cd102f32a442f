"""Mocks and fakes of functions and objects that wait in the asynchronous program.

``replaced_functions`` finds replacements of functions other than those of
``colour/test_stand_ins``, which ``double_writer`` rewrites. ``mocked_objects`` has the mocks of
objects, classes and modules, ``factories`` those of session factories. ``fake_sessions`` has the
classes that tests wrote instead of sessions. Anything else is refused.
"""
