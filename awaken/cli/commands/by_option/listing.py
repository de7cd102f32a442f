"""``awaken check --show-files`` and ``--show-settings`` describe a run without running it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from awaken.cli.exit_codes import FAILED
from awaken.cli.options.declaring import Option

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine


@dataclass(frozen=True)
class ListingOptions:
    """Asks for what a run would be about, instead of the run."""

    show_files: Annotated[
        bool,
        Option("--show-files", help="Only list the files that awaken searches."),
    ] = False
    show_settings: Annotated[
        bool,
        Option("--show-settings", help="Only print the settings as TOML, with their origin."),
    ] = False

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self.show_files or self.show_settings

    def show(self, line: CommandLine) -> int:
        """Print what is asked for to stdout; 2 if a path of ``line`` cannot be used, else 0."""
        from awaken import api  # noqa: PLC0415  the help needs no engine
        from awaken.preview.documents import settings_text  # noqa: PLC0415
        from awaken.preview.streams.messages import say  # noqa: PLC0415
        from awaken.preview.streams.output import send  # noqa: PLC0415
        from awaken.preview.streams.visible import visible  # noqa: PLC0415

        listing, current = api.listing(line.paths, line.options), Path.cwd()
        if self.show_settings:
            send(settings_text.settings_text(listing.settings, current), sys.stdout)
        if self.show_files:
            send(settings_text.files_text(listing.files, current), sys.stdout)
        for problem in listing.problems:
            say(visible(f"error: {problem.path}: {problem.message}"))
        return FAILED if listing.problems else 0
