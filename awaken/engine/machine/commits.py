"""Commits of what a migration wrote, by the user's own git, as the user would make them.

Only ``awaken migrate --commit`` asks for it: hooks and settings of the repository do run then.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from awaken.contract import UserError
from awaken.engine.machine.programs import Bounds, find_program, run_program
from awaken.workspace.reading import working_tree

_SECONDS = 1800.0
"""For one command: hooks may run linters, and a test suite."""
_LISTED = ("--pathspec-from-file=-", "--pathspec-file-nul")


def require_branch(directory: Path) -> None:
    """Raise UserError unless commits around ``directory`` go to a branch that keeps them."""
    if working_tree(directory) is None:
        raise UserError(
            f"{directory} is not in a git repository; leave out --commit or --verify, or "
            "run `git init`"
        )
    if _git(directory, "symbolic-ref", "-q", "HEAD").returncode:
        raise UserError(
            "HEAD is detached, so no branch would keep the commits; create one with `git "
            "switch -c awaken`"
        )


def unstage(directory: Path, files: Sequence[Path]) -> None:
    """Take ``files`` (absolute) back out of the index: a killed commit may have put them there."""
    names = b"\0".join(map(os.fsencode, files))
    _git(directory, "reset", "--quiet", *_LISTED, given=names)


def commit(directory: Path, files: Sequence[Path], message: str) -> str:
    """Commit ``files`` (absolute), and nothing else, with ``message``; return its short hash.

    Raises UserError, with the last line that git or a hook printed, where there is no commit.
    """
    names = b"\0".join(map(os.fsencode, files))
    for words in (
        # Git adds no file that it ignores, although it tracks it.
        ("add", "--force", *_LISTED),
        ("commit", "--quiet", "--only", "--message", message, *_LISTED),
    ):
        done = _git(directory, *words, given=names)
        if done.returncode:
            lines = (done.stderr or done.stdout).decode(errors="replace").split("\n")
            why = next((line.strip() for line in reversed(lines) if line.strip()), "no reason said")
            raise UserError(
                f"git made no commit ({why}); the files of this step are written: "
                "commit them yourself and run the same command again, or `awaken undo`"
            )
    return _git(directory, "rev-parse", "--short", "HEAD").stdout.decode().strip()


def _git(directory: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    git = find_program("git", directory)
    if git is None:
        raise UserError("there is no git on the PATH outside the project; leave out --commit")
    try:
        return run_program(
            [git, "--literal-pathspecs", *words],
            directory=directory,
            environment={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            bounds=Bounds(_SECONDS, memory=1 << 34),
            given=given,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"git could not be run ({type(error).__name__}); leave out --commit"
        ) from error
