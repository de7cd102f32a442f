"""The rule itself: one component, rewritten whole or not at all."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct, structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.at_import import members_at_import
from awaken.codemods.sqlalchemy.session_to_async.boundaries.bridges import Bridges
from awaken.codemods.sqlalchemy.session_to_async.boundaries.disposal import Disposal
from awaken.codemods.sqlalchemy.session_to_async.boundaries.schedulers import Schedulers
from awaken.codemods.sqlalchemy.session_to_async.doubles.objects import MockedObjects
from awaken.codemods.sqlalchemy.session_to_async.doubles.replaced import Doubles
from awaken.codemods.sqlalchemy.session_to_async.functions.callables import Callables
from awaken.codemods.sqlalchemy.session_to_async.functions.decorators import Decorators
from awaken.codemods.sqlalchemy.session_to_async.functions.function_writer import FunctionWriter
from awaken.codemods.sqlalchemy.session_to_async.functions.unresolved import unresolved_calls
from awaken.codemods.sqlalchemy.session_to_async.functions.uses import refused_uses
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    BRIDGE,
    DELEGATE,
    HOIST,
    REMOVE,
    REPLACE,
)
from awaken.codemods.sqlalchemy.session_to_async.program import WORDS, SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.proof import problems
from awaken.codemods.sqlalchemy.session_to_async.reads.database_values import fetched_when_written
from awaken.codemods.sqlalchemy.session_to_async.reads.expired import ExpiredReads
from awaken.codemods.sqlalchemy.session_to_async.reads.loading import Loading
from awaken.codemods.sqlalchemy.session_to_async.resources.held_sessions import held_sessions
from awaken.codemods.sqlalchemy.session_to_async.resources.names import (
    ResourceWriter,
    listening,
    resource_sites,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.urls import Urls
from awaken.codemods.sqlalchemy.session_to_async.suites.client_writer import ClientWriter
from awaken.codemods.sqlalchemy.session_to_async.suites.settings import test_settings
from awaken.contract import (
    Change,
    Constraints,
    Finding,
    Level,
    Phase,
    Place,
    Plan,
    Problem,
    Reason,
    Rewriter,
)
from awaken.kit.changes import Decided, Member, decide_group, member, plan_of
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.templates.sights import TEMPLATE_READS
from awaken.workspace.manifests.pytest_settings import PYTEST_READS

if TYPE_CHECKING:
    from awaken.project import Project


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """What only the owner of a program knows.

    ``drivers`` names the asynchronous driver for a database: ``{postgresql = "asyncpg"}``.
    """

    drivers: dict[str, str] = {}


class SessionToAsync(Rule):
    """Makes a synchronous program asynchronous: sessions, and all that waits for them."""

    name = "session-to-async"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = WORDS
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    reads = (*TEMPLATE_READS, *PYTEST_READS)
    preview = True
    options = Options
    reasons: ClassVar[tuple[Reason, ...]] = (NAME_TAKEN, *reasons.ALL)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return a finding for each function that waits, and one change for all of them."""
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        members = list(self._members(project, options))
        if not members:
            return Plan()
        decided = decide_group(members, constraints, reasons.BESIDE_ANOTHER)
        outcomes = {one.site.id: one.outcome for one in members}
        findings = tuple(_told(finding, outcomes[finding.site]) for finding in decided.findings)
        return plan_of([Decided(findings, decided.changes)])

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the rewriters of the kit, and those of this rule."""
        from awaken.codemods.sqlalchemy.session_to_async.rewrite import (  # noqa: PLC0415  loads LibCST
            bridge,
            delegate,
            hoist,
            remove,
            replace,
        )

        return {
            **super().rewriters(),
            BRIDGE: bridge,
            DELEGATE: delegate,
            HOIST: hoist,
            REMOVE: remove,
            REPLACE: replace,
        }

    def prove(self, after: Project, changes: Sequence[Change]) -> Iterable[Problem]:
        """Yield what ``changes`` broke: coroutines that nothing awaits, sessions that block."""
        return problems(after, changes)

    def _members(self, project: Project, options: Options) -> Iterator[Member]:
        loading = Loading(project, self.name)
        expired = ExpiredReads(project, self.name)
        engines = [one for one in project.orm.engines.all() if not one.is_async]
        resources = ResourceWriter(project, Urls(project, options.drivers), engines)
        part = SynchronousPart(
            project,
            loading.awaited(),
            expired.places(),
            is_loop_bound=resources.is_loop_bound,
        )
        if part.is_waiting:
            yield from self._functions(part, loading.loaded_again())
            yield from Decorators(part).members(self.name)
            yield from Callables(part, self.name).members()
            yield from part.managers.bases(list(part.steps), self.name)
            yield from unresolved_calls(part, self.name)
            yield from Doubles(part, self.name)
            yield from MockedObjects(part, self.name)
            yield from loading.members()
            yield from expired.members()
            yield from fetched_when_written(project, self.name)
            yield from held_sessions(part, self.name)
            yield from self._resources(part, resources)

    def _functions(
        self, part: SynchronousPart, loaded_again: Mapping[Place, tuple[str, str]]
    ) -> Iterator[Member]:
        disposal = Disposal(part.project, self.name)
        bridges, schedulers = Bridges(part, disposal), Schedulers(part, self.name)
        refused = {**refused_uses(part, schedulers), **dict(bridges.refused())}
        writer = FunctionWriter(part, loaded_again, refused, bridges, schedulers)
        are_tests_set = False
        for function in part.functions:
            found = part.node_of(function)
            if found is None:
                yield from members_at_import(part, self.name, function.path, disposal)
                continue
            site: Site[ast.AST] = Site(self.name, *found)
            decided = member(site, f"`{function.qualname}`", writer.rewritten, function)
            if not are_tests_set and isinstance(decided.outcome, Rewrite):
                # One of the functions carries what the tests of all of them need.
                are_tests_set = True
                settings = test_settings(part, site.id)
                edits = [*decided.outcome.edits, *settings]
                outcome = dataclasses.replace(decided.outcome, edits=edits)
                decided = dataclasses.replace(decided, outcome=outcome)
            yield decided
        yield from schedulers.members()
        yield from disposal.members()

    def _resources(self, part: SynchronousPart, writer: ResourceWriter) -> Iterator[Member]:
        project = part.project
        yield from listening(project, self.name)
        for site, qualified in resource_sites(project, self.name):
            shown = f"`{site.module.text_of(site.node)}`"
            yield member(site, shown, writer.rewritten, qualified)
        if part.is_loop_bound:
            clients = ClientWriter(project)
            for site in clients.sites(self.name):
                shown = f"`{site.module.text_of(site.node)}`"
                yield member(site, shown, clients.rewritten)


def _told(finding: Finding, outcome: Rewrite | Refused) -> Finding:
    """Return the finding with what becomes of its own site, and the way to what it waits for."""
    if finding.change is None or not isinstance(outcome, Rewrite):
        return finding
    related = outcome.related or finding.related
    return structs.replace(finding, message=outcome.said, related=related)
