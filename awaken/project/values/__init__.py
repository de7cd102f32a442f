"""Values: what an expression may be, followed backwards.

Begin with ``domain`` (what can be said of a value), then ``evaluation``, the evaluator; it is split
by construct into ``annotations``, ``calls``, ``members``, ``parameters`` and ``pytest_fixtures``.
``library`` tells what libraries give, ``containers`` what containers hold.
``control`` and ``flow`` follow the local names of one function, ``narrowing`` reads checks.
"""
