"""What a user may set for a project, in files and on the command line; and where it was said."""

from __future__ import annotations

from awaken.settings.model import Layer, Override, PathOverride, Resolved, Settings

__all__ = ["Layer", "Override", "PathOverride", "Resolved", "Settings"]
