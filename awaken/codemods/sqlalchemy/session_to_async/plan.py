"""The rule itself: one component, rewritten whole or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.bridges import Bridges
from awaken.codemods.sqlalchemy.session_to_async.boundaries.own_loops import OwnLoops
from awaken.codemods.sqlalchemy.session_to_async.boundaries.published import (
    exported_functions,
    given_out_of_sight,
    resource_out_of_sight,
    used_out_of_sight,
)
from awaken.codemods.sqlalchemy.session_to_async.boundaries.schedulers import Schedulers
from awaken.codemods.sqlalchemy.session_to_async.boundaries.waits import Waits
from awaken.codemods.sqlalchemy.session_to_async.colour.program import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.components.component import Found
from awaken.codemods.sqlalchemy.session_to_async.components.leftover import removed_at_last
from awaken.codemods.sqlalchemy.session_to_async.components.own_lines import on_own_lines
from awaken.codemods.sqlalchemy.session_to_async.decide.deciding import decided_components
from awaken.codemods.sqlalchemy.session_to_async.decide.outcome import Outcome
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import asked_more
from awaken.codemods.sqlalchemy.session_to_async.doubles.namespaces import namespaces
from awaken.codemods.sqlalchemy.session_to_async.doubles.objects import MockedObjects
from awaken.codemods.sqlalchemy.session_to_async.doubles.replaced import Doubles
from awaken.codemods.sqlalchemy.session_to_async.find.clients import Clients
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import listeners
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import (
    WORDS,
    FileOperations,
)
from awaken.codemods.sqlalchemy.session_to_async.foreign.models import ForeignModels
from awaken.codemods.sqlalchemy.session_to_async.functions.decorators import Decorators
from awaken.codemods.sqlalchemy.session_to_async.functions.function_writer import FunctionWriter
from awaken.codemods.sqlalchemy.session_to_async.functions.handed_on.callables import Callables
from awaken.codemods.sqlalchemy.session_to_async.functions.handed_on.dynamic import dynamic_calls
from awaken.codemods.sqlalchemy.session_to_async.functions.handed_on.unresolved import (
    unresolved_calls,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.handed_on.uses import refused_uses
from awaken.codemods.sqlalchemy.session_to_async.functions.loaded_before import (
    loaded_before_validation,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.managers.of_generators import (
    made_managers,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.unfollowed import unfollowed_members
from awaken.codemods.sqlalchemy.session_to_async.inside.models import inside_sessions
from awaken.codemods.sqlalchemy.session_to_async.options import Options
from awaken.codemods.sqlalchemy.session_to_async.outlines.making import Outlines
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    APPLY,
    BRIDGE,
    CONSTRUCT,
    DELEGATE,
    DISPLAY,
    ENCLOSE,
    ENCODE,
    HAND_ON,
    HOIST,
    INITIALIZE,
    METHOD,
    MIGRATE,
    NEST,
    POSTPONE,
    REMOVE,
    REPLACE,
    SEARCH,
    SEARCH_BY_LOOP,
    THREAD,
    WRAP,
)
from awaken.codemods.sqlalchemy.session_to_async.proof.before import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.codemods.sqlalchemy.session_to_async.reads.assigned_expressions import (
    AssignedExpressions,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.bulk_updates import got_behind_updates
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.after_commits import (
    ReadsAfterCommits,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.after_writes import (
    ReadsAfterWrites,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import (
    seen_behind_commits,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.converted_values import (
    ConvertedValues,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.differing import DifferingUses
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.refreshed_parts import (
    RefreshedParts,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.writes import Writes
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.database_values import (
    fetched_when_written,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.dynamic_collections import (
    dynamic_collections,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.encoded_objects import (
    encoded_objects,
    returned_objects,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.late_columns import LateColumns
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.subclasses import (
    loaded_with_their_bases,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.expiry.expire_calls import ExpireCalls
from awaken.codemods.sqlalchemy.session_to_async.reads.expiry.expired import ExpiredReads
from awaken.codemods.sqlalchemy.session_to_async.reads.loading import Loading
from awaken.codemods.sqlalchemy.session_to_async.reads.revisions import loaded_in_revisions
from awaken.codemods.sqlalchemy.session_to_async.reads.spawned.spawned_reads import SpawnedReads
from awaken.codemods.sqlalchemy.session_to_async.reads.upserts import returned_by_upserts
from awaken.codemods.sqlalchemy.session_to_async.resources.bases import attribute_bases
from awaken.codemods.sqlalchemy.session_to_async.resources.held_sessions import (
    held_sessions,
    sessions_of_objects,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.names import (
    FACTORIES,
    ResourceWriter,
    listening,
    resource_sites,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.strings.casting import typed_strings
from awaken.codemods.sqlalchemy.session_to_async.resources.urls import Urls
from awaken.codemods.sqlalchemy.session_to_async.scripts.disposal import Disposal
from awaken.codemods.sqlalchemy.session_to_async.scripts.loops import Loops
from awaken.codemods.sqlalchemy.session_to_async.statements.at_import import (
    members_at_import,
)
from awaken.codemods.sqlalchemy.session_to_async.statements.migrations.environments import (
    Environments,
)
from awaken.codemods.sqlalchemy.session_to_async.statements.writing import Scripts
from awaken.codemods.sqlalchemy.session_to_async.suites.client_writer import ClientWriter
from awaken.codemods.sqlalchemy.session_to_async.suites.settings import old_test_tools
from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import SharedSessions
from awaken.codemods.sqlalchemy.session_to_async.suites.shared_workers import shared_workers
from awaken.contract import (
    Change,
    Constraints,
    Level,
    Phase,
    Place,
    Plan,
    Problem,
    Reason,
    Rewriter,
    Status,
)
from awaken.kit.changes import Member, member, plan_of
from awaken.kit.reasons import NAME_TAKEN, OUT_OF_SIGHT
from awaken.kit.rule import Rule
from awaken.kit.sites import Site
from awaken.project.frameworks.sqlalchemy.engines.urls_elsewhere import URL_READS
from awaken.project.frameworks.templates.sights import TEMPLATE_READS
from awaken.workspace.manifests.pytest_settings import PYTEST_READS

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
    from awaken.project import Project
    from awaken.workspace.formats.toml_text import KeyPath
    from awaken.workspace.sources import Snapshot


class SessionToAsync(Rule):
    """Makes a synchronous program asynchronous: sessions, and all that waits for them."""

    name = "session-to-async"
    family = "sqlalchemy"
    # Functions change as a whole: other rules have to rewrite their bodies first.
    phase = Phase.COLOURING
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    declares: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=2.0"}  # `async_sessionmaker`, `URL`
    triggers = WORDS
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    reads = (*TEMPLATE_READS, *PYTEST_READS, *URL_READS)
    looks_outside = True
    status = Status.OPT_IN
    options = Options
    reasons: ClassVar[tuple[Reason, ...]] = (NAME_TAKEN, OUT_OF_SIGHT, *reasons.ALL)

    def wrong_options(
        self, project: Project | None, options: Struct
    ) -> Iterable[tuple[KeyPath, str]]:
        """Yield the drivers, functions and packages of options that there are none of."""
        if not isinstance(options, Options):
            return ()
        return options.wrong() if project is None else options.wrong_in(project)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return a finding for each function that waits, and one change for all of them."""
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        engines = [engine for engine in project.orm.engines.all() if not engine.is_async]
        foreign = ForeignModels(project, self.name, options.foreign_models)
        urls = Urls(project, options.drivers)
        resources = ResourceWriter(project, urls, engines, foreign)
        clients = _waiting_clients(project, resources)
        operations = FileOperations(project, clients)
        if not operations.any_waits():
            # So a program is that was migrated, by us before or by people.
            part = SynchronousPart(project, operations, is_loop_bound=resources.is_loop_bound)
            return self._left_over(part, resources, constraints, options)
        spawned = SpawnedReads(project, operations)
        loading = Loading(project, self.name, spawned.reads(), options.levels)
        expired = ExpiredReads(project, self.name, loading.loaded_with_objects)
        expire_calls = ExpireCalls(project, self.name, loading)
        parts = RefreshedParts(project, self.name, loading.loaded_with_objects)
        shared = SharedSessions(project, self.name)
        later = seen_behind_commits(project)
        writes = Writes(project)
        after_commits = ReadsAfterCommits(self.name, loading, later, shared, writes)
        after_writes = ReadsAfterWrites(self.name, loading, writes, after_commits)
        assigned = AssignedExpressions(project, self.name)
        late = LateColumns(project, self.name)
        operations.add_reads(
            [*loading.awaited(), *late.awaited()], spawned.calls(), late.validated()
        )
        if foreign.are_said:
            operations.add_bridged(foreign.bridged())
        places = (expired, expire_calls, parts, shared, after_commits, after_writes, assigned)

        def waiting() -> SynchronousPart:
            return SynchronousPart(
                project,
                operations,
                frozenset(place for item in places for place in item.places()),
                is_loop_bound=resources.is_loop_bound,
                bridged=options.bridged,
            )

        part = waiting()
        inside = inside_sessions(part)
        if inside.functions:
            operations.add_inside(inside)
            after_writes.leave(inside)
            outside = [read for read in spawned.reads() if not inside.reads(project, read.place)]
            loading = Loading(project, self.name, outside, options.levels)
            part = waiting()
        if not part.is_waiting:
            return self._left_over(part, resources, constraints, options)
        again = loading.loaded_again(later, shared.is_behind_request)
        more = {**returned_by_upserts(project), **got_behind_updates(project)}
        loaded_again = {**loaded_before_validation(part, spawned.calls(), later), **again, **more}
        named = [
            (item, name)
            for item, name in self._resources(part, resources)
            if not inside.holds(item.site.module, item.site.node)
        ]
        factories = [item.site.place for item, name in named if name in FACTORIES]
        environments = Environments(part, self.name, named)
        differing = DifferingUses(writes, loading.loaded_ahead)
        result = Found(
            [
                *self._functions(part, loaded_again, environments, differing),
                *environments.linked(),
                *Decorators(part).members(self.name),
                *Callables(part, self.name).members(),
                *part.managers.bases(list(part.steps), self.name),
                *part.locks.members(self.name),
                *made_managers(part, self.name),
                *unresolved_calls(part, self.name),
                *dynamic_calls(part, self.name),
                *unfollowed_members(part, self.name),
                *operations.unannotated.members(self.name),
                *Doubles(part, self.name, asked_more(project, loaded_again)),
                *MockedObjects(part, self.name),
                *namespaces(part, self.name),
                *listening(project, self.name),
                *listeners(project, self.name, factories),
                *held_sessions(part, self.name),
                *sessions_of_objects(project, self.name),
                *self._clients(part),
                *old_test_tools(part, self.name),
            ],
            named,
            [
                *environments.everywhere(),
                *loading.members(),
                *loaded_in_revisions(project, self.name, loading.loaded_with_objects),
                *encoded_objects(project, self.name, loading.loaded_with_objects),
                *returned_objects(project, self.name, loading.loaded_with_objects),
                *late.members(),
                *dynamic_collections(project, self.name),
                *attribute_bases(project, self.name, [*loading.awaited_of(), *late.classes()]),
                *expired.members(),
                *expire_calls.members(),
                *parts.members(),
                *shared.members(),
                *shared_workers(project, self.name),
                *after_commits.members(expired.places()),
                *ConvertedValues(project, self.name).members(),
                *after_writes.members(),
                *differing.again.members(self.name),
                *assigned.members(),
                *fetched_when_written(project, self.name, assigned.flushed_elsewhere()),
                *loaded_with_their_bases(project, self.name),
                *foreign.members(),
                *typed_strings(part, self.name, urls, engines),
            ],
        )
        result.functions = [*on_own_lines(project, result.functions)]
        result.loading = [*on_own_lines(project, result.loading)]
        changing = [*result.functions, *(item for item, _ in named)]
        result.functions += given_out_of_sight(part, self.name, changing)
        components = decided_components(part, result, constraints, options.component)
        outlines = Outlines(part, self.name, result.resources, components.shared, inside)
        return plan_of(Outcome(part, self.name, components, constraints, outlines).decided())

    def _left_over(
        self,
        part: SynchronousPart,
        resources: ResourceWriter,
        constraints: Constraints,
        options: Options,
    ) -> Plan:
        """Return the rewrites of the synchronous side of a program in which nothing waits."""
        result = Found(resources=list(self._resources(part, resources)))
        components = decided_components(part, result, constraints, options.component)
        return plan_of(removed_at_last(part.project, components, constraints))

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the rewriters of the kit, and those of this rule."""
        from awaken.codemods.sqlalchemy.session_to_async.rewriting.constructors import (  # noqa: PLC0415
            construct,
            initialize,
        )
        from awaken.codemods.sqlalchemy.session_to_async.rewriting.loops import (  # noqa: PLC0415
            apply,
            display,
            search,
            search_by_loop,
        )
        from awaken.codemods.sqlalchemy.session_to_async.rewriting.migrations import (  # noqa: PLC0415
            migrate,
        )
        from awaken.codemods.sqlalchemy.session_to_async.rewriting.properties import (  # noqa: PLC0415
            method,
        )
        from awaken.codemods.sqlalchemy.session_to_async.rewriting.statements import (  # noqa: PLC0415  loads LibCST
            bridge,
            delegate,
            enclose,
            encode,
            hand_on,
            hoist,
            nest,
            postpone,
            remove,
            replace,
            wrap,
        )
        from awaken.codemods.sqlalchemy.session_to_async.rewriting.threads import (  # noqa: PLC0415
            thread,
        )

        return {
            **super().rewriters(),
            APPLY: apply,
            BRIDGE: bridge,
            CONSTRUCT: construct,
            DELEGATE: delegate,
            DISPLAY: display,
            ENCLOSE: enclose,
            ENCODE: encode,
            HOIST: hoist,
            INITIALIZE: initialize,
            METHOD: method,
            MIGRATE: migrate,
            NEST: nest,
            POSTPONE: postpone,
            HAND_ON: hand_on,
            REMOVE: remove,
            REPLACE: replace,
            SEARCH: search,
            SEARCH_BY_LOOP: search_by_loop,
            THREAD: thread,
            WRAP: wrap,
        }

    def prove_against(
        self, before: Snapshot, after: Project, changes: Sequence[Change]
    ) -> Iterable[Problem]:
        """Yield what ``changes`` broke: coroutines that nothing awaits, sessions that block."""
        return problems(Before(before), after, changes)

    def _functions(
        self,
        part: SynchronousPart,
        loaded_again: Mapping[Place, Anew],
        environments: Environments,
        differing: DifferingUses,
    ) -> Iterator[Member]:
        disposal = Disposal(part.project, self.name)
        own_loops = OwnLoops(part, self.name)
        bridges = Bridges(part, disposal, own_loops)
        schedulers = Schedulers(part, self.name)
        refused = {
            **dict(exported_functions(part)),
            **dict(used_out_of_sight(part)),
            **refused_uses(part, schedulers, own_loops),
            **dict(bridges.refused()),
            **dict(Loops(part).refused()),
            **dict(part.locks.refused()),
            **dict(part.managers.closed(part.steps)),
            **dict(Waits(part).refused()),
            **dict(environments.refused()),
            **dict(part.fake_engines.refused(part.results)),
        }
        writer = FunctionWriter(part, loaded_again, refused, bridges, schedulers, differing)
        scripts = Scripts(part, self.name, disposal, writer)
        for function in part.functions:
            node = part.node_of(function)
            if node is None:
                yield from members_at_import(part, self.name, function.path, disposal, scripts)
                continue
            site: Site[ast.AST] = Site(self.name, *node)
            yield member(site, f"`{function.qualname}`", writer.rewritten, function)
        yield from schedulers.members()
        yield from disposal.members()
        yield from own_loops.members()

    def _resources(
        self, part: SynchronousPart, writer: ResourceWriter
    ) -> Iterator[tuple[Member, str]]:
        for site, qualified in resource_sites(part.project, self.name):
            shown = f"`{site.module.text_of(site.node)}`"
            refused = resource_out_of_sight(part, site)
            if refused is not None:
                yield Member(site, refused, shown), qualified
            else:
                yield member(site, shown, writer.rewritten, qualified), qualified

    def _clients(self, part: SynchronousPart) -> Iterator[Member]:
        clients = ClientWriter(part.project)
        for site in clients.sites(self.name) if part.is_loop_bound else ():
            yield member(site, f"`{site.module.text_of(site.node)}`", clients.rewritten)


def _waiting_clients(project: Project, resources: ResourceWriter) -> Clients | None:
    """Return the clients of tests, if they have to be asynchronous."""
    clients = Clients(project)
    if resources.is_loop_bound and resources.can_keep_clients() and clients.are_kept():
        resources.keep_clients()
    return clients if resources.is_loop_bound else None
