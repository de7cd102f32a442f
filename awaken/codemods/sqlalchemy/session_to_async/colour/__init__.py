"""Colour: the functions that await an operation, over all callers.

Begin with ``synchronous_part``. ``manager_classes``, ``properties``, ``coloured_results`` and
``wrappers`` know callers that are no plain calls, ``task_calls`` those of workers. ``outside`` has
callers outside of the loop, ``threads`` locks and pools, ``replacing`` the functions with which
tests replace others.
"""
