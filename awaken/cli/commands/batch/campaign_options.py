"""Options that the commands of a campaign share."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from awaken.cli.options.declaring import Option

if TYPE_CHECKING:
    from awaken.batch.manifest.campaign_settings import Manifest
    from awaken.batch.state.campaign_folder import CampaignFolder
    from awaken.batch.state.selecting import Choice

Only = Annotated[
    list[str] | None,
    Option("--only", metavar="PATTERN", help="Only repositories with such a name, as org/*."),
]
Jobs = Annotated[
    int | None, Option("-j", "--jobs", metavar="N", min=1, help="Repositories at once.")
]


@dataclass(frozen=True)
class CampaignOptions:
    """Which campaign a command is about."""

    campaign: Annotated[
        Path, Option("--campaign", metavar="DIRECTORY", help="The folder of the campaign.")
    ] = Path()

    def folder(self) -> CampaignFolder:
        """Return the folder. Raises UserError where there is none."""
        from awaken.batch.state.campaign_folder import find_campaign  # noqa: PLC0415  help needs none

        return find_campaign(self.campaign)

    def open_campaign(self) -> tuple[CampaignFolder, Manifest]:
        """Return the folder, and what its manifest says. Raises UserError."""
        from awaken.batch.manifest.manifest_file import read_manifest  # noqa: PLC0415  as above
        from awaken.engine.remembering.rule_table import installed_rules  # noqa: PLC0415

        folder = self.folder()
        return folder, read_manifest(folder.top, installed_rules(None, use=True))

    def command_line(self, command: str, *words: str) -> str:
        """Return the line that runs ``command`` on the same campaign."""
        from awaken.cli.options.command_line import program  # noqa: PLC0415

        where = [] if self.campaign == Path() else ["--campaign", str(self.campaign)]
        return shlex.join([*program(), "batch", command, *words, *where])


@dataclass(frozen=True)
class ChoiceOptions:
    """Which repositories of the campaign a run is about."""

    only: Only = None
    failed: Annotated[
        bool, Option("--failed", help="Again those that failed: errors, and tests that are red.")
    ] = False
    retry_errors: Annotated[
        bool, Option("--retry-errors", help="Again those that ended with an error.")
    ] = False
    limit: Annotated[
        int | None, Option("--limit", metavar="N", min=1, help="At most so many repositories.")
    ] = None
    shard: Annotated[
        str | None, Option("--shard", metavar="N/M", help="Only the N-th of M parts, for CI.")
    ] = None

    def choice(self) -> Choice:
        """Return the same as the campaign takes it. Raises UserError."""
        from awaken.batch.state.selecting import Choice, shard_of  # noqa: PLC0415

        return Choice(
            only=tuple(self.only or ()),
            failed=self.failed,
            retry_errors=self.retry_errors,
            limit=self.limit,
            shard=None if self.shard is None else shard_of(self.shard),
        )
