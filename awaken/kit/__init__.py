"""The kit that rules are written with; ``docs/writing-rules.md`` shows how.

Read in this order: ``rule`` (what a rule is), ``sites`` (one place, its finding and the edits that
are made for it; ``Refused``), ``changes`` (a site decided by itself, or a group all or nothing),
``search`` (where sites are), ``imports`` (how to name what a library defines), ``blocks``,
``reasons`` (that many rules have). ``names_here`` finds the name that an object has at a place, and
``added_parameters`` gives a function a parameter, and its calls an argument.
``rewriters`` writes code with LibCST for every rule; what it is told is in ``payloads``.
"""
