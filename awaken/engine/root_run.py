"""The request for a run over one project root, and its versions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from awaken.contract import SiteId
from awaken.engine.baseline import Baseline, BaselineEntry
from awaken.engine.formatting.formatter import Formatter
from awaken.engine.planning.rule_discovery import in_running_order
from awaken.engine.progress import Progress, silent
from awaken.engine.suppressing.changed_lines import ChangedLines
from awaken.engine.suppressing.suppressed import SuppressionSources
from awaken.kit.rule import Rule
from awaken.settings import Resolved
from awaken.settings.selection import UNUSED_SUPPRESSION
from awaken.workspace.discovery import Found, Root
from awaken.workspace.manifests.publication import Publication, read_publication
from awaken.workspace.manifests.targets import Targets, read_targets
from awaken.workspace.outside import Repository
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import Snapshot, SourceFile

if TYPE_CHECKING:
    from awaken.project import Project


class RootRun(Struct, frozen=True, kw_only=True):
    """The request for the run over one root; ``rules`` are those to choose from.

    ``sites_in`` names files that the question is about, whatever files may be written; None means
    those selected. ``around`` is the outermost project of the run that this one lies in.
    ``projects`` has the last project of this run, at first that of the step before.
    ``repositories`` are those that the run has read so far, by their tops. The other fields are
    those of ``awaken.api.Options``.
    """

    found: Found
    settings: Resolved
    rules: tuple[Rule, ...]
    since: str | None = None
    overlay: Mapping[Path, bytes] = {}
    excluded: frozenset[SiteId] = frozenset()
    jobs: int | None = None
    use_cache: bool = True
    new_baseline: bool = False
    sites_in: frozenset[str] | None = None
    around: Path | None = None
    projects: list[Project] = []
    repositories: dict[Path, Repository] = {}
    progress: Progress = silent

    def running_rules(self) -> tuple[Rule, ...]:
        """Return the rules that run here, in the order in which they do."""
        return in_running_order(rule for rule in self.rules if rule.name in self.settings.rules)

    def reads(self) -> tuple[str, ...]:
        """Return the patterns of the files other than Python that the rules of this run ask for."""
        return reads_of(self.running_rules())

    def site_scope(
        self, files: Mapping[str, SourceFile], changed: ChangedLines | None = None
    ) -> frozenset[str] | None:
        """Return the files in which rules need to look for sites; None for all.

        Those that were asked for and, with ``--since``, ``changed``. Rules that decide by the
        program look in all files, as ``scope_of`` says.
        """
        root = self.found.root
        if self.sites_in is None and "." in root.selected and changed is None:
            return None
        asked_for = files.keys() if self.sites_in is None else self.sites_in
        scope = frozenset(
            path
            for path in asked_for
            if path in files and root.selects(path) and (changed is None or changed.may_touch(path))
        )
        return scope if self.stays_within(scope, self.running_rules(), files) else None

    def scope_of(self, rule: Rule, scope: frozenset[str] | None) -> frozenset[str] | None:
        """Return the files of ``scope`` in which ``rule`` looks for sites; None for all files."""
        return scope if rule.decides_by_file or rule.decides_by == "selection" else None

    def stays_within(
        self,
        scope: frozenset[str],
        rules: Iterable[Rule],
        files: Mapping[str, SourceFile] | Snapshot,
    ) -> bool:
        """Whether ``rules`` decide the sites in ``scope`` without what is written elsewhere.

        Only a question about some files, which may be written as all others, needs that.
        """
        for rule in rules if self.sites_in else ():
            if rule.decides_by_file:
                continue
            paths = scope if rule.decides_by == "selection" else files
            may_have_sites = not rule.triggers or _hold_any(files, paths, rule.triggers)
            if may_have_sites and all(_hold_any(files, files, words) for words in rule.anchors):
                return False
        return True


def _hold_any(
    files: Mapping[str, SourceFile] | Snapshot, paths: Iterable[str], words: Iterable[bytes]
) -> bool:
    return any(word in files[path].text for path in paths for word in words)


def reads_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the patterns of the files other than Python that ``rules`` ask for, each once."""
    return tuple(dict.fromkeys(pattern for rule in rules for pattern in rule.reads))


class Surroundings(Struct, frozen=True):
    """The inputs of an answer besides the files.

    ``made_from`` is the digest of that, ``digest`` of that and the files.
    """

    made_from: bytes
    digest: bytes
    targets: Targets
    project_settings: ProjectSettings
    formatter: Formatter
    suppression_sources: SuppressionSources


def entries_about(
    baseline: Baseline, asked: RootRun, unread: frozenset[str], scope: frozenset[str] | None = None
) -> tuple[BaselineEntry, ...]:
    """Return the entries of ``baseline`` that the run says something about.

    Sites were looked for in the files of ``scope``, None for all of those selected.
    ``unread`` are the paths of files that could not be read or planned, ``""`` for any of them.
    """
    ran = frozenset((*asked.settings.rules, UNUSED_SUPPRESSION))
    root = asked.found.root
    # A project inside has its own run, which says what became of its entries.
    others = [f"{os.path.relpath(item.path, root.path)}/" for item in asked.found.nested]
    return baseline.concerns(
        ran,
        lambda path: (
            root.selects(path)
            and not path.startswith(tuple(others))
            and (scope is None or path in scope)
        ),
        unread,
    )


def targets_of(found: Found, settings: Resolved) -> Targets:
    """Return the targets of a project, with its settings and their place."""
    version, origins = settings.target_version, settings.target_origins()
    return read_targets(found.root.path, version, settings.target, origins, found.members)


def publication_of(root: Root, settings: Resolved) -> Publication:
    """Return whether the project in ``root`` is published, and where that was said."""
    if settings.published is not None:
        return Publication(settings.published, settings.origins["published"])
    # Only a part of such a directory is visible.
    if root.lone:
        return Publication(
            published=True, why="is not a project root: the rest of the program is not visible"
        )
    return read_publication(root.path)


def evidence_of(publication: Publication, settings: Resolved) -> str:
    """Return why the project counts as published or not, as a sentence without its full stop."""
    if settings.published is not None:
        return f"`published` is set by {publication.why}"
    line = f":{publication.line}" if publication.line else ""
    where = f" ({publication.path}{line})" if publication.path else ""
    return f"the project {publication.why}{where}"


class Unmet(NamedTuple):
    """Versions that a rule needs, ``sqlalchemy>=2.0``, and what is declared, and where."""

    needs: str
    declared: str

    def __str__(self) -> str:
        return f"it needs {self.needs}, and {self.declared} is declared"


def unmet_need(rule: Rule, targets: Targets) -> Unmet | None:
    """Return which versions ``rule`` needs, and what is declared in their place; or None."""
    met = {
        **{need: targets.guarantees(*need) for need in rule.needs.items()},
        **{need: targets.admits(*need) for need in rule.declares.items()},
    }
    for (name, versions), is_met in met.items():
        if not is_met:
            target = targets.distribution(name)
            declared = f"{target.specifier} ({target.origin})" if target else "no version"
            return Unmet(f"{name}{versions}", declared)
    return None
