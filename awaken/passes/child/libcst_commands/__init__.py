"""Codemods of LibCST: run as its own runner does, a fresh command and context for each file.

Begin with ``command_loading``, which makes a command with its arguments and gives it one file after
the other, with the settings of ``.libcst.codemod.yaml``. ``finding`` finds it by its name.
"""
