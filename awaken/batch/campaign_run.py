"""``run`` and ``update``: which repositories are worked on, by which executor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from awaken.batch.coordinating import Tell, Work, author_of, jobs_of, run_tasks, task_of
from awaken.batch.executors.executor_port import Executor
from awaken.batch.executors.local_executor import LocalExecutor
from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import FAILED, READY
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import Choice, to_run
from awaken.batch.state.state_log import StateLog, read_log
from awaken.batch.working.task_data import Outcome, Task


class EndedRun(Struct, frozen=True, kw_only=True):
    """The result of a run: how many repositories were worked on, left, failed and ready."""

    done: int
    left: int
    failed: int
    ready: int
    seconds: float
    progress: Mapping[str, Progress]


def run_campaign(  # noqa: PLR0913  what a user can say of a run
    folder: CampaignFolder,
    manifest: Manifest,
    choice: Choice,
    *,
    jobs: int | None,
    dask: str | None,
    tell: Tell,
) -> EndedRun:
    """Work on the repositories of ``choice`` that are not finished.

    Raises UserError while another coordinator works, and where the disk is full.
    """
    with folder.hold() as log:
        tasks = tasks_of(folder, manifest)
        keys = {identity: task.key for identity, task in tasks.items()}
        progress = fold(read_log(folder.log)[0])
        entries = to_run(manifest.entries, progress, keys, choice)
        works = [Work(entry, tasks[entry.id]) for entry in entries]
        return work_on(folder, manifest, log, works, choice, jobs=jobs, dask=dask, tell=tell)


def tasks_of(folder: CampaignFolder, manifest: Manifest) -> dict[str, Task]:
    """Return the task of each repository, by its id."""
    author = author_of(manifest, folder.top)
    date = int(time.time())
    return {entry.id: task_of(manifest, entry, author, date) for entry in manifest.entries}


def work_on(  # noqa: PLR0913  as above
    folder: CampaignFolder,
    manifest: Manifest,
    log: StateLog,
    works: Sequence[Work],
    choice: Choice,
    *,
    jobs: int | None,
    dask: str | None,
    tell: Tell,
) -> EndedRun:
    """Do ``works``, and return what the campaign has come to."""
    started = time.monotonic()
    done: set[str] = set()

    def tell_outcome(entry: Entry, outcome: Outcome, again: bool) -> None:
        if not again:
            done.add(entry.id)
        tell(entry, outcome, again)

    if works:
        executor, works = _executor(folder, manifest, works, jobs, dask)
        try:
            run_tasks(folder, log, executor, works, manifest.limits, tell_outcome)
        finally:
            executor.close()
    progress = fold(read_log(folder.log)[0])
    known = [progress[entry.id] for entry in manifest.entries if entry.id in progress]
    keys = {identity: task.key for identity, task in tasks_of(folder, manifest).items()}
    rest = to_run(manifest.entries, progress, keys, Choice(shard=choice.shard))
    return EndedRun(
        done=len(done),
        left=len(rest),
        failed=sum(each.state in FAILED for each in known),
        ready=sum(each.state in READY for each in known),
        seconds=time.monotonic() - started,
        progress=progress,
    )


def _executor(
    folder: CampaignFolder,
    manifest: Manifest,
    works: Sequence[Work],
    jobs: int | None,
    dask: str | None,
) -> tuple[Executor, Sequence[Work]]:
    """Return what does the work, and the work with the place where it is done."""
    number = min(jobs or jobs_of(manifest), len(works))
    if dask is None:
        return LocalExecutor(number), _placed_work(works, str(folder.fresh_work()))
    from awaken.batch.executors.dask_executor import DaskExecutor  # noqa: PLC0415  an extra

    place = str(folder.fresh_work()) if dask == "local" else ""
    return DaskExecutor(dask, number, manifest.dask), _placed_work(works, place)


def _placed_work(works: Sequence[Work], place: str) -> list[Work]:
    return [Work(work.entry, structs.replace(work.task, work=place)) for work in works]
