"""The stages of the rule, in their order. Each stage hands on one value.

``find`` gives the operations that block. ``Reads`` adds the reads that load. ``colour`` gives the
functions that await both. ``Writing`` gives the members of the change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.boundaries.bridges import Bridges
from awaken.codemods.sqlalchemy.session_to_async.boundaries.own_loops import OwnLoops
from awaken.codemods.sqlalchemy.session_to_async.boundaries.published import (
    exported_functions,
    given_out_of_sight,
    used_out_of_sight,
)
from awaken.codemods.sqlalchemy.session_to_async.boundaries.tasks import Schedulers
from awaken.codemods.sqlalchemy.session_to_async.boundaries.waits import Waits
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    Found,
    on_own_lines,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.fake_sessions import namespaces
from awaken.codemods.sqlalchemy.session_to_async.doubles.methods import asked_more
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import MockedObjects
from awaken.codemods.sqlalchemy.session_to_async.doubles.replaced_functions import Doubles
from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import listeners
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import FileOperations
from awaken.codemods.sqlalchemy.session_to_async.find.test_clients import Clients
from awaken.codemods.sqlalchemy.session_to_async.foreign.foreign_models import ForeignModels
from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import (
    Decorators,
    made_managers,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.callables import (
    Callables,
    refused_uses,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.unresolved import (
    dynamic_calls,
    unresolved_calls,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.function_writer import FunctionWriter
from awaken.codemods.sqlalchemy.session_to_async.functions.loaded_before import (
    loaded_before_validation,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.unfollowed import unfollowed_members
from awaken.codemods.sqlalchemy.session_to_async.inside.model_constructors import (
    inside_sessions,
    offer_inside,
)
from awaken.codemods.sqlalchemy.session_to_async.options import Options
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.after_commits import (
    ReadsAfterCommits,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.after_writes import (
    ReadsAfterWrites,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import (
    loads_after_writes,
    seen_behind_commits,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.refreshed_parts import (
    RefreshedParts,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.uses.differing import DifferingUses
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
from awaken.codemods.sqlalchemy.session_to_async.reads.computed import (
    AssignedExpressions,
    got_behind_updates,
    returned_by_upserts,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.database_values import (
    LateColumns,
    fetched_when_written,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.encoded_objects import (
    encoded_objects,
    returned_objects,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import (
    loaded_with_their_bases,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.refused_declarations import (
    dynamic_collections,
    unknown_owners,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.expiry.expired import ExpiredReads
from awaken.codemods.sqlalchemy.session_to_async.reads.expiry.expiring_calls import ExpireCalls
from awaken.codemods.sqlalchemy.session_to_async.reads.expiry.reloaded_objects import (
    DeletedWithOthers,
    StaleRelationships,
    reloaded_objects,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
from awaken.codemods.sqlalchemy.session_to_async.reads.revisions import loaded_in_revisions
from awaken.codemods.sqlalchemy.session_to_async.reads.spawned_reads import SpawnedReads
from awaken.codemods.sqlalchemy.session_to_async.resources.bases import attribute_bases
from awaken.codemods.sqlalchemy.session_to_async.resources.casting import typed_strings
from awaken.codemods.sqlalchemy.session_to_async.resources.database_urls import Urls
from awaken.codemods.sqlalchemy.session_to_async.resources.held_sessions import (
    held_sessions,
    kept_connections,
    sessions_of_objects,
    sessions_put,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.resource_names import (
    FACTORIES,
    ResourceWriter,
    listening,
    resource_sites,
)
from awaken.codemods.sqlalchemy.session_to_async.scripts.disposal import Disposal
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import Loops
from awaken.codemods.sqlalchemy.session_to_async.statements.application_start import Starts
from awaken.codemods.sqlalchemy.session_to_async.statements.at_import import (
    Probes,
    members_at_import,
)
from awaken.codemods.sqlalchemy.session_to_async.statements.environments import (
    Environments,
)
from awaken.codemods.sqlalchemy.session_to_async.statements.script_writing import Scripts
from awaken.codemods.sqlalchemy.session_to_async.suites.client_writer import (
    ClientWriter,
    finished_websockets,
)
from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import (
    SharedSessions,
    shared_workers,
)
from awaken.codemods.sqlalchemy.session_to_async.suites.suite_settings import old_test_tools
from awaken.contract import Place
from awaken.kit.changes import Member, member
from awaken.kit.sites import SHOWN, Site
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
    from awaken.project import Project


class Blocking(NamedTuple):
    """The operations that block, with the engines that they use."""

    project: Project
    options: Options
    engines: list[Engine]
    foreign: ForeignModels
    urls: Urls
    resources: ResourceWriter
    operations: FileOperations

    def part(self, places: Iterable[Place] = ()) -> SynchronousPart:
        """Return the functions that wait for them; ``places`` wait as well."""
        return SynchronousPart(
            self.project,
            self.operations,
            frozenset(places),
            databases=self.resources.drivers if self.resources.is_loop_bound else (),
            bridged=self.options.bridged,
        )


def find(project: Project, rule: str, options: Options) -> Blocking:
    """Return the operations of a program that block."""
    engines = [engine for engine in project.orm.engines.all() if not engine.is_async]
    foreign = ForeignModels(project, rule, options.foreign_models)
    urls = Urls(project, options.drivers)
    resources = ResourceWriter(project, urls, engines, foreign)
    operations = FileOperations(project, _waiting_clients(project, resources))
    return Blocking(project, options, engines, foreign, urls, resources, operations)


class Reads:
    """The reads that load, and those of what is expired: they block as well."""

    def __init__(self, blocking: Blocking, rule: str) -> None:
        project, operations = blocking.project, blocking.operations
        self._blocking, self._rule = blocking, rule
        self.spawned = SpawnedReads(project, operations)
        self.loading = Loading(project, rule, self.spawned.reads(), blocking.options.levels)
        self.expired = ExpiredReads(project, rule, self.loading)
        self.expire_calls = ExpireCalls(project, rule, self.loading)
        self.writes = Writes(project)
        self.parts = RefreshedParts(rule, self.loading, self.writes)
        self.shared = SharedSessions(project, rule)
        self.later = seen_behind_commits(project)
        self.after_commits = ReadsAfterCommits(
            rule, self.loading, self.later, self.shared, self.writes
        )
        self.after_writes = ReadsAfterWrites(rule, self.loading, self.writes, self.after_commits)
        self.assigned = AssignedExpressions(project, rule)
        self.late = LateColumns(project, rule)
        awaited = [*self.loading.awaited(), *self.late.awaited()]
        operations.add_reads(awaited, self.spawned.calls(), self.late.validated())
        if blocking.foreign.are_said:
            operations.add_bridged(blocking.foreign.bridged_operations())

    def places(self) -> Iterator[Place]:
        """Yield the places of all reads and writes that block."""
        for item in (self.expired, self.expire_calls, self.parts, self.shared):
            yield from item.places()
        for written in (self.after_commits, self.after_writes, self.assigned):
            yield from written.places()

    def leave(self, inside: Inside) -> None:
        """Leave what runs inside of a synchronous session as it is."""
        self._blocking.operations.add_inside(inside)
        self.after_writes.leave(inside)
        project = self._blocking.project
        reads = [item for item in self.spawned.reads() if not inside.reads(project, item.place)]
        self.loading = Loading(project, self._rule, reads, self._blocking.options.levels)

    def loaded_again(self, part: SynchronousPart) -> Mapping[Place, Anew]:
        """Return the loads that have to load again, each with the argument that asks for it."""
        project = part.project
        others = DeletedWithOthers(self.writes, self.loading.loaded_ahead, self.shared)
        committed = self.after_commits
        whole = committed.converted.loads(self.later) | committed.changed.loads
        again = self.loading.loaded_again(
            self.later,
            lambda module, load: others.may_differ(module, load) or module.place(load) in whole,
            loads_after_writes(project, self.loading, self.writes),
        )
        return {
            **loaded_before_validation(part, self.spawned.calls(), self.later),
            **again,
            **returned_by_upserts(project),
            **got_behind_updates(project),
        }

    def members(self) -> Iterator[Member]:
        """Yield the members of reads."""
        project, rule, loaded = self._blocking.project, self._rule, self.loading.loaded_with_objects
        yield from self.loading.members()
        yield from loaded_in_revisions(project, rule, loaded)
        yield from encoded_objects(project, rule, loaded)
        yield from returned_objects(project, rule, loaded)
        yield from self.late.members()
        yield from dynamic_collections(project, rule)
        yield from unknown_owners(project, rule)
        classes = [*self.loading.awaited_of(), *self.late.classes()]
        yield from attribute_bases(project, rule, classes)
        yield from self.expired.members()
        yield from self.expire_calls.members()
        yield from self.parts.members()
        yield from self.shared.members()
        stale = StaleRelationships(project, self.writes, self.loading)
        yield from reloaded_objects(project, rule, self.shared, stale)
        yield from shared_workers(project, rule)
        yield from self.after_commits.members(self.expired.places())
        yield from self.after_writes.members()
        yield from self.assigned.members()
        yield from fetched_when_written(project, rule, self.assigned.flushed_elsewhere())
        yield from loaded_with_their_bases(project, rule)


def colour(blocking: Blocking, reads: Reads) -> tuple[SynchronousPart, Inside]:
    """Return the functions that await, and those that stay inside of a synchronous session."""
    part = blocking.part(reads.places())
    inside = inside_sessions(part)
    if inside.functions:
        reads.leave(inside)
        part = blocking.part(reads.places())
    return part, inside


class Writing:
    """The members of the change: functions, engines and sessions, and reads."""

    def __init__(
        self, rule: str, blocking: Blocking, reads: Reads, part: SynchronousPart, inside: Inside
    ) -> None:
        self.name = rule
        self._blocking, self._reads, self._part = blocking, reads, part
        self._named = [
            (item, name)
            for item, name in resource_members(rule, part, blocking.resources)
            if not inside.holds(item.site.module, item.site.node)
        ]
        former = blocking.urls.former_drivers(blocking.engines)
        self._environments = Environments(part, rule, self._named, former)
        self._again = reads.loaded_again(part)
        self._differing = DifferingUses(reads.writes, reads.loading.loaded_ahead)

    def members(self) -> Found:
        """Return all members, before it is decided which of them are written."""
        project, blocking = self._part.project, self._blocking
        functions = [*on_own_lines(project, [*self._of_functions(), *self._of_doubles()])]
        loading = [
            *self._environments.everywhere(),
            *self._reads.members(),
            *self._differing.members(self.name),
            *blocking.foreign.members(),
            *typed_strings(self._part, self.name, blocking.urls, blocking.engines),
        ]
        changing = [*functions, *(item for item, _ in self._named)]
        functions += given_out_of_sight(self._part, self.name, changing)
        return Found(functions, self._named, [*on_own_lines(project, loading)])

    def _of_functions(self) -> Iterator[Member]:
        """Yield the members of functions that wait, and of the calls and statements around."""
        part, rule, operations = self._part, self.name, self._blocking.operations
        yield from self._functions()
        yield from self._environments.linked_members()
        yield from Decorators(part).members(rule)
        yield from Callables(part, rule).members()
        yield from part.managers.bases(list(part.steps), rule)
        yield from part.locks.members(rule)
        yield from made_managers(part, rule)
        yield from unresolved_calls(part, rule)
        yield from dynamic_calls(part, rule)
        yield from unfollowed_members(part, rule)
        yield from kept_connections(part, rule)
        yield from operations.unannotated.members(rule)

    def _of_doubles(self) -> Iterator[Member]:
        """Yield the members of test doubles and clients, and of the objects that keep sessions."""
        part, rule = self._part, self.name
        project = part.project
        yield from Doubles(part, rule, asked_more(project, self._again))
        yield from MockedObjects(part, rule)
        yield from namespaces(part, rule)
        yield from listening(project, rule)
        factories = [item.site.place for item, name in self._named if name in FACTORIES]
        yield from listeners(project, rule, factories)
        yield from held_sessions(part, rule)
        yield from sessions_of_objects(project, rule)
        yield from sessions_put(part, rule)
        yield from self._clients()
        yield from old_test_tools(part, rule)

    def _functions(self) -> Iterator[Member]:
        part = self._part
        disposal = Disposal(part, self.name)
        own_loops = OwnLoops(part, self.name)
        bridges = Bridges(part, disposal, own_loops)
        schedulers = Schedulers(part, self.name)
        refused = {
            **dict(exported_functions(part)),
            **dict(used_out_of_sight(part)),
            **refused_uses(part, schedulers, own_loops),
            **dict(bridges.refusals()),
            **dict(Loops(part).refusals()),
            **dict(part.locks.refusals()),
            **dict(part.managers.refusals_of_closing(part.steps)),
            **dict(Waits(part).refusals()),
            **dict(self._environments.refusals()),
            **dict(part.fake_engines.refusals(part.results)),
        }
        writer = FunctionWriter(part, self._again, refused, bridges, schedulers, self._differing)
        scripts, starts = Scripts(part, self.name, disposal, writer), Starts(part, self.name)
        probes = Probes(part, self.name, self._blocking.urls)
        offers = 0
        for function in part.functions:
            node = part.node_of(function)
            if node is None:
                yield from members_at_import(starts, function.path, disposal, scripts, probes)
                continue
            site: Site[ast.AST] = Site(self.name, *node)
            item = member(site, f"`{function.qualname}`", writer.rewritten, function)
            # Each offer looks at all that shares a session with the function.
            offers += offers < SHOWN and offer_inside(part, function, item)
            yield item
        yield from starts.members()
        yield from schedulers.members()
        yield from disposal.members()
        yield from own_loops.members()

    def _clients(self) -> Iterator[Member]:
        clients = ClientWriter(self._part.project)
        for site in clients.sites(self.name) if self._part.is_loop_bound else ():
            yield member(site, f"`{site.module.text_of(site.node)}`", clients.rewritten)
        yield from () if self._part.is_loop_bound else finished_websockets(self._part, self.name)


def resource_members(
    rule: str, part: SynchronousPart, writer: ResourceWriter
) -> Iterator[tuple[Member, str]]:
    """Yield the members of the names that make engines and sessions, each with its name."""
    for site, qualified in resource_sites(part.project, rule):
        shown = f"`{site.module.text_of(site.node)}`"
        rewritten = member(site, shown, writer.rewritten, qualified)
        # A call of a class of the program changes with that class.
        heir = part.project.class_definition(qualified)
        along = () if heir is None else (heir[0].place(heir[1]),)
        yield replace(rewritten, along=along), qualified


def _waiting_clients(project: Project, resources: ResourceWriter) -> Clients | None:
    """Return the clients of tests, if they have to be asynchronous."""
    clients = Clients(project)
    if resources.is_loop_bound and resources.can_keep_clients() and clients.are_kept():
        resources.keep_clients()
    return clients if resources.is_loop_bound else None
