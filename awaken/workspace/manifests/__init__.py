"""The manifests of a project: what it requires, and which versions it runs on.

Begin with ``targets``, the answer for a whole project. Below it: ``manifest_readers`` reads each
kind of manifest, ``versions`` computes with ranges, ``manifest_declarations`` knows file and line
of each requirement, ``publication`` whether others can install the project, ``pytest_settings`` the
settings of pytest, and ``pytest_setup`` the runner of the tests.
"""
