"""The run of a campaign: gives tasks to an executor and writes the state; nobody else does.

Failures of the machine are retried after growing pauses; failures of the code are not.
"""

from __future__ import annotations

import hashlib
import heapq
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from awaken.batch.executors.executor_port import Executor
from awaken.batch.manifest.campaign_settings import Entry, Limits, Manifest
from awaken.batch.manifest.manifest_file import branch_of, command_of
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import MACHINERY, Kind, Record, State
from awaken.batch.state.state_log import StateLog
from awaken.batch.working.cloning import Git, GitFailedError
from awaken.batch.working.repository_work import own_code, without_held_secrets
from awaken.batch.working.task_data import KEPT, LOG, Failure, Outcome, Task
from awaken.contract import UserError
from awaken.engine.machine.filesystem import replacing
from awaken.engine.machine.workers import available_cores

_NOBODY = "awaken batch <awaken-batch@localhost>"
_LONGEST_PAUSE = 300.0
_TIMES = 3.0
"""Each pause is so many times the one before."""
_LOOK = 0.5


def author_of(manifest: Manifest, directory: Path) -> str:
    """Return the author of commits: as the manifest says, or as the user's git does."""
    if manifest.campaign.author:
        return manifest.campaign.author
    git = Git(directory, 60)
    try:
        name, address = (git.say("config", f"user.{key}") for key in ("name", "email"))
    except GitFailedError:
        return _NOBODY
    return f"{name} <{address}>".replace("\n", " ")


def task_of(manifest: Manifest, entry: Entry, author: str, date: int) -> Task:
    """Return what is to be done in a repository, from its newest base commit."""
    repository, verify, limits = entry.repository, manifest.verify, manifest.limits
    campaign = manifest.campaign
    task = Task(
        id=entry.id,
        name=entry.name,
        url=repository.url,
        ref=repository.ref or campaign.base,
        base="",
        subdirectory=repository.subdirectory,
        branch=branch_of(manifest, entry),
        key="",
        awaken=own_code(),
        work="",
        recipe=campaign.recipe,
        settings=_joined_values(manifest.awaken, repository.awaken),
        tests=command_of(manifest, entry),
        environment=verify.environment,
        carry=verify.carry,
        network=verify.network,
        pass_env=verify.pass_env,
        campaign=campaign.name,
        title=campaign.title or f"awaken: {campaign.name}",
        author=author,
        date=date,
        seconds=limits.seconds,
        clone_seconds=limits.clone_seconds,
        memory_mb=limits.memory_mb,
        size_mb=limits.size_mb,
    )
    return structs.replace(task, key=_key(task))


