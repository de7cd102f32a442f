"""Clones: one commit of one branch, and nothing of the repository runs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

from msgspec import Struct

from awaken.batch.state.records import Kind
from awaken.batch.working.child_environment import environment_of_git, without_secrets
from awaken.batch.working.task_data import Failure
from awaken.engine.machine.programs import Bounds, find_program, run_program

_QUIET = (
    *("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false"),
    *("-c", "protocol.ext.allow=never", "-c", "submodule.recurse=false", "-c", "gc.auto=0"),
    *("-c", "advice.detachedHead=false", "-c", "maintenance.auto=false"),
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GIT_MEMORY = 8 << 30
_SHOWN = 300
"""Characters of what git says that are kept."""

_GONE = re.compile(
    r"repository .*not found|does not appear to be a git repository|not found|access denied"
    r"|could not read Username|Authentication failed|Permission denied|project you were looking for"
    r"|does not exist|403",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"could not resolve|timed out|connection (reset|refused|closed)|early EOF|unexpected disconnect"
    r"|HTTP 5\d\d|error: 5\d\d|hung up unexpectedly|RPC failed|network is unreachable|GnuTLS|SSL_",
    re.IGNORECASE,
)
_DISK = re.compile(
    r"no space left|disk quota|input/output error|read-only file system", re.IGNORECASE
)
_SIZE = re.compile(r"file too large|File size limit|SIGXFSZ|died of signal 25", re.IGNORECASE)
_NO_REF = re.compile(r"couldn't find remote ref|no such ref|not our ref|unadvertised object")
_PLACES = re.compile(r"'[^']*'|\"[^\"]*\"|/\S+|https?://\S+|\b[0-9a-f]{7,64}\b|\d+")


class GitFailedError(Exception):
    """Git did not do what was asked; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Cloned(Struct, frozen=True):
    """The commit that was cloned, and the branch it was on, as far as the host says."""

    commit: str
    branch: str


class Git(Struct, frozen=True):
    """The user's git on the way to hosts, for one directory.

    ``size_mb`` is how large a file of a clone may become (0: as it likes).
    """

    directory: Path
    seconds: float
    size_mb: int = 0
    stop: Event | None = None
    environment: Mapping[str, str] | None = None

    def ask(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git with ``words`` and return its answer. Raises GitFailedError if there is none."""
        git = find_program("git", self.directory)
        if git is None:
            raise _clone_error(Kind.GIT, "there is no git on the PATH")
        command = [git, *_QUIET, *words]
        shell = find_program("sh", self.directory) if self.size_mb else None
        if shell is not None:
            # Half-kilobytes are what POSIX counts. The limit is inherited by all that git starts.
            limited = 'ulimit -f "$0" && exec "$@"'
            command = [shell, "-c", limited, str(self.size_mb * 2048), *command]
        try:
            return run_program(
                command,
                directory=self.directory,
                environment=environment_of_git() if self.environment is None else self.environment,
                bounds=Bounds(self.seconds, memory=_GIT_MEMORY, stop=self.stop),
                given=given,
            )
        except subprocess.TimeoutExpired:
            message = f"git {words[0]} has not ended after {self.seconds:.0f} s"
            raise _clone_error(Kind.TIME, message) from None
        except OSError as error:
            kind = Kind.DISK if error.errno in _ERRORS_OF_DISKS else Kind.GIT
            raise _clone_error(kind, f"git cannot be run: {error.strerror or error}") from None

    def say(self, *words: str, given: bytes = b"") -> str:
        """Return what git prints. Raises GitFailedError with the reason where it fails."""
        done = self.ask(*words, given=given)
        if done.returncode:
            raise GitFailedError(failure_of(done))
        return done.stdout.decode("utf-8", "replace").strip()


_ERRORS_OF_DISKS = {5, 28, 30, 122}


def failure_of(done: subprocess.CompletedProcess[bytes]) -> Failure:
    """Return why git failed, by what it said."""
    text = without_secrets(done.stderr.decode("utf-8", "replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith(("fatal:", "error:", "ERROR:"))), "")
    said = (said or (lines[-1] if lines else "it does not say why"))[:_SHOWN]
    plain = re.sub(r"^(fatal|error|ERROR): ", "", said)
    patterns = (
        (_SIZE, Kind.SIZE, "the repository is larger than size-mb allows"),
        (_DISK, Kind.DISK, ""),
        (_NO_REF, Kind.GONE, ""),
        (_NETWORK, Kind.NETWORK, ""),
        (_GONE, Kind.GONE, ""),
    )
    for pattern, kind, instead in patterns:
        if pattern.search(text):
            return Failure(kind=kind, message=f"git: {instead or plain}", cause=cause_of(plain))
    if done.returncode < 0:
        return Failure(kind=Kind.KILLED, message="git was killed", cause="git was killed")
    return Failure(kind=Kind.GIT, message=f"git: {plain}", cause=cause_of(plain))


def cause_of(message: str) -> str:
    """Return what a message has in common with others of its cause: no names, no numbers."""
    return " ".join(_PLACES.sub("…", message).split())[:_SHOWN]


def _clone_error(kind: Kind, message: str) -> GitFailedError:
    return GitFailedError(Failure(kind=kind, message=message, cause=cause_of(message)))


def remote_head(git: Git, url: str, ref: str) -> Cloned:
    """Return the commit that ``ref`` of a repository is now, HEAD without one.

    Raises GitFailedError.
    """
    if _COMMIT.fullmatch(ref):
        return Cloned(ref, "")
    rows = git.say("ls-remote", "--symref", "--", url, ref or "HEAD").splitlines()
    branch = ""
    for row in rows:
        content, _, name = row.partition("\t")
        if content.startswith("ref: refs/heads/"):
            branch = content.removeprefix("ref: refs/heads/")
        elif name in _names_of(ref):
            is_branch = ref and name == f"refs/heads/{ref}"
            return Cloned(content, ref if is_branch else branch)
    if not rows and not ref:
        raise _clone_error(Kind.GONE, "the repository is empty")
    raise _clone_error(Kind.GONE, f"there is no {ref or 'default branch'} in the repository")


def _names_of(ref: str) -> Sequence[str]:
    # A tag that has an object of its own comes after; its commit is what is fetched in any case.
    return (f"refs/heads/{ref}", f"refs/tags/{ref}") if ref else ("HEAD",)


def clone(git: Git, url: str, ref: str, branch: str) -> Cloned:
    """Clone one commit into the directory of ``git``, which is empty, onto ``branch``.

    Raises GitFailedError.
    """
    at = remote_head(git, url, ref)
    git.say("init", "--quiet", "--template=")
    fetch(git, url, at.commit if _COMMIT.fullmatch(ref) else ref or "HEAD")
    commit = git.say("rev-parse", "FETCH_HEAD^{commit}")
    git.say("checkout", "--quiet", "-B", branch, commit)
    return Cloned(commit, at.branch)


def fetch(git: Git, url: str, *refs: str) -> None:
    """Fetch commits without their history. Raises GitFailedError."""
    # Only the smart protocols know shallow clones.
    source = Path(url).as_uri() if url.startswith("/") else url
    words = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules")
    git.say("fetch", *words, "--", source, *refs)
