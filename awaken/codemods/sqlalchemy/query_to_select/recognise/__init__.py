"""The queries of a program: which calls and attributes are some.

Begin with ``session_queries`` (sites, and the proof of each) and ``begins`` (``Model.query``).
``plausible`` weighs calls that nothing else proves.
"""
