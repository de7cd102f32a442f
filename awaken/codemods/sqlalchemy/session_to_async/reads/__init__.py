"""Reads that would load something by themselves, or give an outdated value.

Begin with ``loading``: which relationships are loaded, and by which code. ``validators`` says which
reads are those of a field, ``declared`` is about columns and mappings. ``new_objects`` refreshes
new objects, ``stale`` reloads collections of statements after a commit, ``committed`` reloads
objects from before it. ``expired`` loads expired attributes before their reads after a rollback
(with ``reading``). ``expire_calls`` reloads attributes that are expired by name.
"""
