"""The way of results onto the disk, and back.

Begin with ``apply`` (all files or none), then ``journal`` (every original, kept first) and
``undo``. ``lock`` keeps two runs on one tree apart.
"""
