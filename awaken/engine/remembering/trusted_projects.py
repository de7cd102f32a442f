"""The projects whose passes the user trusts: a file for each, in the state directory.

A project can put nothing there. A state directory that lies in the project, or in any other
repository, is not the user's own in this respect: its files may have come with what they speak of.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from awaken.contract import UserError
from awaken.engine.machine.apply_errors import StateDirectoryError
from awaken.engine.machine.filesystem import (
    REAL,
    NotOursError,
    make_private_directories,
    read_regular,
    write_file,
)
from awaken.engine.machine.state_directory import require_private, state_directory
from awaken.kit.rule import Rule
from awaken.passes.foreign import ForeignPass
from awaken.settings.pass_code import code_of
from awaken.workspace.reading import working_tree

_FOLDER = "trusted"
_TESTS = "the tests"
"""What no pass can be named; its code is the command."""


class TrustedPass(Struct, frozen=True):
    """The code of a pass (``libcst codemods.Rename``), and its digest when it was trusted."""

    code: str
    digest: str


class TrustedProject(Struct, frozen=True):
    """A project by its real path, and its passes that are trusted, by their names."""

    root: str
    passes: Mapping[str, TrustedPass]


def trusted_passes(root: Path) -> Mapping[str, str]:
    """Return the passes of the project in ``root`` that the user trusts, with their digests."""
    directory = state_directory()
    # Most users trust nobody, and need no message about the state directory.
    if not (directory / _FOLDER).is_dir() or _not_own(directory, root):
        return {}
    project = _read(directory, _name(root))
    if project is None or project.root != str(root):
        return {}
    return {name: trusted_pass.digest for name, trusted_pass in project.passes.items()}


def trusts_tests(root: Path, command: str) -> bool:
    """Whether the user trusts this command, which the project in ``root`` names for its tests."""
    return trusted_passes(root).get(_TESTS) == _digest_of(command)


def trust(root: Path, passes: Iterable[Rule], tests: str = "") -> TrustedProject:
    """Remember that the user trusts these passes as they are, and no others of this project.

    And the command for its ``tests``, if it names one.

    Raises UserError where that cannot be said, and StateDirectoryError.
    """
    trusted = dict(map(_as_it_is, passes))
    if tests:
        trusted[_TESTS] = TrustedPass(tests, _digest_of(tests))
    project = TrustedProject(str(root), trusted)
    try:
        project.root.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"the path {root} is not UTF-8, so awaken cannot remember your trust; pass "
            "--trust-passes in each run"
        ) from None
    directory = state_directory()
    why = _not_own(directory, Path(project.root))
    if why:
        raise UserError(
            f"the state directory {directory} is inside {why}, so it cannot store your "
            "trust; set AWAKEN_STATE_DIR to a directory outside any repository"
        )
    try:
        make_private_directories(REAL, directory / _FOLDER)
        require_private(directory, _FOLDER)
        draft = directory / _FOLDER / f".{secrets.token_hex(8)}.draft"
        try:
            write_file(REAL, draft, msgspec.json.encode(project), 0o600)
            draft.replace(directory / _FOLDER / _name(Path(project.root)))
        finally:
            with suppress(OSError):
                draft.unlink()
    except OSError as error:
        raise StateDirectoryError(directory, error) from error
    return project


def _digest_of(command: str) -> str:
    return hashlib.sha256(command.encode("utf-8", "surrogateescape")).hexdigest()


def _as_it_is(rule: Rule) -> tuple[str, TrustedPass]:
    if not isinstance(rule, ForeignPass):
        raise TypeError(f"{rule.name} is not a pass")
    said, place = rule.settings, rule.place
    code = code_of(said, place.directory, place.root)
    if code is None:
        raise UserError(
            f"{rule.name}: awaken cannot read {said.target} in the project, so it cannot "
            "detect changes; pass --trust-passes in each run"
        )
    return rule.name, TrustedPass(f"{said.kind} {said.target}", code.digest)


def distrust(path: Path) -> list[TrustedProject]:
    """Forget the projects at and below a real path; return them. Raises StateDirectoryError."""
    directory = state_directory()
    projects = [item for item in trusted_projects() if Path(item.root).is_relative_to(path)]
    for project in projects:
        try:
            (directory / _FOLDER / _name(Path(project.root))).unlink()
        except OSError as error:
            raise StateDirectoryError(directory, error) from error
    return projects


def trusted_projects() -> list[TrustedProject]:
    """Return all projects that the user trusts, by their paths."""
    directory = state_directory()
    try:
        names = sorted(path.name for path in (directory / _FOLDER).iterdir())
    except OSError:
        return []
    read = (_read(directory, name) for name in names)
    return sorted((project for project in read if project is not None), key=lambda item: item.root)


def _name(root: Path) -> str:
    return f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.json"


def _read(directory: Path, name: str) -> TrustedProject | None:
    """Return what a file says; None for one that this user alone could not have written."""
    place = directory / _FOLDER / name
    try:
        require_private(directory, _FOLDER)
        _require_secret(place)
        project = msgspec.json.decode(read_regular(place, ours=True), type=TrustedProject)
    except (OSError, StateDirectoryError, msgspec.DecodeError):
        return None
    return project if name == _name(Path(project.root)) else None


def _require_secret(place: Path) -> None:
    """Raise NotOursError for a file that others may read: awaken makes none of these, git does."""
    mode = stat.S_IMODE(place.lstat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise NotOursError(f"its mode is {mode:04o}")


def _not_own(directory: Path, root: Path) -> str:
    """Return what a state directory came with, empty if it is the user's own."""
    real = Path(os.path.realpath(directory))
    if real.is_relative_to(root):
        return f"the project {root}"
    home = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111  Path's may raise
    tree = working_tree(real)
    while tree is not None:
        # A home directory may be in git and still contain repositories of others.
        if tree != home or working_tree(root) == home:
            return f"the repository {tree}"
        tree = working_tree(tree.parent) if tree != tree.parent else None
    return ""
