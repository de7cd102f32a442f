"""The copy of a project that its tests run in, with what changes require: the tree stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from awaken.contract import UserError
from awaken.engine.machine import git
from awaken.engine.machine.apply_errors import StateDirectoryError
from awaken.engine.machine.git import GitError
from awaken.engine.machine.programs import Bounds, find_program, run_program
from awaken.engine.machine.state_directory import require_private, state_directory
from awaken.verifying.suites import Environment, end_processes

_FOLDER = "verifying"
_LEFT_OUT = {".git", ".venv", "venv", "__pycache__", "node_modules", ".mypy_cache", ".pytest_cache"}


@contextmanager
def copy_of_project(
    top: Path, carry: Sequence[str] = (), directories: Sequence[Path] = ()
) -> Iterator[Path]:
    """Copy the files of the repository at ``top`` and give the directory of the copy.

    The copy has the files that git tracks and does not ignore, as they are on disk. It also has the
    files named by ``carry`` in one of ``directories`` or in ``top``. Without a repository it has
    all but environments and caches. The copy is removed at the end; copies of processes that were
    killed are removed first. Raises UserError.
    """
    place = _place()
    # The name says whose it is, so that the next process can tell whether that one still runs.
    own = place / f"{os.getpid()}"
    shutil.rmtree(own, ignore_errors=True)
    copy = own / top.name
    try:
        try:
            for name in [*_names(top), *_carried_names(top, carry, directories)]:
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


class CopiedFiles:
    """The files of a copy at ``place`` of ``top``: each run of the tests begins with the same."""

    def __init__(self, place: Path, top: Path) -> None:
        self._place, self._top = place, top
        self._written: dict[str, bytes | None] = {}
        self._stamps = dict(self._on_disk())

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Write ``files`` into the copy, by relative path; None removes one."""
        for name, content in files.items():
            path = self._place / name
            # Files from here, and their compiled code, may be of the same second.
            path.unlink(missing_ok=True)
            self._stamps.pop(name, None)
            if content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self._stamps[name] = _stamp(path)
            self._written[name] = content

    def restore(self) -> None:
        """Take back what tests wrote into the copy, but for environments and caches.

        What the system does not let us take back stays.
        """
        now = dict(self._on_disk())
        for name in now.keys() - self._stamps.keys():
            path = self._place / name
            with suppress(OSError):
                path.unlink()
                path.parent.rmdir()  # which fails where other files are in it
        for name, stamp in list(self._stamps.items()):
            if now.get(name) != stamp:
                with suppress(OSError):
                    self._restore(name)

    def _restore(self, name: str) -> None:
        if name in self._written:
            self.write({name: self._written[name]})
            return
        (self._place / name).unlink(missing_ok=True)
        _copy(self._top / name, self._place / name)
        self._stamps[name] = _stamp(self._place / name)

    def _on_disk(self) -> Iterator[tuple[str, _Stamp]]:
        for folder, folders, names in os.walk(self._place):
            folders[:] = [location for location in folders if location not in _LEFT_OUT]
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # a process may still remove its own
                    yield path.relative_to(self._place).as_posix(), _stamp(path)


_Stamp = tuple[int, int, int]


def _stamp(path: Path) -> _Stamp:
    status = path.lstat()
    return status.st_mtime_ns, status.st_size, status.st_ino


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
        with git.open_repository(top) as repository:
            if repository is not None and repository.top == Path(os.path.realpath(top)):
                words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
                done = repository.ask(repository.top, *words)
                if done.returncode:
                    raise UserError(f"git cannot list the files of {top}: {git.own_words(done)}")
                listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
                return sorted(_with_submodules(top, {name for name in listed if name}))
    except GitError as error:
        raise UserError(f"git cannot list the files of {top} ({error})") from error
    found = []
    for folder, folders, names in os.walk(top):
        folders[:] = [path for path in folders if path not in _LEFT_OUT]
        found += [os.path.relpath(os.path.join(folder, name), top) for name in names]  # noqa: PTH118
    return sorted(found)


def _with_submodules(top: Path, listed: Iterable[str]) -> Iterator[str]:
    """Yield the names, and the files of a submodule in the place of its directory."""
    for name in listed:
        path = top / name
        if path.is_dir() and not path.is_symlink():
            yield from (str(Path(name, inside)) for inside in _names(path))
        else:
            yield name


