"""Results of earlier runs, so that the same files are analysed once.

Begin with ``remembered`` (what is kept of a run, and when it holds); ``evidence`` is what a result
depends on, and ``results_cache`` is the store on disk, signed and pruned. ``result_places`` says
where in it a project's results are; ``rule_table`` keeps what the rules declare, and
``summary_store`` opens what ``awaken.project.store`` keeps of single files.
"""
