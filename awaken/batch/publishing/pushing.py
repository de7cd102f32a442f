"""Pushes the commit of a repository from its bundle; a clone that tests ran next to is never used.

awaken replaces a branch only if every commit on it is its own.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from awaken.batch.hosts.host_port import HostError, WaitError
from awaken.batch.state.records import MACHINERY
from awaken.batch.working.child_environment import without_secrets
from awaken.batch.working.cloning import Git, GitFailedError, fetch

_SECONDS = 900.0
_REJECTED = re.compile(r"\[(?:remote )?rejected\][^(]*\((?P<why>.*)\)")
_REMOTE = re.compile(
    r"^remote: (?P<why>.*(?:GH\d{3}|error|denied|must|protected).*)$", re.MULTILINE
)


class Branch(Struct, frozen=True, kw_only=True):
    """A push: a ``commit`` of the bundle, made on ``base`` of ``source``."""

    source: str
    target: str
    bundle: Path
    branch: str
    base: str
    commit: str


def push_branch(branch: Branch, ours: Collection[str], work: Path) -> None:
    """Push ``branch``; ``ours`` are commits that this campaign put there before.

    Raises HostError where it must not or cannot be, and WaitError where it may be later.
    """
    work.mkdir(mode=0o700, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="push-", dir=work))
    try:
        _push(branch, ours, Git(place, _SECONDS))
    except GitFailedError as error:
        if error.failure.kind in MACHINERY:
            raise WaitError(0, error.failure.message) from None
        raise HostError(error.failure.message) from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def remote_commit(git: Git, url: str, branch: str) -> str:
    """Return the commit of a branch on a host, empty where there is none."""
    rows = git.say("ls-remote", "--", url, f"refs/heads/{branch}").splitlines()
    return rows[0].partition("\t")[0] if rows else ""


def _push(branch: Branch, ours: Collection[str], git: Git) -> None:
    there = remote_commit(git, branch.target, branch.branch)
    if there == branch.commit:
        return
    if there and there not in ours:
        raise HostError(
            f"the branch {branch.branch} has commits that are not of this campaign; "
            "they stay, and nothing is pushed"
        )
    git.say("init", "--quiet", "--bare", "--template=")
    fetch(git, branch.source, branch.base)
    reference = f"refs/heads/{branch.branch}"
    git.say("fetch", "--quiet", "--", str(branch.bundle), f"+{reference}:{reference}")
    if git.say("rev-parse", reference) != branch.commit:
        raise HostError("the bundle does not hold the commit that was approved; run it again")
    lease = f"--force-with-lease={reference}:{there}"
    done = git.ask("push", "--porcelain", lease, "--", branch.target, f"{reference}:{reference}")
    if done.returncode:
        raise _refused_error(
            done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        )


def _refused_error(printed: str, said: str) -> Exception:
    rejected = _REJECTED.search(printed)
    remote = _REMOTE.search(said)
    if rejected is None and remote is None:
        lines = [line for line in said.splitlines() if line.strip()]
        why = without_secrets(lines[-1] if lines else "it does not say why")
        return WaitError(0, f"git push: {why}")
    why = " - ".join(match["why"].strip() for match in (rejected, remote) if match is not None)
    return HostError(f"the host rejects the branch: {without_secrets(why)}")


def delete_branch(target: str, branch: str, ours: Collection[str], work: Path) -> bool:
    """Delete a branch that only this campaign wrote to; return whether it is gone."""
    work.mkdir(mode=0o700, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="push-", dir=work))
    try:
        git = Git(place, _SECONDS)
        there = remote_commit(git, target, branch)
        if not there:
            return True
        if there not in ours:
            return False
        git.say("init", "--quiet", "--bare", "--template=")
        lease = f"--force-with-lease=refs/heads/{branch}:{there}"
        git.say("push", "--quiet", lease, "--", target, f":refs/heads/{branch}")
    except GitFailedError:
        return False
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return True
