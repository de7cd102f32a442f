"""Sites that a rule found and that are left alone all the same.

Begin with ``suppressed``, which joins the four sources: comments, settings, the baseline and the
``changed_lines`` of ``--since``. It gives advice about comments that suppress nothing.
``baseline_writing`` writes a baseline.
"""
