"""Relationships of objects of before, behind a commit.

``committing`` finds what runs behind one, ``read_of`` tells what is read of an object there, and
``handed_objects`` what functions read that are given it. ``after_commits`` has that read anew,
``refreshed_parts`` what is loaded with the parts of an object that is refreshed. ``writes`` are
what changes rows and makes objects, ``after_writes`` what is read after them; ``persistence`` says
whether an object may be refreshed at a place at all.
"""
