"""The messages of ``awaken batch run``: a row for each repository, and what to do next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from awaken.batch.reviewing.phrases import repositories
from awaken.preview.counts import plural
from awaken.preview.streams.messages import say
from awaken.preview.streams.visible import visible

if TYPE_CHECKING:
    from awaken.batch.campaign_run import EndedRun
    from awaken.batch.coordinating import Tell
    from awaken.batch.manifest.campaign_settings import Entry, Manifest
    from awaken.batch.working.task_data import Outcome
    from awaken.cli.commands.batch.campaign_options import CampaignOptions


def teller(*, quiet: bool) -> Tell:
    """Return what says a row for each outcome, nothing if ``quiet``."""

    def tell(entry: Entry, outcome: Outcome, again: bool) -> None:
        if quiet:
            return
        counts = outcome.counts
        sites = counts.safe + counts.unsafe
        details = [plural(sites, "site")] if sites else []
        details += [f"{counts.manual:,} manual"] if counts.manual else []
        details += [f"tests: {counts.tests_after}"] if counts.tests_after else []
        details += [outcome.message] if outcome.message else []
        state = "waiting, it is tried again" if again else str(outcome.state)
        more = f" ({'; '.join(details)})" if details else ""
        say(visible(f"{entry.name}: {state}{more}"))

    return tell


def print_end(ended: EndedRun, manifest: Manifest, own: CampaignOptions, *, quiet: bool) -> None:
    """Say how the run ended, and the command to go on with."""
    if quiet:
        return
    for note in manifest.notes:
        say(visible(f"note: {note}"))
    counted = Counter(progress.display_state for progress in ended.progress.values())
    listed = ", ".join(f"{number:,} {state}" for state, number in sorted(counted.items()))
    say(
        f"{repositories(ended.done)} in {ended.seconds:.1f} s. "
        f"The campaign: {listed or 'nothing yet'}."
    )
    if ended.left:
        say(f"Go on: {own.command_line('run')} ({ended.left:,} are left)")
    if ended.failed:
        say(f"See the causes: {own.command_line('status')}")
        say(f"Again what failed: {own.command_line('run', '--failed')}")
    if ended.ready:
        say(f"Look at the results: {own.command_line('review')}")
