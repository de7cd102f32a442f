"""The commands: one module each, named like the command.

Each parses its options, calls ``awaken.api`` and prints through ``awaken.preview``. Begin with
``check``, the smallest whole one. ``by_option`` is what an option makes of a command; ``migrating``
has the steps and the questions of ``migrate``.
"""
