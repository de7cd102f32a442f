"""Asks git; it writes nothing, and runs no hook, monitor or pager that a repository names.

Only the filters that its configuration names do run: without them git cannot tell whether a file
changed (``git lfs`` is one).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_QUIET = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
# What git says is read, and looking must not get in the way of the user's own git.
_PLAIN = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
# A hook of git runs with its own idea of the repository, relative to another directory.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_DIFF_OPTS")


def ask(
    directory: Path, *arguments: str, seconds: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git with ``arguments`` in ``directory``, for at most ``seconds``, and return its answer.

    The repository is the one around ``directory``, whatever the environment says. Raises OSError
    where git cannot be started, and TimeoutExpired.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return subprocess.run(  # noqa: S603  no shell
        ["git", *_QUIET, *arguments],  # noqa: S607  the user's git is the one that counts
        cwd=directory,
        env={**environment, **_PLAIN},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=seconds,
    )
