"""Passes: codemods of LibCST and scripts of Bowler that somebody else wrote, run as rules.

``foreign`` is the rule that a pass becomes, ``protocol`` what it asks the process that runs the
foreign code, and what that answers. ``statement_hunks`` turns the text that comes back into edits.
``child`` holds all that runs in that process.
"""
