"""The work on one repository, from address to outcome; idempotent, and it publishes nothing.

Runs in a thread of the coordinator or in a worker of Dask. Code of the repository runs in a
separate process without secrets, which ends with this process.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from threading import Event

import msgspec
from msgspec import structs

import awaken
from awaken.batch.state.records import READY, Kind, State
from awaken.batch.working.child_environment import (
    environment_without_secrets,
    holds_secret,
    without_secrets,
)
from awaken.batch.working.cloning import Git, GitFailedError, cause_of, clone
from awaken.batch.working.task_data import (
    BUNDLE,
    KEPT,
    LOG,
    PATCH,
    START,
    ChildResult,
    Failure,
    Outcome,
    Start,
    Task,
    error_result,
)
from awaken.engine.machine.programs import Bounds, find_program, run_in_group
from awaken.preview.html.report_page import compiled_template

RESULT = "result.json"
OPT_OUT = ".no-awaken-batch"
"""A file of this name at the top of a repository says that campaigns leave it alone."""
_MOST_KEPT = 64 << 20
"""Bytes of one file that is kept; a patch of more is nothing that anybody reviews."""
_MOST_OF_LOG = 200_000
_CHILD = (
    # As in ``awaken.engine.machine.memory``, but while modules are imported as well.
    "import gc, sys; gc.disable(); sys.path.insert(0, {!r}); "
    "from awaken.batch.working.child import main; main()"
)


@cache
def own_code() -> str:
    """Return version and digest of awaken's own code, which all workers must have the same of."""
    top = Path(awaken.__file__).parent
    digest = sha256()
    for path in sorted(top.rglob("*")):
        if path.suffix in {".py", ".toml", ".jinja"} and path.is_file():
            digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{version('awaken')}+{digest.hexdigest()[:12]}"


def work(document: bytes, stop: Event | None = None) -> bytes:
    """Do the work of the task in ``document`` and return its outcome, both as JSON.

    Raises nothing but StoppedError, once ``stop`` is set.
    """
    task = msgspec.json.decode(document, type=Task)
    started = time.monotonic()
    try:
        outcome = _worked_outcome(task, stop)
    except GitFailedError as error:
        outcome = _failed_outcome(task, error.failure)
    except OSError as error:
        message = f"{error.strerror or error}"
        outcome = _failed_outcome(task, Failure(kind=Kind.DISK, message=message, cause=message))
    seconds = round(time.monotonic() - started, 3)
    outcome = structs.replace(outcome, seconds=seconds, machine=socket.gethostname())
    outcome = without_held_secrets(outcome)
    return msgspec.json.encode(outcome)


def without_held_secrets(outcome: Outcome) -> Outcome:
    """Return the outcome, refused and without files where one holds a secret of this process."""
    names = [name for name, content in outcome.files.items() if holds_secret(content)]
    if not names:
        return outcome
    return structs.replace(
        outcome,
        state=State.REFUSED,
        message=f"{names[0]} would hold a secret of this machine, so nothing is kept",
        commit="",
        patch="",
        failure=None,
        files={},
    )


def _failed_outcome(task: Task, failure: Failure) -> Outcome:
    message = without_secrets(failure.message)
    failure = structs.replace(failure, message=message, cause=failure.cause or cause_of(message))
    return Outcome(id=task.id, state=State.ERROR, failure=failure, message=message)


def _worked_outcome(task: Task, stop: Event | None) -> Outcome:
    if task.awaken != own_code():
        message = f"the worker has awaken {own_code()}, and the campaign runs {task.awaken}"
        return _failed_outcome(task, Failure(kind=Kind.INTERNAL, message=message))
    top = Path(task.work or Path(tempfile.gettempdir(), f"awaken-batch-{os.getuid()}"))
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f"{task.id[-24:]}-", dir=top))
    try:
        return _in_place(task, top, place, stop)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _in_place(task: Task, top: Path, place: Path, stop: Event | None) -> Outcome:
    for name in ("repository", "out", "home", "empty"):
        (place / name).mkdir()
    git = Git(place / "repository", task.clone_seconds, task.size_mb, stop)
    cloned = clone(git, task.url, task.base or task.ref, task.branch)
    known = Outcome(id=task.id, state=State.CLONED, base=cloned.commit, base_branch=cloned.branch)
    if os.path.lexists(place / "repository" / OPT_OUT):
        message = f"the repository has the file {OPT_OUT}: its owners want no campaign"
        return structs.replace(known, state=State.REFUSED, message=message)
    result = _run_child(task, top, place, stop)
    files = _kept_values(place)
    failure = result.failure
    message = without_secrets(failure.message if failure else result.message)
    if failure is not None:
        failure = structs.replace(failure, message=message, cause=cause_of(message))
    is_ready = result.state in READY
    return structs.replace(
        known,
        state=result.state,
        commit=result.commit if is_ready else "",
        patch=sha256(files[PATCH]).hexdigest() if is_ready and PATCH in files else "",
        counts=result.counts,
        message=message,
        failure=failure,
        files={name: text for name, text in files.items() if is_ready or name != BUNDLE},
    )


