"""The manifests of a project: what it requires, and which versions it runs on.

Begin with ``targets``, the answer for a whole project. Below it: ``manifest_readers`` reads each
kind of manifest, ``versions`` computes with ranges, ``declarations`` tells file and line of each
requirement, ``publication`` says whether others can install the project, ``pytest_settings`` what
pytest is told, ``pytest_setup`` what runs the tests. ``project_settings`` is what rules are told of
it all.
"""
