"""Finds and runs other programs. What a project brings along is none of them.

This is the one place that starts a process for a run; the editor and the pager, which the user
names and sees, start theirs themselves.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from awaken.workspace.reading import working_tree


def find_program(name: str, root: Path) -> str | None:
    """Return the absolute path of the program ``name`` on the PATH, for the project in ``root``.

    Directories of the PATH that lie in the project, such as the ``bin`` of its own activated
    environment, do not count; the one of the Python that runs awaken does, wherever it lies.
    """
    project = _project(root)
    own = Path(sys.executable).parent
    for directory in map(Path, os.get_exec_path()):
        # An empty or relative entry means the current directory, which may be the project's.
        found = shutil.which(name, path=str(directory)) if directory.is_absolute() else None
        if found is None or not Path(found).is_absolute():
            continue
        if directory == own or not _brought_along(Path(found), project):
            return found
    return None


def run_program(
    words: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    seconds: float,
    given: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run ``words`` in ``directory`` with ``given`` on stdin and return what became of it.

    After ``seconds`` it is ended with all that it has started, and so it is when we are. Raises
    OSError where it cannot be started, and subprocess.TimeoutExpired.
    """
    with subprocess.Popen(  # noqa: S603  no shell, and the program is one that ``find_program`` gave
        words,
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a group of its own, to be ended as a whole
    ) as process:
        try:
            out, err = process.communicate(given, timeout=seconds)
        except BaseException:
            # Only the group as a whole: its children hold the pipes that we would wait for.
            _end(process)
            raise
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def start_program(words: Sequence[str], kept: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start ``words`` where we are, with our environment and pipes to its stdin and stdout.

    The files of the numbers ``kept`` stay open in it. Raises OSError where it cannot be started.
    """
    return subprocess.Popen(  # noqa: S603  no shell, and the words are ours
        words,
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


def _project(root: Path) -> Path:
    """Return the directory whose programs are the project's: its repository, if it is in one."""
    tree = working_tree(root) or root
    # Who keeps the home directory in git has programs there all the same.
    home = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111  Path's may raise
    return root if home.is_relative_to(tree) else tree


def _brought_along(program: Path, project: Path) -> bool:
    real = Path(os.path.realpath(project))
    places = (program, Path(os.path.realpath(program.parent)), Path(os.path.realpath(program)))
    return any(place.is_relative_to(within) for place in places for within in (project, real))
