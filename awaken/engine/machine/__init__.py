"""The operating system around a run; nothing in here knows what a rule is.

Read any module alone. Files go through ``filesystem``, other programs through ``programs``, git
through ``git``, parallel work through ``workers``, which ``work_limits`` ends. ``state`` is the
user's state directory, ``signals`` are requests to stop, and ``apply_errors`` is the tree of
exceptions that stop an apply or an undo.
"""
