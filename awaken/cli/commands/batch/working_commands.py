"""``awaken batch init``, ``run``, ``status``, ``merge`` and ``clean``: all that stays here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from awaken.cli.commands.batch.campaign_options import CampaignOptions, ChoiceOptions, Jobs, Only
from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument, Option


def init(
    directory: Annotated[
        Path, Argument(metavar="DIRECTORY", help="The folder; it is made.", show_default=False)
    ] = Path(),
    repositories: Annotated[
        Path | None,
        Option(
            "--repositories",
            metavar="FILE",
            help="Lines, a CSV or JSON of `gh search repos`; - reads stdin.",
        ),
    ] = None,
    recipe: Annotated[
        str, Option("--recipe", metavar="RECIPE", help="What the campaign does.")
    ] = "sqlalchemy-2",
    host: Annotated[
        str, Option("--host", metavar="HOST", help="github, gitlab, or none for patches.")
    ] = "none",
    quiet: given.Quiet = False,
) -> int:
    """Write a campaign: a manifest with comments, and the list of repositories."""
    from awaken.batch.manifest.starting import start_campaign  # noqa: PLC0415  the help needs none
    from awaken.contract import UserError  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415

    text, shown = "", "stdin"
    if str(repositories) == "-":
        text = sys.stdin.read()
    elif repositories is not None:
        shown = str(repositories)
        try:
            text = repositories.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{repositories} cannot be read: {error}") from None
    name = directory.resolve().name or "campaign"
    written = start_campaign(directory, name, text, shown, recipe, host)
    if not quiet:
        again = CampaignOptions(campaign=directory).command_line("run", "--limit", "5")
        say(f"Wrote {' and '.join(str(directory / name) for name in written)}.")
        say(f"Look at both, then: {again}")
    return 0


def run(
    own: CampaignOptions,
    chosen: ChoiceOptions,
    jobs: Jobs = None,
    dask: Annotated[
        str | None,
        Option("--dask", metavar="ADDRESS", help="Work on this Dask cluster; local makes one."),
    ] = None,
    quiet: given.Quiet = False,
) -> int:
    """Clone, change and verify the repositories; nothing leaves this machine.

    Run it again to go on: finished repositories are not repeated. The tests run code of the
    repositories, without your tokens. Exits with 1 if a repository failed, with 2 if the campaign
    did.
    """
    from awaken.batch.campaign_run import run_campaign  # noqa: PLC0415  the help needs none
    from awaken.cli.commands.batch.run_messages import print_end, teller  # noqa: PLC0415
    from awaken.cli.exit_codes import FOUND  # noqa: PLC0415

    folder, manifest = own.open_campaign()
    choice = chosen.choice()
    ended = run_campaign(folder, manifest, choice, jobs=jobs, dask=dask, tell=teller(quiet=quiet))
    print_end(ended, manifest, own, quiet=quiet)
    return FOUND if ended.failed else 0


def status(
    own: CampaignOptions,
    listed: Annotated[bool, Option("--list", help="A row for each repository.")] = False,
    only: Only = None,
    refresh: Annotated[
        bool, Option("--refresh", help="Ask the host for the state of the pull requests.")
    ] = False,
) -> int:
    """Show how many repositories are in which state, and what failed for which cause."""
    from awaken.batch.reviewing.status_page import print_status  # noqa: PLC0415  the help needs none

    folder, manifest = own.open_campaign()
    if refresh:
        from awaken.batch.publishing.following import refresh_states  # noqa: PLC0415

        refresh_states(folder, manifest)
    print_status(folder, manifest, only or (), listed=listed, again=own.command_line)
    return 0


def merge(
    shards: Annotated[
        list[Path],
        Argument(metavar="DIRECTORY", help="Campaign folders of shards.", show_default=False),
    ],
    own: CampaignOptions,
    quiet: given.Quiet = False,
) -> int:
    """Take the results of shards into this campaign; doing it twice changes nothing."""
    from awaken.batch.campaign_run import merge_shard  # noqa: PLC0415  the help needs none
    from awaken.preview.streams.messages import say  # noqa: PLC0415

    folder, manifest = own.open_campaign()
    with folder.hold() as log:
        for shard in shards:
            number = merge_shard(folder, log, manifest, shard)
            if not quiet:
                say(f"{shard}: {number} new lines of state.")
    return 0


def clean(
    own: CampaignOptions,
    forks: Annotated[
        bool, Option("--forks", help="Also delete forks that the campaign made and needs no more.")
    ] = False,
    quiet: given.Quiet = False,
) -> int:
    """Remove what is needed no more: clones, and with --forks the forks of ended pull requests."""
    import shutil  # noqa: PLC0415  few runs clean

    from awaken.preview.streams.messages import say  # noqa: PLC0415

    folder, manifest = own.open_campaign()
    with folder.hold() as log:
        if folder.work.exists() and not folder.work.is_symlink():
            shutil.rmtree(folder.work, ignore_errors=True)
        removed: list[str] = []
        if forks:
            from awaken.batch.publishing.following import delete_forks  # noqa: PLC0415

            removed = delete_forks(folder, manifest, log)
    if not quiet:
        more = f" Deleted forks: {', '.join(removed)}." if removed else ""
        say(f"Removed the clones of {folder.top}.{more}")
    return 0
