"""Reads that would load something by themselves, or give what is no longer so.

Begin with ``loading``: which relationships are loaded, and by what. ``new_objects`` refreshes what
was just made, ``database_values`` sees to columns that the database computes.
"""
