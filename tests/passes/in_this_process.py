"""Runs codemods as their own processes do, without a process."""

from __future__ import annotations

from awaken.passes.child.libcst_commands.command_loading import load


class InThisProcess:
    """Takes the place of ``ForeignCode``."""

    def __init__(self, setup, **more):
        del more
        self.loaded, self._command = load(setup)

    def answers(self, items):
        return [self._command.rewritten(one) for one in items]

    def end(self):
        pass