def _run_child(task: Task, top: Path, place: Path, stop: Event | None) -> ChildResult:
    """Make the environment of the tests and run the child, both without a secret."""
    # Its state is its own: in a namespace of processes, others have the same number.
    environment = environment_without_secrets(
        place / "home", place / "state", top / "cache", task.pass_env
    )
    output = place / LOG
    bounds = Bounds(task.seconds, memory=task.memory_mb << 20, stop=stop)
    ending = time.monotonic() + task.seconds
    for command in task.environment if task.tests else ():
        words = shlex.split(command)
        program = find_program(words[0], place / "repository")
        words[0] = program or words[0]
        with output.open("a", encoding="utf-8") as log:
            log.write(f"$ {command}\n")
        code = _run(words, place / "repository", environment, bounds, output)
        if isinstance(code, Failure):
            return ChildResult(state=State.ERROR, failure=code)
        if code:
            message = f"`{command}` failed with exit code {code}, so there is no environment"
            return error_result(Kind.CODE, message)
    start = msgspec.msgpack.encode(Start(task, compiled_template()))
    (place / START).write_bytes(start)
    parent = str(Path(awaken.__file__).parents[1])
    words = [sys.executable, "-I", "-c", _CHILD.format(parent), str(place)]
    # Processes that the commands above left running could write that file.
    words.append(sha256(start).hexdigest())
    if task.tests and not task.network:
        unshare = find_program("unshare", place / "repository")
        if unshare is None:
            return error_result(Kind.CODE, "network = false needs the program unshare (util-linux)")
        private = ("--user", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc")
        words = [unshare, *private, "--kill-child", "--", *words]
    bounds = structs.replace(bounds, seconds=max(1.0, ending - time.monotonic()))
    with _alive(place / "alive"):
        code = _run(words, place / "empty", environment, bounds, output)
    if isinstance(code, Failure):
        return ChildResult(state=State.ERROR, failure=code)
    try:
        return msgspec.json.decode((place / "out" / RESULT).read_bytes(), type=ChildResult)
    except (OSError, msgspec.DecodeError):
        if code < 0:
            return error_result(Kind.KILLED, f"the worker was killed by signal {-code}")
        return error_result(Kind.INTERNAL, f"the worker ended with exit code {code}; see its log")


def _run(
    words: list[str], directory: Path, environment: dict[str, str], bounds: Bounds, output: Path
) -> int | Failure:
    try:
        return run_in_group(
            words, directory=directory, environment=environment, bounds=bounds, output=output
        )
    except subprocess.TimeoutExpired:
        return Failure(kind=Kind.TIME, message=f"it has not ended after {bounds.seconds:.0f} s")
    except OSError as error:
        is_memory = error.strerror is not None and "memory" in error.strerror
        kind = Kind.MEMORY if is_memory else Kind.CODE
        return Failure(kind=kind, message=f"{Path(words[0]).name}: {error.strerror or error}")


@contextmanager
def _alive(path: Path) -> Iterator[None]:
    """Hold a lock by which the child sees that this process still runs."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _kept_values(place: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name in KEPT:
        path = place / name if name == LOG else place / "out" / name
        with suppress(OSError):
            # The child is not trusted: it may have left a link, or far too much.
            if path.is_symlink() or path.stat().st_size > _MOST_KEPT:
                continue
            content = path.read_bytes()
            if name == LOG:
                text = content[-_MOST_OF_LOG:].decode("utf-8", "replace")
                content = without_secrets(text.replace(str(place), "…")).encode()
            files[name] = content
    return files
