"""Values: what an expression may be, followed backwards.

Begin with ``domain`` (what can be said of a value), then ``evaluation``, the evaluator; it is split
by construct into ``annotations``, ``calls``, ``members``, ``parameters`` and ``pytest_fixtures``.
``control`` and ``flow`` follow the local names of one function, ``narrowing`` reads checks.
"""
