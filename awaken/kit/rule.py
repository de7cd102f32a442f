"""A rule: it plans, and the engine edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Struct

from awaken.contract import (
    Change,
    Constraints,
    Finding,
    Level,
    NoOptions,
    Phase,
    Place,
    Plan,
    Problem,
    Reason,
    Rewriter,
    Status,
)

if TYPE_CHECKING:
    from types import ModuleType

    from awaken.kit.changes import Decided
    from awaken.project import Project
    from awaken.workspace.formats.toml_text import KeyPath
    from awaken.workspace.sources import Snapshot


def rewriters_in(*modules: ModuleType) -> Mapping[str, Rewriter]:
    """Return the public functions of modules, which are rewriters, by ``their-names``."""
    return {
        name.replace("_", "-"): function
        for module in modules
        for name, function in vars(module).items()
        if getattr(function, "__module__", "") == module.__name__ and not name.startswith("_")
    }


class Rule:
    """One codemod. Rules keep no state: everything they know comes from the project.

    A rule's page is its module's docstring. ``since`` is the version of awaken, or of the plug-in,
    that brought it; ``status`` says whether it runs by itself. ``levels`` are those that its sites
    can get; those of advice are always advice. ``triggers`` are byte strings of which a file must
    contain at least one to hold a site, and ``anchors`` say what else the program holds then: for
    each of them, some file contains at least one of its byte strings. A rule is only planned where
    both are found. ``needs`` gives version specifiers that each project root's targets must satisfy
    (``{"python": ">=3.11"}``), ``declares`` those that its changes declare in the manifest, so that
    the targets must admit some of them. ``reads`` names the other files that the rule reads
    (``Project.texts``), as patterns of a ``.gitignore``: ``/pytest.ini``, ``templates/**/*.html``.
    ``pieces`` are texts that its changes may add to the replaced code (``.limit(1)``), each with
    the reason; ``awaken explain`` gives it. ``writers`` names the modules of its own rewriters.
    ``per_file`` says that a file's sites can be planned without those of other files, except those
    in the same change. Such a rule may be planned file by file, in several processes.
    ``decides_by`` says the same for a rule that is planned at once: ``file`` that other files'
    sites change nothing; ``selection`` that this holds for files outside of which nothing may be
    written, and that a file without a trigger has no site; ``program`` that any site may matter.
    ``looks_outside`` says that it asks which files of the repository around the project use that.
    ``is_foreign`` says that code of others decides, which awaken cannot tell when it changes.
    """

    name: ClassVar[str]
    kind: ClassVar[Literal["rewrite", "advice"]] = "rewrite"
    family: ClassVar[str]
    phase: ClassVar[Phase]
    since: ClassVar[str] = ""
    levels: ClassVar[tuple[Level, ...]] = (Level.SAFE, Level.UNSAFE, Level.MANUAL)
    after: ClassVar[tuple[str, ...]] = ()
    triggers: ClassVar[tuple[bytes, ...]] = ()
    anchors: ClassVar[tuple[tuple[bytes, ...], ...]] = ()
    needs: ClassVar[Mapping[str, str]] = {}
    declares: ClassVar[Mapping[str, str]] = {}
    reads: ClassVar[tuple[str, ...]] = ()
    pieces: ClassVar[Mapping[str, str]] = {}
    reasons: ClassVar[tuple[Reason, ...]] = ()
    writers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[Struct]] = NoOptions
    status: ClassVar[Status] = Status.DEFAULT
    per_file: ClassVar[bool] = False
    decides_by: ClassVar[Literal["file", "selection", "program"]] = "program"
    looks_outside: ClassVar[bool] = False
    is_foreign: ClassVar[bool] = False

    @property
    def decides_by_file(self) -> bool:
        """Whether the sites of a file are planned without those of other files."""
        return self.per_file or self.decides_by == "file"

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per site of ``project``, and the changes that are allowed."""
        raise NotImplementedError

    def wrong_options(
        self, project: Project | None, options: Struct
    ) -> Iterable[tuple[KeyPath, str]]:
        """Yield where a value of ``options`` names nothing, and what is wrong: ``("names", 0)``.

        Asked twice: without a project when settings are read, for what no program has, and before
        the first plan for what ``project`` does not have. Such a run is an error of the user.
        """
        del project, options
        return ()

    def prepare(self, project: Project, files: Sequence[str]) -> None:
        """Have worked out what the plans of ``files`` ask of ``project``, before they are made.

        Only asked if ``per_file``: the processes that plan files then share the answers.
        """
        del project, files

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the rewriters that this rule's edits name: those of the kit, and its own.

        They load LibCST, so that it is loaded where there is something to write, and there only.
        """
        return rewriters_in(*map(import_module, ("awaken.kit.rewriters", *self.writers)))

    def why_no_site(self, project: Project, place: Place) -> str | None:
        """Return in one sentence why nothing at ``place`` is a site of this rule.

        None where nothing there looks like one. It is asked only for places without a finding.
        """
        del project, place
        return None

    def prove(self, after: Project, changes: Sequence[Change]) -> Iterable[Problem]:
        """Yield what ``changes`` broke, seen in the project as it would be after them."""
        del after, changes
        return ()

    def prove_against(
        self, before: Snapshot, after: Project, changes: Sequence[Change]
    ) -> Iterable[Problem]:
        """Yield the same for a rule that has to know what was so ``before``."""
        del before
        return self.prove(after, changes)


class SiteRule(Rule):
    """A rule of which every site is a change of its own."""

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return the findings and changes of all sites; no change needs another site."""
        from awaken.kit.changes import plan_of  # noqa: PLC0415  a recalled run needs none of it

        return plan_of(self.decisions(project.without_sites(constraints.decided)))

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Yield what is decided of each site."""
        raise NotImplementedError


class Advice(Rule):
    """A rule that rewrites nothing."""

    kind = "advice"

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return all findings."""
        del constraints  # nothing is rewritten
        return Plan(tuple(self.findings(project)))

    def findings(self, project: Project) -> Iterable[Finding]:
        """Yield the findings."""
        raise NotImplementedError


class ProjectFacts:
    """Facts of one project for a rule."""

    def __init__(self, project: Project) -> None:
        self._project = project
