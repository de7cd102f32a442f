"""``run`` and ``update``: which repositories are worked on, by which executor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from awaken.batch.coordinating import Tell, Work, author_of, jobs_of, run_tasks, task_of
from awaken.batch.executors.executor_port import Executor
from awaken.batch.executors.local_executor import LocalExecutor
from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import FAILED, READY, State
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import Choice, matching, to_run
from awaken.batch.state.state_log import StateLog, merged_records, read_log
from awaken.batch.working.cloning import Git, GitFailedError, remote_head
from awaken.batch.working.task_data import KEPT, Outcome, Task
from awaken.contract import UserError
from awaken.engine.machine.filesystem import replacing


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


_LARGEST = 64 << 20


def merge_shard(folder: CampaignFolder, log: StateLog, manifest: Manifest, shard: Path) -> int:
    """Add what ``shard``, a campaign folder or its log, has and ``folder`` has not.

    Return the number of new lines. Files come first, so that a line never speaks of what is not
    there. Raises UserError for a folder without a campaign, and for other repositories.
    """
    place = shard.parent if shard.is_file() else shard
    path = place / "state.jsonl"
    if not path.is_file():
        raise UserError(f"there is no state.jsonl in {place}; name the folder of a shard")
    if folder.log.exists() and path.samefile(folder.log):
        raise UserError(f"{place} is this campaign itself; name the folders of its shards")
    new = list(merged_records(read_log(folder.log)[0], read_log(path)[0]))
    known = {entry.id for entry in manifest.entries}
    foreign = next((record.repository for record in new if record.repository not in known), None)
    if foreign is not None:
        raise UserError(f"{path} is about {foreign}, which this campaign does not have")
    for identity in dict.fromkeys(record.repository for record in new):
        target = folder.results(identity)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in KEPT:
            source = place / "results" / identity / name
            if source.is_file() and not source.is_symlink() and source.stat().st_size <= _LARGEST:
                with replacing(target / name) as file:
                    file.write(source.read_bytes())
            else:
                (target / name).unlink(missing_ok=True)
    if new:
        log.append(*new)
    return len(new)


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
