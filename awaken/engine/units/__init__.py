"""Plans by unit, kept between runs: a unit is a rule with one file, or with all of them.

Read ``unit_planning`` first, then ``known_units``.
"""
