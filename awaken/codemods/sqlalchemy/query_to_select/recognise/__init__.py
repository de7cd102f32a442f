"""The queries of a program: which calls and attributes are some.

Begin with ``session_queries`` (sites, and the proof of each) and ``begins`` (``Model.query``).
``query_evidence`` and ``plausible`` weigh calls that nothing else proves.
"""
