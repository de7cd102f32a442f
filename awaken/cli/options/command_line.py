"""Command lines that a user can copy: this run again, with another command."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from awaken.api import Options
from awaken.cli.options.passes import words_again


class CommandLine(Struct, frozen=True):
    """The paths and options of one run; options that only concern the output are not part."""

    paths: Sequence[Path]
    options: Options

    def with_command(self, command: str, *more: str) -> str:
        """Return the line that runs ``command`` on the same, with the options ``more`` added."""
        # The current directory is what a command is about without a path.
        paths = [] if list(self.paths) == [Path()] else [str(path) for path in self.paths]
        # After `--`, no path counts as an option.
        before = ["--"] if any(path.startswith("-") for path in paths) else []
        return shlex.join([*program(), command, *self._options(), *more, *before, *paths])

    def _options(self) -> list[str]:
        settings = self.options.settings
        words: list[str] = words_again(settings.passes)
        names = {item.known_as for item in settings.passes}
        for name, values in (
            ("--select", [word for word in settings.select or () if word not in names]),
            ("--extend-select", settings.extend_select),
            ("--ignore", settings.ignore),
            ("--unsafe", settings.unsafe),
            ("--exclude", settings.exclude or ()),
            ("--extend-exclude", settings.extend_exclude),
        ):
            words += [name, ",".join(values)] if values else []
        for name, version in settings.target.items():
            words += ["--target", f"{name}={version}"]
        for name, value in (
            ("--target-version", settings.target_version),
            ("--baseline", settings.baseline),
            ("--since", self.options.since),
            *(("--config", value) for value in self.options.config),
        ):
            words += [name, value] if value else []
        for name, chosen in (
            ("preview", settings.preview),
            ("unsafe-fixes", settings.unsafe_fixes),
            ("published", settings.published),
            ("force-exclude", settings.force_exclude),
            ("respect-gitignore", settings.respect_gitignore),
        ):
            # None leaves the word to the settings files.
            words += [] if chosen is None else [f"--{'' if chosen else 'no-'}{name}"]
        words += ["--trust-passes"] if settings.trust_passes else []
        return [*words, *(["--isolated"] if self.options.isolated else [])]


def program() -> list[str]:
    """Return the words that started this process, as far as they are known."""
    as_module = Path(sys.argv[0]).parts[-2:] == ("awaken", "__main__.py")
    return ["python", "-m", "awaken"] if as_module else ["awaken"]
