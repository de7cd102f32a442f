"""Relationships of objects of before, behind a commit.

``committing`` finds what runs behind one, ``handed_objects`` tells what functions read of what they
are given, and ``after_commits`` has relationships read anew.
"""
