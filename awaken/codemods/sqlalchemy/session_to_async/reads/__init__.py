"""Reads that would load something by themselves, or give what is no longer so.

Begin with ``loading``: which relationships are loaded, and by what; ``validators`` tells which
reads are those of a field, and ``declared`` is about columns and mappings. ``new_objects``
refreshes what was just made, ``stale`` has statements behind a commit read anew, ``committed``
what is read there of objects of before. ``expired`` loads what a rollback expired in front of what
reads it (with ``reading``), and ``expire_calls`` what is expired by name.
"""
