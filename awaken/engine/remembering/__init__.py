"""Results of earlier runs, so that the same files are analysed once.

Begin with ``remembered`` (what is kept of a run, and when it holds); ``results_cache`` is the store
on disk, signed and pruned.
"""
