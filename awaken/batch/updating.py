"""``update``: runs again where the base, awaken or the manifest is new."""

from __future__ import annotations

from collections.abc import Sequence

from awaken.batch.campaign_run import EndedRun, tasks_of, work_on
from awaken.batch.coordinating import Tell, Work
from awaken.batch.manifest.campaign_settings import Manifest
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import State
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import Choice, matching
from awaken.batch.state.state_log import read_log
from awaken.batch.working.cloning import Git, GitFailedError, remote_head
from awaken.batch.working.task_data import Task

_OVER = {State.MERGED, State.CLOSED}


def update_campaign(
    folder: CampaignFolder,
    manifest: Manifest,
    only: Sequence[str],
    *,
    jobs: int | None,
    tell: Tell,
) -> EndedRun:
    """Run what was run before, where its inputs are others now. Raises UserError."""
    with folder.hold() as log:
        tasks = tasks_of(folder, manifest)
        progress = fold(read_log(folder.log)[0])
        works = [
            Work(entry, tasks[entry.id])
            for entry in matching(manifest.entries, only)
            if not entry.repository.skip
            and entry.id in progress
            and _is_new(folder, tasks[entry.id], progress[entry.id])
        ]
        return work_on(folder, manifest, log, works, Choice(), jobs=jobs, dask=None, tell=tell)


def _is_new(folder: CampaignFolder, task: Task, known: Progress) -> bool:
    if known.state in _OVER:
        return False
    if known.key != task.key or not known.base:
        return True
    try:
        return remote_head(Git(folder.top, 120), task.url, task.ref).commit != known.base
    except GitFailedError:
        return True  # the run says what is wrong with it
