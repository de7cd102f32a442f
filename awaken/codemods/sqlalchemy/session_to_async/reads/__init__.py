"""Reads that would load something by themselves, or give what is no longer so.

Begin with ``loading``: which relationships are loaded, and by what; ``validators`` tells which
reads are those of a field. ``new_objects`` refreshes what was just made, ``stale`` has statements
behind a commit read anew, ``expired`` loads what a rollback expired in front of what reads it (with
``reading``), and ``database_values`` sees to columns that the database computes.
"""
