"""The queries of a program: which calls and attributes are some.

Begin with ``sessions`` (sites, and the proof of each) and ``begins`` (``Model.query``).
``evidence`` and ``plausible`` weigh calls that nothing else proves.
"""
