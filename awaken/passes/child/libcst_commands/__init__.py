"""Codemods of LibCST: run as its own runner does, a fresh command and context for each file.

Begin with ``command_loading``, which makes a command with its arguments and gives it one file after
the other. ``finding`` finds it by its name, ``codemod_settings`` reads ``.libcst.codemod.yaml``.
``round_trip`` puts back what LibCST loses of a file, ``warned_lines`` tells which line a warning is
about, ``decorated_methods`` makes LibCST itself faster.
"""
