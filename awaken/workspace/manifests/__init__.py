"""The manifests of a project: what it requires, and which versions it runs on.

Begin with ``targets``, the answer for a whole project. Below it: ``manifest_readers`` reads each
kind of manifest, ``versions`` computes with ranges, ``declarations`` tells file and line of each
requirement, ``publication`` says whether others can install the project.
"""
