"""``awaken batch review``, ``approve``, ``publish``, ``update`` and ``close``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from awaken.cli.commands.batch.campaign_options import CampaignOptions, Jobs, Only
from awaken.cli.options import shared_options as given
from awaken.cli.options.declaring import Argument, Option, bad_parameter

Patterns = Annotated[
    list[str] | None,
    Argument(
        metavar="PATTERN", help="Names of repositories, as org/* or org/name.", show_default=False
    ),
]


def review(
    own: CampaignOptions,
    only: Only = None,
    output: Annotated[
        Path | None,
        Option("-o", "--output-file", metavar="FILE", help="The page; review.html by default."),
    ] = None,
) -> int:
    """Show what would change where, as a table and as a page.

    The page links to the report and the patch of each repository.
    """
    from awaken.batch.reviewing.review_table import print_review  # noqa: PLC0415  the help needs none

    folder, manifest = own.open_campaign()
    print_review(folder, manifest, only or (), output, own.command_line)
    return 0


def approve(
    own: CampaignOptions,
    patterns: Patterns = None,
    every: Annotated[bool, Option("--all", help="All that is ready.")] = False,
    revoke: Annotated[bool, Option("--revoke", help="Take the approval back.")] = False,
    quiet: given.Quiet = False,
) -> int:
    """Approve results for publishing: all, by pattern, or one by one.

    An approval is for a patch: where a later run makes another one, it must be approved again.
    """
    from awaken.batch.reviewing.approving import approve_results  # noqa: PLC0415  the help needs none
    from awaken.batch.reviewing.phrases import repositories  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415

    if every is bool(patterns):
        raise bad_parameter("name repositories, or say --all", param_hint="PATTERN")
    folder, manifest = own.open_campaign()
    number = approve_results(folder, manifest, patterns or (), revoke=revoke)
    if not quiet:
        word = "No longer approved" if revoke else "Approved"
        say(f"{word}: {repositories(number)}.")
        if number and not revoke:
            say(f"Publish what is approved: {own.command_line('publish')}")
    return 0


def publish(
    own: CampaignOptions,
    only: Only = None,
    limit: Annotated[
        int | None, Option("--limit", metavar="N", min=1, help="At most so many pull requests.")
    ] = None,
    quiet: given.Quiet = False,
) -> int:
    """Push what was approved and open a pull request for each; drafts by default.

    Exits with 1 if something approved is not published, with 2 if it had to stop.
    """
    from awaken.batch.publishing.publishing import publish_approved  # noqa: PLC0415
    from awaken.cli.exit_codes import FAILED, FOUND  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415

    folder, manifest = own.open_campaign()

    def tell(sentence: str) -> None:
        if not quiet:
            say(visible(sentence))

    ended = publish_approved(folder, manifest, only or (), limit, tell)
    if ended.stopped:
        say(visible(f"Stopped: {ended.stopped}"))
    if ended.left:
        tell(f"Go on: {own.command_line('publish')} ({ended.left:,} approved are left)")
    if ended.stopped:
        return FAILED
    return FOUND if ended.left else 0


def update(
    own: CampaignOptions,
    only: Only = None,
    jobs: Jobs = None,
    quiet: given.Quiet = False,
) -> int:
    """Run again where the base, awaken or the manifest is new; the same branches stay.

    Approve changed patches again; `publish` then updates the pull requests. Commits of people
    on a branch are never overwritten.
    """
    from awaken.batch.campaign_run import update_campaign  # noqa: PLC0415  the help needs none
    from awaken.cli.commands.batch.run_messages import print_end, teller  # noqa: PLC0415
    from awaken.cli.exit_codes import FOUND  # noqa: PLC0415

    folder, manifest = own.open_campaign()
    ended = update_campaign(folder, manifest, only or (), jobs=jobs, tell=teller(quiet=quiet))
    print_end(ended, manifest, own, quiet=quiet)
    return FOUND if ended.failed else 0


def close(
    own: CampaignOptions,
    patterns: Patterns = None,
    every: Annotated[bool, Option("--all", help="All pull requests of the campaign.")] = False,
    comment: Annotated[str, Option("--comment", metavar="TEXT", help="Why, for the owners.")] = "",
    quiet: given.Quiet = False,
) -> int:
    """Close pull requests of the campaign, and delete their branches if nobody worked on them."""
    from awaken.batch.publishing.following import close_requests  # noqa: PLC0415
    from awaken.preview.streams.messages import say  # noqa: PLC0415
    from awaken.preview.streams.visible import visible  # noqa: PLC0415

    if every is bool(patterns):
        raise bad_parameter("name repositories, or say --all", param_hint="PATTERN")
    folder, manifest = own.open_campaign()
    for sentence in close_requests(folder, manifest, patterns or (), comment):
        if not quiet:
            say(visible(sentence))
    return 0
