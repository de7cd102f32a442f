"""Callers outside of the event loop.

Begin with ``entry_points``. ``process_reach`` says whether code runs in processes of its own or
only in the loop, and ``imports`` which files import which.
"""
