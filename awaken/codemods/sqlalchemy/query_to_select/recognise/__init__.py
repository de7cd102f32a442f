"""The queries of a program: which calls and attributes are some.

Begin with ``session_queries``: sites, also of ``Model.query``, and the proof of each. ``plausible``
weighs calls that nothing else proves.
"""
