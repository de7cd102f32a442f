"""Tests of the program: their clients, and the settings by which they run.

``clients`` finds and writes the clients that cannot stay synchronous; ``settings`` what pytest is
told. ``shared_sessions`` is about requests that use the session of a test.
"""
