"""Relationships that are read after a commit, of objects from before it.

``committing`` finds the code after a commit, ``read_of`` the reads of an object there, also
by functions that get it. ``after_commits`` reloads it,
``refreshed_parts`` reloads what belongs to the parts of a refreshed object. ``written_rows`` finds
code that changes rows and makes objects, ``after_writes`` the reads after it.
``uses`` has the uses that differ if an object keeps its values.
"""
