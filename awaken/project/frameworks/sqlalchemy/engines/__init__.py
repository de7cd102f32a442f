"""Engines: where a program makes them, their known URLs, and their pools.

Begin with ``program_engines``, the calls that make one. It reads what a URL begins with, and where
else it comes from; ``engine_facts`` says which drivers are asynchronous.
"""
