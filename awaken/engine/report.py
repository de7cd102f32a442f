"""The result of a run: the findings, the files before and after, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from msgspec import Struct, structs

from awaken.contract import ChangeId, Finding, Level, Outline, Place, SiteId
from awaken.engine.baseline import BaselineEntry
from awaken.kit.rule import Rule
from awaken.settings.model import Resolved
from awaken.workspace.sources import SourceFile


class Diagnostic(Struct, frozen=True, order=True):
    """Something that awaken could not do, as one line; ``line`` is 1-based, 0 where unknown.

    Any diagnostic makes the command end with exit code 2; everything else still goes on. But a
    file that ``never_runs``, since no Python reads it, does not hold up a migration. ``internal``
    marks awaken's own failures: they do not follow from the files alone, so a run that had one is
    done again. ``traceback`` says where a rule raised, for those who test it.
    """

    path: str
    line: int
    message: str
    internal: bool = False
    traceback: str = ""
    never_runs: bool = False


class LeftToDo(Struct, frozen=True, order=True):
    """Lines of a settings file that awaken could not write, and a user should.

    ``add`` are the lines, ``table`` the table of all of them (empty where there is none); ``path``
    is project-relative, ``line`` 1-based, 0 where it is unknown. ``why`` is a clause, ``command``
    the one that writes the file, where a tool does. ``changes`` need it; they are made anyway.
    """

    path: str
    line: int
    add: str
    table: str
    why: str
    changes: tuple[ChangeId, ...] = ()
    command: str = ""


class FileChange(Struct, frozen=True):
    """One file before and after the changes; ``before`` is None for a created file.

    ``path`` is project-relative; ``findings`` are those that are in this file or edit it.
    """

    path: str
    before: SourceFile | None
    after: SourceFile
    findings: tuple[Finding, ...] = ()


# In the place of changes, whose edits are large and of no use to who reads a report.
class ChangeSummary(Struct, frozen=True, kw_only=True):
    """A change without its edits, for display; ``paths`` are project-relative."""

    id: ChangeId
    rule: str
    title: str
    level: Level
    sites: tuple[SiteId, ...]
    requires: tuple[ChangeId, ...]
    paths: tuple[str, ...]


class EditedPlace(Struct, frozen=True, array_like=True):
    """Where a change that is made edits a file: the text before the run that it is about.

    Where an import is added there is no text yet; ``name`` is what it binds.
    """

    change: ChangeId
    place: Place
    name: str = ""


class SuppressedBy(StrEnum):
    """The cause that suppresses a site; the values are the JSON's ``held_by``."""

    COMMENT = "comment"
    """A suppression comment in the file."""
    SETTINGS = "settings"
    """An override for the file's path."""
    BASELINE = "baseline"
    """The baseline file: the site was there when it was written."""
    SINCE = "since"
    """Neither the site nor its change touches a line that changed since the given commit."""


class SuppressedSite(Struct, frozen=True):
    """A site that keeps its level, is left alone and counted apart.

    ``note`` says in a few words what suppresses it (``# awaken: ignore[query-to-select]``, the name
    of the baseline file); ``place`` is where a comment says so.
    """

    finding: Finding
    by: SuppressedBy
    note: str = ""
    place: Place | None = None


class Remembered(Struct, frozen=True):
    """The result of a run, and the ``digest`` of all its inputs.

    ``unmatched`` is the number of entries of the baseline that match nothing any more;
    ``diagnostics`` are those of planning, a file that does not parse for instance.
    ``edits_left_out`` are the places that changes edit which are not made.
    """

    digest: bytes
    findings: tuple[Finding, ...]
    changes: tuple[ChangeSummary, ...]
    pending: tuple[ChangeSummary, ...]
    files: tuple[FileChange, ...]
    sources: dict[str, SourceFile]
    suppressed: tuple[SuppressedSite, ...]
    unmatched: int
    diagnostics: tuple[Diagnostic, ...]
    left_to_do: tuple[LeftToDo, ...] = ()
    outlines: tuple[Outline, ...] = ()
    edited: tuple[EditedPlace, ...] = ()
    explained_only: tuple[Finding, ...] = ()
    edits_left_out: tuple[EditedPlace, ...] = ()

    def files_shown(self) -> set[str]:
        """Return the files of which it shows the text, or says something."""
        named = {*self.sources, *(change.path for change in self.files)}
        return named | {diagnostic.path for diagnostic in self.diagnostics}

    def encoded_text(self) -> bytes:
        """Return all that it says as text, without the texts of files."""
        said = structs.replace(self, files=(), sources={})
        return repr(said).encode("utf-8", "backslashreplace")


