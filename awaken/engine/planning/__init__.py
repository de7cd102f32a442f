"""The phases of a run: from the rules' plans to the changes that are made.

Begin with ``phases``. In the order of one phase: ``rule_discovery`` finds the rules,
``rule_planning`` asks each for its plan, ``plan_contract`` checks the plan, ``policy`` filters what
may not be written, ``in_memory`` makes the rest on a snapshot, ``checks`` looks at the files that
come out, and proves that a second plan finds nothing new. ``conflicts`` finds the largest set of
changes that passes. ``engine_reasons`` lists why the engine leaves a change out.
"""
