"""Forms for people at a terminal.

Begin with ``grouped`` (findings by file) and ``frames`` (findings with their code).
``explained_place``, ``diagnosis``, ``catalogue`` and ``interactive`` belong to the commands
``explain``, ``doctor``, ``rules`` and ``apply --interactive``; ``statistics`` and ``undo_lines``
are plain lines.
"""