def _joined_values(campaign: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    joined = dict(campaign)
    for name, value in own.items():
        before = joined.get(name)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        joined[name] = _joined_values(before, value) if both else value  # type: ignore[arg-type]
    return joined


def _key(task: Task) -> str:
    """Return a digest of the inputs but the base commit: repository, awaken, what it does."""
    plain = structs.replace(task, date=0, author="", work="", key="", attempt=0, name="")
    unlimited = structs.replace(plain, seconds=0, clone_seconds=0, memory_mb=0, size_mb=0)
    return hashlib.sha256(msgspec.json.encode(unlimited, order="deterministic")).hexdigest()[:16]


def require_room(directory: Path, megabytes: int) -> None:
    """Raise UserError where the disk of a campaign has less room than its limits say."""
    free = shutil.disk_usage(directory).free >> 20
    if free < megabytes:
        raise UserError(
            f"the disk of {directory} has {free:,} MB left; free-disk-mb requires {megabytes:,}. "
            "Make room and run the same command again"
        )


def jobs_of(manifest: Manifest) -> int:
    """Return how many repositories are worked on at once."""
    return manifest.limits.jobs or available_cores()


class Work(Struct, frozen=True):
    """A repository, and what is to be done in it."""

    entry: Entry
    task: Task


Tell = Callable[[Entry, Outcome, bool], None]
"""Is told of each outcome, and whether it is tried again."""


def run_tasks(  # noqa: PLR0913  the parts of a run
    folder: CampaignFolder,
    log: StateLog,
    executor: Executor,
    works: Sequence[Work],
    limits: Limits,
    tell: Tell,
) -> None:
    """Do all ``works`` and write their results into the ``log``.

    Raises UserError where the disk is full; finished work is kept.
    """
    waiting = {work.task.id: work for work in works}
    ready = [work.task for work in works]
    ready.reverse()
    later: list[tuple[float, int, Task]] = []
    under_way: dict[str, Task] = {}
    number = 0
    while ready or later or under_way:
        now = time.monotonic()
        while later and later[0][0] <= now:
            ready.append(heapq.heappop(later)[2])
        while ready and len(under_way) < executor.capacity:
            require_room(folder.top, limits.free_disk_mb)
            task = ready.pop()
            under_way[task.id] = task
            executor.submit(task.id, msgspec.json.encode(task))
        answer = executor.next_outcome(_LOOK)
        if answer is None or answer[0] not in under_way:
            continue
        task = under_way.pop(answer[0])
        outcome = _outcome(task, answer[1])
        again = _is_tried_again(outcome, task, limits)
        _keep(folder, log, task, outcome, again=again)
        tell(waiting[task.id].entry, outcome, again)
        if again:
            number += 1
            pause = min(limits.pause_seconds * _TIMES ** (task.attempt - 1), _LONGEST_PAUSE)
            following = structs.replace(task, attempt=task.attempt + 1)
            heapq.heappush(later, (time.monotonic() + pause, number, following))


def _outcome(task: Task, answer: bytes | str) -> Outcome:
    if isinstance(answer, bytes):
        # A worker on another machine does not know our secrets.
        return without_held_secrets(msgspec.json.decode(answer, type=Outcome))
    kind = Kind.INTERNAL if answer.startswith("internal error") else Kind.KILLED
    failure = Failure(kind=kind, message=answer, cause=answer)
    return Outcome(id=task.id, state=State.ERROR, message=answer, failure=failure)


def _is_tried_again(outcome: Outcome, task: Task, limits: Limits) -> bool:
    failure = outcome.failure
    return failure is not None and failure.kind in MACHINERY and task.attempt < limits.attempts


def _keep(
    folder: CampaignFolder, log: StateLog, task: Task, outcome: Outcome, *, again: bool
) -> None:
    """Keep the files of an outcome, and then the lines that speak of them."""
    write_files(folder.results(task.id), outcome.files, is_whole=outcome.failure is None)
    log.append(*_records(task, outcome, again=again))


def write_files(place: Path, files: Mapping[str, bytes], *, is_whole: bool) -> None:
    """Write the files of a repository; where they are ``is_whole``, no other stays.

    Files of an earlier run stay next to an error, except for its log.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        if name in KEPT and (is_whole or name == LOG):
            with replacing(place / name) as file:
                file.write(content)
    for name in KEPT if is_whole else ():
        if name not in files:
            (place / name).unlink(missing_ok=True)


def _records(task: Task, outcome: Outcome, *, again: bool) -> list[Record]:
    failure = outcome.failure
    last = Record(
        at=round(time.time(), 3),
        repository=task.id,
        state=State.WAITING if again else outcome.state,
        key="" if again else task.key,
        commit=outcome.commit,
        patch=outcome.patch,
        counts=None if failure else outcome.counts,
        kind=failure.kind if failure else None,
        message=outcome.message,
        cause=failure.cause if failure else "",
        attempt=task.attempt,
        seconds=outcome.seconds,
        machine=outcome.machine,
    )
    if not outcome.base:
        return [last]
    cloned = Record(
        at=last.at,
        repository=task.id,
        state=State.CLONED,
        base=outcome.base,
        base_branch=outcome.base_branch,
        branch=task.branch,
        attempt=task.attempt,
        machine=outcome.machine,
    )
    return [cloned, last]
