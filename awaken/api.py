"""What awaken does, as functions: the command line and everything else calls these."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from awaken.contract import Rule, SiteId, UserError
from awaken.engine import apply as applying
from awaken.engine import undo as undoing
from awaken.engine.apply import Applied, FileWrite
from awaken.engine.report import Diagnostic, Report, RootReport
from awaken.engine.rule_discovery import all_rules, choose
from awaken.engine.undo import Undone, UndoStack
from awaken.project.discovery import DiscoverySettings, discover, find_roots

__all__ = ["Options", "apply", "rules", "run", "undo", "undo_list"]


class Options(Struct, frozen=True, kw_only=True):
    """What a run is asked to do.

    ``targets`` overrides the declared versions (``{"sqlalchemy": "2.0"}``), ``target_version``
    that of Python (``"py311"``; None reads it from the project). ``jobs`` is the number of
    processes, None for one per core. ``left_out`` names sites that must stay as they are.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    target_version: str | None = None
    targets: Mapping[str, str] = {}
    exclude: tuple[str, ...] = ()
    jobs: int | None = None
    left_out: frozenset[SiteId] = frozenset()
    cache_directory: Path | None = None
    use_cache: bool = True


def rules() -> tuple[Rule, ...]:
    """Return every rule there is, by family and name."""
    return all_rules()


def run(
    paths: Sequence[Path], options: Options | None = None, rules: Sequence[Rule] | None = None
) -> Report:
    """Plan the chosen rules over the projects that ``paths`` touch; writes nothing.

    ``rules`` are those to choose from, None for all that are installed. Raises UserError for an
    unknown rule, for a version that is none, and while an apply that was killed is not undone.
    """
    from awaken.engine.run import RootRun, run_root  # noqa: PLC0415  help needs no engine

    options = options or Options()
    chosen = choose(all_rules() if rules is None else rules, options.select, options.ignore)
    settings = DiscoverySettings(extend_exclude=options.exclude)
    projects, unusable = discover(paths, lambda _root: settings)
    for found in projects:
        if (unfinished := undoing.pending(found.root.path)) is not None:
            raise UserError(unfinished.message)
    with _rare_collections():
        reports = [
            run_root(
                RootRun(
                    found=found,
                    rules=chosen,
                    python=options.target_version,
                    versions=options.targets,
                    unsafe=options.unsafe_fixes,
                    left_out=options.left_out,
                    jobs=options.jobs,
                    cache_directory=options.cache_directory,
                    use_cache=options.use_cache,
                )
            )
            for found in projects
        ]
    return Report(
        roots=tuple(reports),
        rules=tuple(rule.name for rule in chosen),
        diagnostics=tuple(
            Diagnostic(problem.path, problem.line, problem.message) for problem in unusable
        ),
    )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Collect garbage rarely: trees are many small objects, and none of them is in a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def apply(report: Report, command: str = "awaken apply", state: Path | None = None) -> Applied:
    """Write what ``report`` changed: all files of all its roots, or none.

    ``command`` goes into the journal, ``state`` is the state directory (None for the user's).
    Raises UserError where a file is no longer as it was read, or cannot be written.
    """
    writes = [write for root in report.roots for write in _writes(root)]
    if not writes:
        return Applied(None, ())
    top = Path(os.path.commonpath([root.root for root in report.roots if root.files]))
    return applying.apply(top, writes, command=command, state=state)


def _writes(root: RootReport) -> list[FileWrite]:
    return [
        FileWrite(
            path=root.root / file.path,
            digest=b"" if file.before is None else file.before.digest,
            content=file.after.raw(),
        )
        for file in root.files
    ]


def undo(start: Path, *, state: Path | None = None, keep_edited: bool = False) -> Undone:
    """Take back the last apply of the project around ``start``.

    Raises UserError where there is none, or a file was edited since.
    """
    return undoing.undo(_undo_root(start, state), state=state, keep_edited=keep_edited)


def undo_list(start: Path, *, state: Path | None = None) -> UndoStack:
    """Return the applies of the project around ``start``, the latest first."""
    return undoing.undo_list(_undo_root(start, state), state=state)


def _undo_root(start: Path, state: Path | None) -> Path:
    """Return the nearest directory at or above ``start``, or its project root, with an apply."""
    path = Path(os.path.realpath(start))
    roots, problems = find_roots([path])
    if not roots:
        raise UserError(f"{start}: {problems[0].message}")
    above = (path, *path.parents)
    applied = (one for one in above if undoing.undo_list(one, state=state).entries)
    return next(applied, roots[0].path)
