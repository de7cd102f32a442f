"""The writing of baselines: all sites that are there now, so that a run shows only new ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from awaken.contract import UserError
from awaken.engine.baseline import Baseline, BaselineEntry, write_baseline
from awaken.engine.machine.filesystem import in_git_directory
from awaken.engine.report import Report, RootReport, SuppressedBy
from awaken.workspace.reading import working_tree

_PASSES = 10
"""Runs until the baseline lists what it suppresses. A choice: no test needs more than three."""


class WrittenBaseline(Struct, frozen=True):
    """A baseline ``file`` and how many ``sites`` it lists now."""

    file: Path
    sites: int


def write_baselines(run: Callable[[], Report]) -> tuple[Report, tuple[WrittenBaseline, ...]]:
    """Write the baseline of each root that ``run`` reports, and return the report after that.

    With its sites suppressed, a rule of a later phase may find others than before; so it is run
    until the baseline lists exactly what it suppresses. Where there is neither a site nor a file,
    none is written. Raises UserError, also where a project's own settings name a file outside of
    it.
    """
    report = run()
    for root in report.roots:
        _require_inside(root)
    written: dict[Path, frozenset[BaselineEntry]] = {}
    for _ in range(_PASSES):
        wanted = _entries(report)
        if wanted == written:
            break
        for file, entries in wanted.items():
            if entries or file.exists():
                write_baseline(file, entries)
        written = wanted
        report = run()
    return report, tuple(
        WrittenBaseline(file, len(entries)) for file, entries in written.items() if file.exists()
    )


def _require_inside(root: RootReport) -> None:
    """Raise UserError for a baseline out of the project that the user has not named."""
    if root.baseline is None or root.baseline.named:
        return
    file, within = root.baseline.file, working_tree(root.root) or root.root
    place = Path(os.path.realpath(file.parent), file.name)
    if not place.is_relative_to(within) or in_git_directory(place.relative_to(within)):
        raise UserError(
            f"{file}: the settings of {root.root} name a baseline outside the project; if "
            f"you want that, pass --baseline {file}"
        )


def _entries(report: Report) -> dict[Path, frozenset[BaselineEntry]]:
    """Return what each baseline must list: the sites of its roots, and what no run was about."""
    sites: dict[Path, set[BaselineEntry]] = {}
    kept: dict[Path, set[BaselineEntry]] = {}
    for root in report.roots:
        if root.baseline is not None:
            file = root.baseline.file
            sites.setdefault(file, set()).update(_present(root, file))
            kept[file] = kept.get(file, set(root.baseline.kept)) & set(root.baseline.kept)
    return {file: frozenset(sites[file] | kept[file]) for file in sites}


def _present(root: RootReport, file: Path) -> list[BaselineEntry]:
    baseline = Baseline(file, root.root, ())
    suppressed = (site.finding for site in root.suppressed if site.by is SuppressedBy.BASELINE)
    return [baseline.entry_of(finding) for finding in (*root.findings, *suppressed)]
