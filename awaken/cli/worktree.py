"""The check before an apply that git still has what would be overwritten."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath

from awaken.contract import UserError
from awaken.engine.machine import git
from awaken.engine.machine.git import GitError, NoGitError
from awaken.engine.report import Report
from awaken.preview.paths import relative
from awaken.settings.settings_files import OWN_FILES
from awaken.workspace.formats.toml_text import NotToml, parse_toml
from awaken.workspace.reading import METADATA_LIMIT, Enclosure, working_tree


def require_clean(report: Report, named: Sequence[Path] = ()) -> None:
    """Raise UserError if a repository that ``report`` changes holds uncommitted work.

    Where all paths that the user ``named`` are files, only work in files to rewrite counts.

    Uncommitted work is a change to a file that git tracks, anywhere in the repository, or a file
    to rewrite that git does not track, ignored or not. What a file says to awaken alone does not
    count: its own settings files, and ``[tool.awaken]`` of a ``pyproject.toml``. Each file counts
    for the innermost repository that holds it. Where there is no git, or no repository, nothing is
    asked for: ``awaken undo`` works there too. Raises UserError also where git refuses to tell.
    """
    for directory, files in _by_repository(report).items():
        try:
            dirty = _uncommitted_names(directory, files)
            if named and all(map(os.path.isfile, named)):
                own = {relative(path, "", working_tree(directory) or directory) for path in files}
                dirty = [name for name in dirty if name in own]
        except GitError as error:
            raise UserError(
                f"git cannot say whether {directory} has uncommitted changes ({error}); "
                "fix that, or use --allow-dirty"
            ) from error
        if dirty:
            more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
            raise UserError(
                f"{directory} has uncommitted changes ({dirty[0]}{more}); "
                "commit or stash them, or use --allow-dirty"
            )


def are_uncommitted(files: Sequence[Path]) -> bool:
    """Whether no commit has any of ``files`` as it is now; False where git cannot say."""
    top = working_tree(files[0].parent)
    if top is None:
        return False
    try:
        dirty = set(_uncommitted_names(top, set(files)))
    except GitError:
        return False
    return all(relative(path, "", top) in dirty for path in files)


def _by_repository(report: Report) -> dict[Path, set[Path]]:
    """Return the existing files to rewrite, by the top of the repository that holds them."""
    paths: defaultdict[Path, set[Path]] = defaultdict(set)
    for root in report.roots:
        for file in root.files:
            path = (root.root / file.path).resolve()
            # The entry is made for a created file as well: its repository must be clean, too.
            in_repository = paths[working_tree(path.parent) or root.root]
            if file.before is not None:
                in_repository.add(path)
    return dict(paths)


def _uncommitted_names(directory: Path, files: set[Path]) -> list[str]:
    """Return what is not committed, nothing where there is no git or no repository."""
    try:
        with git.open_repository(directory) as repository:
            if repository is None:
                return []
            # Of files that git does not track, only those to rewrite matter.
            status = _answer(repository, *git.STATUS, "--untracked-files=no").split("\0")
            tracked = set(_answer(repository, "ls-files", "-z").split("\0")) if files else set()
            # After two letters and a blank.
            changed = [entry[3:] for entry in status if entry]
            changed = [name for name in changed if not _is_for_awaken(repository, name)]
            names = (relative(path, "", repository.top) for path in files)
            return changed + sorted(name for name in names if name not in tracked)
    except NoGitError:
        return []


def _is_for_awaken(repository: git.Repository, name: str) -> bool:
    """Whether a changed file says nothing new but to awaken, which the user was told to write."""
    if PurePath(name).name in OWN_FILES:
        return True
    if PurePath(name).name != "pyproject.toml":
        return False
    before = repository.ask(repository.top, "show", f"HEAD:{name}")
    try:
        now = Enclosure(repository.top).read(repository.top / name, METADATA_LIMIT)
        return _to_others(before.stdout) == _to_others(now) and not before.returncode
    except (OSError, NotToml, UnicodeDecodeError):
        return False


def _to_others(manifest: bytes) -> object:
    tables = dict(parse_toml(manifest.decode()))
    tool = tables.pop("tool", {})
    if isinstance(tool, dict):
        tool = {key: value for key, value in tool.items() if key != "awaken"}
    return tables, tool


def _answer(repository: git.Repository, *arguments: str) -> str:
    done = repository.ask(repository.top, *arguments)
    if done.returncode:
        raise GitError(git.own_words(done))
    return done.stdout.decode("utf-8", "surrogateescape")
