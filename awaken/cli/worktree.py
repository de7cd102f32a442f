"""Whether git still has what an apply would overwrite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from awaken.contract import UserError
from awaken.engine import git
from awaken.engine.report import Report
from awaken.preview.paths import relative, repository

_NO_REPOSITORY = b"not a git repository (or any"


def require_clean(report: Report) -> None:
    """Raise UserError if a repository that ``report`` changes holds uncommitted work.

    Uncommitted work is a change to a file that git tracks, anywhere in the repository, or a file
    to rewrite that git does not track, ignored or not. Each file counts for the innermost
    repository that holds it. Where there is no git, or no repository, nothing is asked for:
    ``awaken undo`` works there too. Raises UserError also where git refuses to tell.
    """
    for directory, files in _by_repository(report).items():
        dirty = list(_uncommitted(directory, files))
        if dirty:
            more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
            raise UserError(
                f"{directory} has uncommitted changes ({dirty[0]}{more}); "
                "commit or stash them, or use --allow-dirty"
            )


def _by_repository(report: Report) -> dict[Path, set[Path]]:
    """Return the existing files to rewrite, by the top of the repository that holds them."""
    found: defaultdict[Path, set[Path]] = defaultdict(set)
    for root in report.roots:
        for file in root.files:
            path = (root.root / file.path).resolve()
            held = found[repository(path.parent) or root.root]
            if file.before is not None:
                held.add(path)
    return dict(found)


def _uncommitted(directory: Path, files: set[Path]) -> Iterator[str]:
    top = _git(directory, "rev-parse", "--show-toplevel").removesuffix("\n")
    if not top:
        return
    status = _git(directory, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=no")
    yield from (entry[3:] for entry in status.split("\0") if entry)
    tracked = set(_git(Path(top), "ls-files", "-z").split("\0")) if files else set()
    names = (relative(path, "", Path(top).resolve()) for path in files)
    yield from sorted(name for name in names if name not in tracked)


def _git(directory: Path, *arguments: str) -> str:
    """Return what git prints, nothing where there is no git or no repository."""
    try:
        done = git.ask(directory, *arguments)
    except FileNotFoundError:
        return ""
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    if _NO_REPOSITORY in done.stderr:
        return ""
    said = " ".join(done.stderr.decode("utf-8", "replace").split()) or "nothing"
    raise UserError(
        f"git cannot tell whether {directory} holds uncommitted changes (it says: {said}); "
        "mend that, or use --allow-dirty"
    )