def _carried_names(top: Path, carry: Sequence[str], directories: Sequence[Path]) -> Iterator[str]:
    for name in carry:
        paths = [Path(os.path.normpath(directory / name)) for directory in (*directories, top)]
        inside = [path for path in paths if path.is_file() and path.is_relative_to(top)]
        if not inside or not Path(os.path.realpath(inside[0])).is_relative_to(top):
            raise UserError(
                f"{name} cannot be carried into the copy: there is no such file in {top}"
            )
        yield str(inside[0].relative_to(top))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() or source.exists():
        shutil.copy2(source, target, follow_symlinks=False)


_SECONDS = 300.0
"""A driver of a database is downloaded in seconds; what takes minutes has no network."""
_ROUNDS = 10
"""Of requirements of requirements; those of drivers come to two."""

_SHOWN = 400
"""Characters of what an installer says of its failure."""


def install(
    requirements: Sequence[str], environment: Environment, directory: Path, top: Path
) -> Path:
    """Install ``requirements`` and what they need into a new directory in ``directory``; return it.

    What ``environment`` has is not installed again, so its own versions are those that are
    imported. Only wheels are taken: nothing runs on installation. No program is used that the
    project at ``top`` brings along but its own pip. Raises UserError, which says what is missing.
    """
    place = Path(tempfile.mkdtemp(prefix="packages-", dir=directory))
    try:
        _install_all(list(map(Requirement, requirements)), environment, place, top)
    except (_CannotInstallError, InvalidRequirement, OSError) as error:
        shutil.rmtree(place, ignore_errors=True)
        names = " and ".join(environment.missing)
        raise UserError(
            f"the changes need {names}, which the environment of the tests does not have and "
            f"awaken cannot install for them ({error}); install it, for instance by "
            f"`pip install {' '.join(environment.missing)}`, and run this again"
        ) from error
    return place


class _CannotInstallError(Exception):
    """Says why in a clause."""


def _install_all(
    wanted: Sequence[Requirement], environment: Environment, place: Path, top: Path
) -> None:
    for _ in range(_ROUNDS):
        _run_installer(wanted, environment, place, top)
        wanted = list(_lacking(environment, place))
        if not wanted:
            return
    raise _CannotInstallError("its requirements have no end")


def _run_installer(
    wanted: Iterable[Requirement], environment: Environment, place: Path, top: Path
) -> None:
    """Run uv, or the pip of the environment. Raises _CannotInstallError and OSError."""
    uv = find_program("uv", top)
    tool = [uv, "pip", "install", "--quiet", "--python", environment.python]
    if uv is None:
        pip = [environment.python, "-I", "-m", "pip", "--disable-pip-version-check"]
        tool = [*pip, "install", "--no-input", "--retries", "1"]
    # Where no settings of the project count.
    words = [*tool, "--no-deps", "--only-binary", ":all:", "--target", str(place)]
    outside = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = run_program(
            [*filter(None, words), *map(str, wanted)],
            directory=place,
            environment=outside,
            bounds=Bounds(_SECONDS),
        )
    except subprocess.TimeoutExpired as error:
        raise _CannotInstallError(f"no answer after {_SECONDS:.0f} s") from error
    if done.returncode:
        printed = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace")
        said = " ".join(printed.split())[:_SHOWN]
        raise _CannotInstallError(said or f"exit code {done.returncode}")


def _lacking(environment: Environment, place: Path) -> Iterator[Requirement]:
    """Yield what the packages in ``place`` need and neither it nor the environment has.

    Raises _CannotInstallError where the environment has another version.
    """
    packages = list(metadata.distributions(path=[str(place)]))
    versions = {
        **_by_name({package.metadata["Name"]: package.version for package in packages}),
        **_by_name(environment.installed),
    }
    short = ".".join(environment.version.split(".")[:2])
    system = {name: str(value) for name, value in default_environment().items()}
    system |= {"python_version": short, "python_full_version": environment.version, "extra": ""}
    for text in dict.fromkeys(text for package in packages for text in package.requires or ()):
        needed = Requirement(text)
        holds = needed.marker is None or needed.marker.evaluate(system)
        version = versions.get(canonicalize_name(needed.name))
        if holds and version is None:
            yield Requirement(f"{needed.name}{needed.specifier}")
        elif holds and not needed.specifier.contains(str(version), prereleases=True):
            raise _CannotInstallError(f"it needs {needed.name}{needed.specifier}, not {version}")


def _by_name(versions: Mapping[str, str]) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in versions.items()}
