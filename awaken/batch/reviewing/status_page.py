"""The status of a campaign: counts by state, failures by cause, and what to do next."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence

from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.reviewing.phrases import columns, repositories
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import FAILED, READY, State
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import matching
from awaken.batch.state.state_log import read_log
from awaken.preview.streams.output import send
from awaken.preview.streams.visible import visible

_CAUSES = 20
_NAMED = 3


def print_status(
    folder: CampaignFolder,
    manifest: Manifest,
    only: Sequence[str],
    *,
    listed: bool,
    again: Callable[..., str],
) -> None:
    """Print the status of the repositories whose names match ``only``. Raises UserError."""
    records, unread = read_log(folder.log)
    progress = fold(records)
    entries = matching(manifest.entries, only)
    known = [(entry, progress.get(entry.id) or Progress(repository=entry.id)) for entry in entries]
    lines = [f"{manifest.campaign.name}: {repositories(len(entries))}"]
    states = Counter(_state(entry, each) for entry, each in known)
    order = [*map(str, State), "skipped"]
    counts = [(f"{states[name]:,}".rjust(7), name) for name in order if states[name]]
    lines += columns(counts)
    lines += _causes(known, folder)
    if listed:
        rows = [
            (visible(entry.name), _state(entry, each), visible(each.url or each.message))
            for entry, each in known
        ]
        lines += ["", *columns(rows)]
    if unread:
        lines.append(
            f"state.jsonl has {len(unread)} lines that say nothing, the first is {unread[0]}"
        )
    lines += ["", *_nexts(known, again)]
    send([line.rstrip() for line in lines], sys.stdout)


def _state(entry: Entry, progress: Progress) -> str:
    if entry.repository.skip:
        return "skipped"
    return str(progress.display_state)


def _causes(known: Sequence[tuple[Entry, Progress]], folder: CampaignFolder) -> list[str]:
    """Return failures and unmet needs by cause, the most frequent first, with the last message."""
    groups: dict[tuple[str, str], list[tuple[Entry, Progress]]] = {}
    for entry, progress in known:
        is_needy = progress.state is State.NOTHING and progress.message
        if progress.state in FAILED | {State.REFUSED} or progress.kind is not None or is_needy:
            kind = str(progress.kind or progress.state)
            groups.setdefault((kind, progress.cause or progress.message), []).append(
                (entry, progress)
            )
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    lines = [""] if ordered else []
    for (kind, _), members in ordered[:_CAUSES]:
        entry, progress = members[0]
        lines.append(f"{len(members):,} x {kind}: {visible(progress.message)}")
        names = ", ".join(visible(each.name) for each, _ in members[:_NAMED])
        more = f" and {len(members) - _NAMED:,} more" if len(members) > _NAMED else ""
        log = folder.results(entry.id) / "log.txt"
        shown = f"; log: results/{entry.id}/log.txt" if log.exists() else ""
        lines.append(f"    {names}{more}{shown}")
    if len(ordered) > _CAUSES:
        lines.append(f"and {len(ordered) - _CAUSES:,} more causes")
    return lines


def _nexts(known: Sequence[tuple[Entry, Progress]], again: Callable[..., str]) -> list[str]:
    states = {each.display_state for entry, each in known if not entry.repository.skip}
    lines = []
    if states & {State.WAITING, State.CLONED}:
        lines.append(f"Go on: {again('run')}")
    if states & READY:
        lines.append(f"Look at the results: {again('review')}")
    if State.APPROVED in states:
        lines.append(f"Publish what is approved: {again('publish')}")
    if states & FAILED:
        lines.append(f"Again what failed: {again('run', '--failed')}")
    return lines or ["Nothing is left to do."]
