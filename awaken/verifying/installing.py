"""Installs what the changes require next to the copy, for its tests alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from awaken.contract import UserError
from awaken.engine.machine.programs import Bounds, find_program, run_program
from awaken.verifying.suites import Environment

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
