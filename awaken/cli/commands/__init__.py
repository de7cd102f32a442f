"""The commands: one module each, named like the command.

Each parses its options, calls ``awaken.api`` and prints through ``awaken.preview``. Begin with
``check``, the smallest whole one. ``baseline``, ``interactive`` and ``listing`` are what an option
makes of a command.
"""
