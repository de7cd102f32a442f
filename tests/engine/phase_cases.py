"""Rules that replace words, and a run of the phases with them."""

from __future__ import annotations

import re

from msgspec.structs import replace

from awaken.contract import (
    Change,
    ChangeId,
    Finding,
    Level,
    Phase,
    Place,
    Plan,
    Reason,
    SiteId,
    Span,
    TextEdit,
)
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.engine.planning.phases import Tools, run_phases
from awaken.engine.planning.policy import Policy
from awaken.kit.rule import Rule
from awaken.workspace.sources import Snapshot, SourceFile

SAFE, UNSAFE, MANUAL, ADVICE = Level.SAFE, Level.UNSAFE, Level.MANUAL, Level.ADVICE
NO = Reason("no", "this word stays", "Write another one.")


class Words(Rule):
    """Replaces each word ``old`` by ``new``; every one is a site and, unless manual, a change.

    ``level`` may be a function of the number of the site. ``requires`` names changes by number.
    """

    family = "tests"
    phase = Phase.QUERIES
    reasons = (NO,)

    def __init__(  # noqa: PLR0913
        self, name, old, new, *, phase=Phase.QUERIES, level=SAFE, together=False, requires=None
    ):
        self.name, self.old, self.new, self.phase = name, old, new, phase
        self.level = level if callable(level) else lambda _: level
        self.together = together
        self.requires = requires or {}

    def plan(self, project, constraints):
        del constraints
        places = list(self.places(project))
        findings = [self.finding(number, place) for number, place in enumerate(places)]
        changes = {}
        for number, finding in enumerate(findings):
            if finding.change is None:
                continue
            edit = TextEdit(
                path=finding.place.path,
                anchor=finding.place.span,
                text=self.new,
                site=finding.site,
            )
            change = changes.get(finding.change) or self.change(number, finding)
            changes[finding.change] = replace(
                change, sites=(*change.sites, finding.site), edits=(*change.edits, edit)
            )
        return Plan(tuple(findings), tuple(changes.values()))

    def places(self, project):
        for path in project.files:
            for found in re.finditer(rf"\b{self.old}\b".encode(), project.snapshot[path].text):
                yield Place(path, Span(*found.span()))

    def finding(self, number, place):
        level = self.level(number)
        rewritten = level in {SAFE, UNSAFE}
        return Finding(
            site=SiteId(f"{self.name} site {number}"),
            rule=self.name,
            level=level,
            place=place,
            scope="<module>",
            message=f"{self.old} becomes {self.new}",
            reason=f"{self.name}/no" if level is MANUAL else None,
            change=self.change_id(number) if rewritten else None,
        )

    def change_id(self, number):
        return ChangeId(f"{self.name} {0 if self.together else number}")

    def change(self, number, finding):
        return Change(
            id=self.change_id(number),
            rule=self.name,
            title=finding.message,
            level=finding.level,
            sites=(),
            edits=(),
            requires=tuple(self.change_id(one) for one in self.requires.get(number, ())),
        )


class FakeProject:
    """As much of a project as ``Words`` and the phases ask for."""

    def __init__(self, snapshot, scope):
        self.snapshot = snapshot
        self.files = sorted(path for path in snapshot if scope is None or path in scope)
        self.scope = scope
        self.parse_failures = {}

    def with_site_scope(self, scope):
        return FakeProject(self.snapshot, scope)


def run(files, *rules, check=None, projects=None, **policy):
    """Run ``rules`` over ``files``; ``check`` gives problems, ``projects`` gets those asked for."""

    def project(snapshot, scope):
        made = FakeProject(snapshot, scope)
        if projects is not None:
            projects.append(made)
        return made

    snapshot = Snapshot({path: SourceFile(path, text.encode()) for path, text in files.items()})
    tools = Tools(
        project=project,
        apply_in_memory=lambda before, changes: apply_in_memory(before, changes, {}),
        check=check or (lambda *_: ()),
    )
    return run_phases(snapshot, rules, tools, Policy(**policy))


def text(outcome, path="a.txt"):
    return outcome.after[path].text.decode()


def levels(outcome):
    return [finding.level for finding in outcome.findings]


def reasons(outcome):
    return [finding.reason for finding in outcome.findings]


def made(outcome):
    return [change.id for change in outcome.changes]


class Planned(Words):
    """Returns the plan, or raises the error, that it was made with."""

    def __init__(self, name, outcome):
        super().__init__(name, "a", "b")
        self.outcome = outcome

    def plan(self, *_):
        if isinstance(self.outcome, Plan):
            return self.outcome
        raise self.outcome


ONE = Words("one", "a", "bee")
