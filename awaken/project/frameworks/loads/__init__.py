"""The columns and entities that a statement loads, told from its expressions.

Begin with ``query_items`` (a value for each thing that is asked for, with its certainty) and
``entities``, which classifies expressions; ``mapped_classes`` tells what is a class or an alias of
one. ``starred`` looks further for both. ``repeats`` says whether criteria or loader options may
repeat rows. All ask a ``module_reader``.
"""
