"""Tests of the program: their clients, and the settings by which they run.

``client_writer`` writes the clients that cannot stay synchronous; ``suite_settings`` configures
pytest. ``shared_sessions`` is about requests that use the session of a test.
"""
