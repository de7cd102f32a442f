"""Test doubles of functions that become coroutine functions.

``stand_ins`` finds the functions that tests put in their place: they become coroutine functions as
well. ``replaced`` writes lambdas and mocks anew, and refuses what is not understood.
"""
