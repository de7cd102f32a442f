"""Values: the possible results of an expression, followed backwards.

Begin with ``possible`` (what rules ask) and ``domain`` (what can be said of a value), then
``evaluation``, the evaluator, and ``answers``, its memory; it is split by construct into
``annotations``, ``members``, ``parameters``, ``pytest_fixtures``, ``results`` and ``containers``.
``control`` and ``flow`` follow the local names of one function, ``narrowing`` reads checks,
``library`` says what libraries give, ``words`` puts values into words.
"""
