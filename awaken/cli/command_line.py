"""Command lines that a user can copy: this run again, with another command."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from awaken.api import Options


class CommandLine(Struct, frozen=True):
    """The paths and options of one run; options that only concern the output are not part."""

    paths: Sequence[Path]
    options: Options

    def again(self, command: str, *more: str) -> str:
        """Return the line that runs ``command`` on the same, with the options ``more`` added."""
        paths = [] if list(self.paths) == [Path()] else [str(path) for path in self.paths]
        before = ["--"] if any(path.startswith("-") for path in paths) else []
        return shlex.join([*program(), command, *self._options(), *more, *before, *paths])

    def _options(self) -> list[str]:
        options = self.options
        words: list[str] = []
        for name, values in (
            ("--select", options.select),
            ("--ignore", options.ignore),
            ("--exclude", options.exclude),
            ("--target", [f"{name}={version}" for name, version in options.targets.items()]),
        ):
            words += [name, ",".join(values)] if values else []
        if options.target_version:
            words += ["--target-version", options.target_version]
        if options.unsafe_fixes:
            words.append("--unsafe-fixes")
        return words


def program() -> list[str]:
    """Return the words that started this process, as far as they can be told."""
    as_module = Path(sys.argv[0]).parts[-2:] == ("awaken", "__main__.py")
    return ["python", "-m", "awaken"] if as_module else ["awaken"]
