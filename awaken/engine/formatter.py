"""The formatter of the target project, run only where awaken wrote and only if it was clean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct


class Formatter(Protocol):
    """Formats the texts of files; a file that it fails on is missing from the result."""

    def format(self, texts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return the formatted texts (UTF-8, as given) by path."""
        ...


class FormatSettings(Struct, frozen=True):
    """The longest line that the project allows, and its formatter if it declares one."""

    line_length: int = 88
    formatter: Formatter | None = None
