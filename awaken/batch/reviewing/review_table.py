"""The results of a campaign as a table on the console, with a page next to it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.reviewing.phrases import columns, repositories
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import READY, State
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import matching
from awaken.batch.state.state_log import read_log
from awaken.batch.working.task_data import SUMMARY, Summary
from awaken.contract import UserError
from awaken.engine.machine.filesystem import replacing
from awaken.preview.html.report_page import template_of, trusted_parts
from awaken.preview.streams.output import send
from awaken.preview.streams.visible import inert_markup, visible


def print_review(
    folder: CampaignFolder,
    manifest: Manifest,
    only: Sequence[str],
    output: Path | None,
    again: Callable[..., str],
) -> None:
    """Print the table and write the page. Raises UserError."""
    progress = fold(read_log(folder.log)[0])
    rows = [
        _row(folder, entry, progress[entry.id])
        for entry in matching(manifest.entries, only)
        if entry.id in progress
    ]
    if not rows:
        raise UserError(f"nothing was run yet; begin with `{again('run')}`")
    titles = ("repository", "state", "safe", "unsafe", "manual", "files", "tests before", "after")
    page = folder.top / "review.html" if output is None else output
    with replacing(page) as file:
        file.write(inert_markup(_review_page(manifest, rows, folder.top)).encode())
    ready = [row for row in rows if row.progress.result in READY]
    approved = sum(row.progress.is_approved for row in ready)
    lines = columns([titles, *(_cells(row) for row in rows)])
    lines += ["", f"{repositories(len(rows))}, {len(ready)} ready, {approved} approved."]
    lines += [f"The page with reports and patches: {page}"]
    if len(ready) > approved:
        lines += [f"Approve one: {again('approve', ready[0].entry.name)}"]
        lines += [f"Approve all: {again('approve', '--all')}"]
    if approved:
        lines += [f"Publish what is approved: {again('publish')}"]
    send(lines, sys.stdout)


def _row(folder: CampaignFolder, entry: Entry, progress: Progress) -> Row:
    place = folder.results(entry.id)
    files = ("report.html", "changes.patch", "log.txt")
    there = tuple(name for name in files if (place / name).is_file())
    return Row(entry, progress, str(progress.display_state), there, f"results/{entry.id}")


def _cells(row: Row) -> tuple[str, ...]:
    counts = row.progress.counts
    return (
        visible(row.entry.name),
        row.state if row.progress.state is not State.ERROR else f"error ({row.progress.kind})",
        *(f"{number:,}" for number in (counts.safe, counts.unsafe, counts.manual, counts.files)),
        counts.tests_before,
        counts.tests_after,
    )


def _review_page(manifest: Manifest, rows: Sequence[Row], top: Path) -> str:
    """Return the page; every string in it is escaped by the template."""
    template = template_of("awaken.batch.reviewing", "review.html.jinja")
    states = Counter(row.state for row in rows)
    return template.render(
        campaign=manifest.campaign,
        total=repositories(len(rows)),
        rows=[(row, _summary(top / row.directory / SUMMARY)) for row in rows],
        states=sorted(states.items()),
        **trusted_parts("report.css"),
    )


def _summary(path: Path) -> Summary | Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except (OSError, msgspec.DecodeError):
        return Summary()


class Row(Struct, frozen=True):
    """A repository in the table, and the files that the page links to, as far as they exist."""

    entry: Entry
    progress: Progress
    state: str
    files: tuple[str, ...]
    directory: str
