"""Changes of a run shown and agreed to one by one.

Begin with ``staged_runs``: a run that keeps its stages, and so can show what one change does alone.
``answers`` asks about each change and runs again without what was refused.
"""
