"""Colour: the functions that await an operation, over all callers.

Begin with ``synchronous_part``. ``manager_classes`` and ``properties`` know callers that are no
plain calls, ``task_calls`` those of workers. ``entry_points`` has callers outside of the loop,
``threads`` locks and pools, ``test_stand_ins`` the functions with which tests replace others.
"""
