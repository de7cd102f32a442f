"""The tasks of a campaign: what the manifest says of each repository, as plain data."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.manifest.manifest_file import branch_of, command_of
from awaken.batch.working.cloning import Git, GitFailedError
from awaken.batch.working.repository_work import own_code
from awaken.batch.working.task_data import Task
from awaken.contract import UserError
from awaken.engine.machine.workers import available_cores

_NOBODY = "awaken batch <awaken-batch@localhost>"


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
