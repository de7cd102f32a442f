"""Reads that would load something by themselves, or give an outdated value.

Begin with ``loaded_relationships``: which relationships are loaded, and by which code.
``object_reads`` says which reads another one serves, ``declared`` is about columns and mappings.
``new_objects`` refreshes new objects, ``stale`` reloads collections of statements after a commit,
``committed`` reloads objects from before it. ``expiry`` loads expired attributes. ``persistence``
says whether an object may be refreshed at a place at all, ``kept_state`` where objects now keep
their values. ``computed`` has the values that the database computes, or has already.
"""
