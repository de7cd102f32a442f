"""Changes of files as diffs.

Begin with ``hunks``, the one comparison of lines. ``patch`` writes it for ``git apply``;
``coloured`` shows it on a terminal: ``file_diff`` per file, ``layouts`` for the columns,
``emphasis`` for the words. ``source_lines`` finds single places.
"""
