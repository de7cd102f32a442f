"""The rewriting of one Python file: pure functions that can run in a worker.

Begin with ``file_rewriting``. It gives each slice to ``slice_rewriting``, puts the pieces together
(``pieces``), and proves the result: ``edits/comparison.py`` of the trees, ``pieces`` of the names.
"""
