"""The copy of a project that its tests run in: the user's own tree is never touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from awaken.contract import UserError
from awaken.engine.machine import git
from awaken.engine.machine.apply_errors import StateDirectoryError
from awaken.engine.machine.git import GitError
from awaken.engine.machine.state_directory import require_private, state_directory
from awaken.verifying.suites import end_processes

_FOLDER = "verifying"
_LEFT_OUT = {".git", ".venv", "venv", "__pycache__", "node_modules", ".mypy_cache", ".pytest_cache"}


@contextmanager
def copied(top: Path, carry: Sequence[str] = ()) -> Iterator[Path]:
    """Copy the files of the repository at ``top`` and give the directory of the copy.

    That is what git tracks and does not ignore, as it is on disk, and the files named by ``carry``.
    Without a repository it is all but environments and caches. The copy is removed at the end;
    copies of processes that were killed are removed first. Raises UserError.
    """
    place = _place()
    # The name says whose it is, so that the next process can tell whether that one still runs.
    own = place / f"{os.getpid()}"
    shutil.rmtree(own, ignore_errors=True)
    copy = own / top.name
    try:
        try:
            for name in [*_names(top), *_carried(top, carry)]:
                _copy(top / name, copy / name)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UserError(f"{top} cannot be copied to {place}: {why}") from error
        yield copy
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _place() -> Path:
    """Return the directory of all copies, without those that killed processes left."""
    directory = Path(os.path.realpath(state_directory()))
    require_private(directory)
    place = directory / _FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in place.iterdir():
            if not left.name.isdecimal() or not _runs(int(left.name)):
                end_processes(left)
                shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        raise StateDirectoryError(directory, error) from error
    return place


def write(copy: Path, files: Mapping[str, bytes | None]) -> None:
    """Write ``files`` into the copy, by relative path; None removes one."""
    for name, content in files.items():
        path = copy / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            # What was read from here, and compiled code beside it, may be of the same second.
            path.unlink(missing_ok=True)
            path.write_bytes(content)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()


def _names(top: Path) -> list[str]:
    try:
        with git.opened(top) as repository:
            if repository is not None and repository.top == Path(os.path.realpath(top)):
                words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
                done = repository.ask(repository.top, *words)
                if done.returncode:
                    raise UserError(f"git cannot list the files of {top}: {git.own_words(done)}")
                listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
                return sorted({name for name in listed if name})
    except GitError as error:
        raise UserError(f"git cannot list the files of {top} ({error})") from error
    found = []
    for folder, folders, names in os.walk(top):
        folders[:] = [one for one in folders if one not in _LEFT_OUT]
        found += [os.path.relpath(os.path.join(folder, name), top) for name in names]  # noqa: PTH118
    return sorted(found)


def _carried(top: Path, carry: Sequence[str]) -> list[str]:
    for name in carry:
        path = top / name
        if not path.is_file() or not Path(os.path.realpath(path)).is_relative_to(top):
            raise UserError(
                f"{name} cannot be carried into the copy: there is no such file in {top}"
            )
    return list(carry)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():  # a submodule
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() or source.exists():
        shutil.copy2(source, target, follow_symlinks=False)
