"""Codemods of LibCST: run as its own runner does, a fresh command and context for each file.

Begin with ``command_loading``, which makes a command with its arguments and gives it one file after
the other. ``finding`` finds it by its name, ``codemod_settings`` reads ``.libcst.codemod.yaml``.
"""
