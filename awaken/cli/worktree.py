"""Whether git still has what an apply would overwrite."""

from __future__ import annotations

import subprocess
from pathlib import Path

from awaken.contract import UserError
from awaken.engine.report import Report, RootReport


def require_clean(report: Report) -> None:
    """Raise UserError if a repository that ``report`` changes holds uncommitted work.

    Uncommitted work is a change to a file that git tracks, anywhere in the repository, or an
    untracked file that would be rewritten. Where there is no git, or no repository, nothing is
    asked for: ``awaken undo`` works there too.
    """
    for root in report.roots:
        dirty = _uncommitted(root) if root.files else []
        if dirty:
            more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
            raise UserError(
                f"{root.root} has uncommitted changes ({dirty[0]}{more}); "
                "commit or stash them, or use --allow-dirty"
            )


def _uncommitted(root: RootReport) -> list[str]:
    touched = {(root.root / file.path).resolve() for file in root.files}
    top = _git(root.root, "rev-parse", "--show-toplevel").rstrip("\n")
    entries = _git(
        root.root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"
    )
    return [
        entry[3:]
        for entry in entries.split("\0")
        if entry and (not entry.startswith("??") or Path(top, entry[3:]).resolve() in touched)
    ]


def _git(directory: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  fixed words; no shell
            ["git", *arguments],  # noqa: S607  the user's git is the one that counts
            cwd=directory,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else ""
