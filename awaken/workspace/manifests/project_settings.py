"""The facts about a project that its settings files tell, beside the versions it runs on."""

from __future__ import annotations

from msgspec import Struct


class ProjectSettings(Struct, frozen=True):
    """What the settings files of a project tell; the defaults are those that promise least.

    ``published`` says whether code outside the project may import from it.
    """

    published: bool = True


UNTOLD = ProjectSettings()
"""What holds where no file is read."""
