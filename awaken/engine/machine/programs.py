"""Finds and runs other programs. Programs inside the project do not count.

This is the one place that starts a process for a run; the editor and the pager, which the user
names and sees, start theirs themselves.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from awaken.engine.machine.work_limits import BYTES_PER_WORKER, memory_of
from awaken.workspace.reading import repository_of

_SECONDS_BETWEEN = 0.05
"""Of the clock, between two looks at the memory of a program."""
_MOST_PRINTED = 1 << 26
"""Bytes of what a program prints into a file; more begins again."""


class Bounds(Struct, frozen=True):
    """The limits of a program: seconds of the clock, and bytes of memory.

    Its output is dropped where ``keeps_output`` is false. It is ended as soon as ``stop`` is set.
    """

    seconds: float
    memory: int = BYTES_PER_WORKER
    keeps_output: bool = True
    stop: threading.Event | None = None


class StoppedError(Exception):
    """A program was ended because its ``stop`` was set."""


def _require_wanted(bounds: Bounds) -> None:
    if bounds.stop is not None and bounds.stop.is_set():
        raise StoppedError


def find_program(name: str, root: Path) -> str | None:
    """Return the absolute path of the program ``name`` on the PATH, for the project in ``root``.

    Directories of the PATH that lie in the project, such as the ``bin`` of its own activated
    environment, do not count; the one of the Python that runs awaken does, wherever it lies.
    """
    project = repository_of(root)
    own = Path(sys.executable).parent
    for directory in map(Path, os.get_exec_path()):
        # An empty or relative entry means the current directory, which may be the project's.
        result = shutil.which(name, path=str(directory)) if directory.is_absolute() else None
        if result is None or not Path(result).is_absolute():
            continue
        if directory == own or not _brought_along(Path(result), project):
            return result
    return None


def run_program(
    words: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    bounds: Bounds,
    given: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run ``words`` in ``directory`` with ``given`` on stdin and return what became of it.

    Beyond its ``bounds`` it is ended with all that it has started, and so it is when we are.
    Raises OSError where it cannot be started or takes too much memory,
    subprocess.TimeoutExpired, and StoppedError.
    """
    printed = subprocess.PIPE if bounds.keeps_output else subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603  no shell, and the program is one that ``find_program`` gave
        words,
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=printed,
        stderr=printed,
        start_new_session=True,  # a group of its own, to be ended as a whole
    ) as process:
        try:
            out, err = _communicate(process, given, bounds)
        except BaseException:
            # Only the group as a whole: its children hold the pipes that we would wait for.
            _end(process)
            raise
    return subprocess.CompletedProcess(words, process.returncode, out or b"", err or b"")


def run_in_group(
    words: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    bounds: Bounds,
    output: Path,
) -> int:
    """Run ``words`` as ``run_program`` does, print into the file ``output``; return the exit code.

    The last part of the output is kept. Programs that it started and left running end with it.
    """
    ending = time.monotonic() + bounds.seconds
    with output.open("ab") as printed:
        process = subprocess.Popen(  # noqa: S603  no shell, and the words are the user's own
            words,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(_SECONDS_BETWEEN)
                _require_wanted(bounds)
                if time.monotonic() > ending:
                    raise subprocess.TimeoutExpired(words, bounds.seconds)
                _require_memory(process, bounds)
                if os.fstat(printed.fileno()).st_size > _MOST_PRINTED:
                    os.ftruncate(printed.fileno(), 0)
        finally:
            with suppress(ProcessLookupError):
                _end(process)
            process.wait()


def _communicate(
    process: subprocess.Popen[bytes], given: bytes, bounds: Bounds
) -> tuple[bytes, bytes]:
    """Return what a process prints, and look meanwhile how much memory it takes."""
    ending = time.monotonic() + bounds.seconds
    unsent: bytes | None = given
    while True:
        left = ending - time.monotonic()
        try:
            return process.communicate(unsent, timeout=max(0, min(left, _SECONDS_BETWEEN)))
        except subprocess.TimeoutExpired:
            unsent = None  # it goes on with what it has
            if left <= 0:
                raise
        _require_wanted(bounds)
        _require_memory(process, bounds)


def _require_memory(process: subprocess.Popen[bytes], bounds: Bounds) -> None:
    """Raise OSError for a process that takes more memory than it may."""
    if memory_of(process.pid) > bounds.memory:
        raise OSError(errno.ENOMEM, f"it takes more than {bounds.memory >> 20} MB of memory")


def start_program(words: Sequence[str], kept: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start ``words`` where we are, with our environment and pipes to its stdin and stdout.

    The files of the numbers ``kept`` stay open in it. Raises OSError where it cannot be started.
    """
    environment = dict(os.environ)
    # An empty or relative entry means the current directory, which may be the project's.
    places = environment.pop("PYTHONPATH", "").split(os.pathsep)
    if absolute := [place for place in places if os.path.isabs(place)]:  # noqa: PTH117  strings
        environment["PYTHONPATH"] = os.pathsep.join(absolute)
    return subprocess.Popen(  # noqa: S603  no shell, and the words are ours
        words,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        pass_fds=kept,
    )


def end_program(process: subprocess.Popen[bytes]) -> None:
    """End a program, with all that it has started."""
    with suppress(ProcessLookupError):
        _end(process)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # what was not sent cannot be
                stream.close()
    process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _brought_along(program: Path, project: Path) -> bool:
    real = Path(os.path.realpath(project))
    places = (program, Path(os.path.realpath(program.parent)), Path(os.path.realpath(program)))
    return any(place.is_relative_to(within) for place in places for within in (project, real))
