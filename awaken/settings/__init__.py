"""The settings of a project, from files and the command line; each knows where it was said.

Begin with ``model``, the settings as values. ``resolve`` joins the layers, ``settings_files`` reads
the file of a project and ``--config``, ``typed_settings`` checks what a table says, ``selection``
decides which rules run, and ``rule_data`` is what a run without rules knows of them.
"""

from __future__ import annotations

from awaken.settings.model import Layer, Override, PathOverride, Resolved, Settings

__all__ = ["Layer", "Override", "PathOverride", "Resolved", "Settings"]