class BaselineUse(Struct, frozen=True):
    """The baseline of a root, and the entries of it that the run says nothing about.

    Those are of rules that did not run, and of files that were not selected or could not be read.
    ``named`` says that the user named the file, not the project's own settings.
    """

    file: Path
    kept: tuple[BaselineEntry, ...] = ()
    named: bool = False


class TargetVersion(Struct, frozen=True):
    """One detected target: ``python`` or a distribution, its specifier, and where it was read."""

    name: str
    specifier: str
    origin: str


class UnmetNeed(Struct, frozen=True, array_like=True):
    """A rule that rewrites none of its ``sites``: it ``needs`` versions, ``sqlalchemy>=2.0``.

    ``declared`` says what the project declares in their place, and where.
    """

    rule: str
    sites: int
    needs: str
    declared: str


class RootReport(Struct, frozen=True, kw_only=True, dict=True):
    """The result for one project root.

    ``findings`` are placed on disk (project-relative path, span of the text before the run) and
    sorted by place; ``suppressed`` are those that a comment, a setting, the baseline or ``--since``
    leaves alone, and no other field counts them. ``changes`` are those in ``files``; an unsafe
    change that was not allowed is in ``pending``. ``sources`` gives the text of each file that a
    finding names, ``notes`` one sentence for each rule that did not run, and more of that kind.
    ``baseline`` is the file that is, or would be, the baseline. ``left_to_do`` are lines of
    settings files that the made changes need and that nobody wrote yet. ``outlines`` are those of
    changes that are made or pending, and of what is not changed; their places are those on disk.
    ``edited`` are the places in ``files`` that the changes edit. ``explained_only`` are the sites
    at which nobody has to do anything, and those of rules that rewrite nothing on the versions of
    the project, of which one note says so: they are no findings. ``step`` is that of a recipe,
    counted from 1, and 0 for a run without one. ``unmet`` are rules that need other versions, and
    ``hints`` recipes that may find something, with the number of files that look so. ``settings``
    are those that the run had.
    """

    root: Path
    targets: tuple[TargetVersion, ...]
    findings: tuple[Finding, ...]
    changes: tuple[ChangeSummary, ...]
    pending: tuple[ChangeSummary, ...]
    files: tuple[FileChange, ...]
    sources: Mapping[str, SourceFile]
    diagnostics: tuple[Diagnostic, ...]
    files_read: int
    seconds: float
    notes: tuple[str, ...] = ()
    suppressed: tuple[SuppressedSite, ...] = ()
    baseline: BaselineUse | None = None
    left_to_do: tuple[LeftToDo, ...] = ()
    outlines: tuple[Outline, ...] = ()
    edited: tuple[EditedPlace, ...] = ()
    explained_only: tuple[Finding, ...] = ()
    step: int = 0
    unmet: tuple[UnmetNeed, ...] = ()
    hints: Mapping[str, int] = {}
    settings: Resolved | None = None

    @cached_property
    def change_ids(self) -> frozenset[ChangeId]:
        """The identities of ``changes``."""
        return frozenset(change.id for change in self.changes)


class Report(Struct, frozen=True):
    """The result of a run over all its project roots; ``rules`` are those that ran, in order.

    ``passes`` are those among them that run foreign code: nobody else has their pages.
    """

    roots: tuple[RootReport, ...]
    rules: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    passes: tuple[Rule, ...] = ()
