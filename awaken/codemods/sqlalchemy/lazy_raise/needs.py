"""The reads of a relationship: what each needs, so that it works without loading."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.codemods.sqlalchemy.lazy_raise import reasons
from awaken.contract import Place
from awaken.kit.eager_loads import plan_loads
from awaken.kit.eager_loads.plain_reasons import plainly
from awaken.kit.eager_loads.refreshes import Reload, loading_calls, reloads_after
from awaken.kit.relationships.intervening_writes import Writes
from awaken.kit.relationships.readers import Readers
from awaken.kit.relationships.sides import Key, Side
from awaken.kit.sites import Refused, shown_place, shown_places
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Trace, Wanted
from awaken.project.source.modules import Module
from awaken.project.source.trees import Loop, Repeating, last_name
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.effects.places.events_between import Event
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read

# The database, or other code, may have changed it: the object is loaded again as it was then.
_LOADS_AGAIN = {"commit", "rollback", "expire", "unknown", "yield"}
_AWAITED = {"awaitable", "run_sync"}


class Needs(Struct, frozen=True):
    """The loads that the reads of one side need.

    ``traces`` are to be loaded by their statements. Some callers of those at ``shared`` do not read
    it. ``on_sql`` are the reads, each with a clause, that only ``raise_on_sql`` keeps working.
    ``reads`` counts all of them.
    """

    traces: tuple[Trace, ...]
    shared: tuple[Place, ...]
    on_sql: tuple[tuple[Place, str], ...]
    reads: int


class _Judged(Struct):
    traces: dict[Trace, None] = field(default_factory=dict)
    shared: dict[Place, None] = field(default_factory=dict)
    on_sql: dict[Place, str] = field(default_factory=dict)


class Reads:
    """The reads of some sides in a program, by the relationship that they read."""

    def __init__(self, project: Project, sides: Iterable[Side]) -> None:
        self._project = project
        self._writes = Writes(project)
        self._by_key: dict[Key, list[Read]] = {}
        self._unknown: dict[str, list[Read]] = {}
        # Classes of which an object gives all to a reader that may read anything of it.
        self._given_whole: dict[str, Read] = {}
        wanted = Wanted(frozenset((ANY, *(side.key[1] for side in sides))))
        reads = project.orm.reads.reads_of(wanted)
        self._readers = Readers(project, reads)
        for read in reads:
            if read.owner and read.attribute == ANY:
                self._given_whole.setdefault(read.owner, read)
            elif read.owner:
                self._by_key.setdefault((read.owner, read.attribute), []).append(read)
            else:
                self._unknown.setdefault(read.attribute, []).append(read)

    def needs(self, side: Side) -> Needs:
        """Return what the reads of a side need. Raises Refused."""
        own = self._by_key.get(side.key, [])
        self._refuse_awaited(side, own)
        self._refuse_unknown_objects(side)
        self._refuse_given_whole(side)
        untraced = [read for read in own if not read.is_traced]
        if untraced:
            raise self._refused_load(side, untraced)
        result = _Judged()
        for read in own:
            for trace in read.traces:
                self._judge(side, read, trace, result)
        on_sql = tuple(result.on_sql.items())
        return Needs(tuple(result.traces), tuple(result.shared), on_sql, len(own))

    # ------------------------------------------------------------------------------- refusals
    def _refuse_awaited(self, side: Side, own: Sequence[Read]) -> None:
        unknown = self._unknown.get(side.key[1], [])
        places = [read.place for read in (*own, *unknown) if read.how in _AWAITED]
        if places:
            shown = shown_places(self._project, places)
            said = f"the read at {shown} loads `{side.key[1]}`"
            raise Refused(reasons.AWAITED, said, because=tuple(places))

    def _refuse_unknown_objects(self, side: Side) -> None:
        attribute = side.key[1]
        # Every other parsed file counts too: the search for reads needed them all.
        reading = self._project.orm.reads.files_reading(attribute)
        broken = [path for path in reading if path in self._project.parse_failures]
        if broken:
            detail = f"`{broken[0]}` does not parse, so it may read `{attribute}`"
            raise Refused(reasons.UNKNOWN_OBJECT, detail)
        reads = [
            read
            for read in self._unknown.get(attribute, [])
            if not self._is_no_relationship(read, side)
        ]
        if not reads:
            return
        places = [read.place for read in reads]
        shown, why = shown_places(self._project, places), reads[0].unknown[0]
        detail = (
            f"`{attribute}` is read at {shown}, on an object that may be an instance of "
            f"`{side.key[0].rpartition('.')[2]}`: {plainly(why)}"
        )
        because = tuple(dict.fromkeys((*places, why.place)))
        raise Refused(reasons.UNKNOWN_OBJECT, detail, because=because)

    def _refuse_given_whole(self, side: Side) -> None:
        """Refuse a side of a class of which anything may be read, as by an unseen template."""
        for owner, read in self._given_whole.items():
            facts = self._project.orm.models.relationship(owner, side.key[1])
            if facts == side.declared.facts:
                why = read.unknown[0]
                shown = shown_place(self._project, read.place)
                detail = (
                    f"{shown} may read all attributes of the "
                    f"`{owner.rpartition('.')[2]}`: {plainly(why)}"
                )
                raise Refused(reasons.UNKNOWN_LOAD, detail, because=(read.place, why.place))

    def _refused_load(self, side: Side, untraced: Sequence[Read]) -> Refused:
        places = [read.place for read in untraced]
        shown, why = shown_places(self._project, places), untraced[0].unknown[0]
        verb = "reads" if len(set(places)) == 1 else "read"
        detail = (
            f"{shown} {verb} `{side.key[1]}`, and awaken did not find the statement that "
            "loads the object: "
        )
        because = tuple(dict.fromkeys((*places, why.place)))
        return Refused(reasons.UNKNOWN_LOAD, detail + plainly(why), because=because)

    def _is_no_relationship(self, read: Read, side: Side) -> bool:
        """Whether a read cannot be of the relationship, whatever the object is.

        It is called, and neither collections nor objects of the target can be.
        """
        module, node = self._node(read.place)
        if module is None or node is None or module.call_of(node) is None:
            return False
        target = side.declared.facts.target
        mapped = None if target is None else self._project.orm.mapped_class(target)
        facts = None if mapped is None else self._project.class_facts(mapped.qualified)
        return facts is not None and "__call__" not in facts.members

    # ---------------------------------------------------------------------------------- traces
    def _judge(self, side: Side, read: Read, trace: Trace, judged: _Judged) -> None:
        """Note what one way from a load to a read needs. Raises Refused."""
        events = self._events_between(read, trace)
        for event in events:
            if event.kind == "expire" and self._is_by_name(event):
                shown = shown_place(self._project, event.place)
                detail = f"{shown} may expire `{side.key[1]}` by its name"
                raise Refused(reasons.EXPIRED_BY_NAME, detail, because=(read.place, event.place))
        if trace.load.kind == "new" and len(trace.path) == 1:
            self._judge_new(side, read, trace, events, judged)
        elif self._leads_back(read, trace):
            judged.on_sql.setdefault(
                read.place, "the session already holds the object at its other end"
            )
        else:
            self._refuse_put(side, read, trace)
            self._refuse_stale(side, read, trace)
            if trace.load.kind == "new":
                self._load_made(side, read, trace, events, judged)
                return
            again = [event for event in events if event.kind in _LOADS_AGAIN]
            reloads = self._load_again(trace, again, judged)
            if reloads is None:
                judged.on_sql.setdefault(read.place, self._said_text(again[0]))
            if not self._are_always_before(reloads or (), read, trace):
                judged.traces[trace] = None
                if self._is_shared(side, trace):
                    judged.shared[trace.load.place] = None

    def _load_again(
        self, trace: Trace, events: Iterable[Event], judged: _Judged
    ) -> Sequence[Reload] | None:
        """Note the loads after events that expire an object; return None if one has no load."""
        reloads = reloads_after(self._project, trace, events)
        judged.traces |= dict.fromkeys(Trace(load, trace.path) for load in reloads or ())
        return reloads

    def _are_always_before(self, reloads: Iterable[Reload], read: Read, trace: Trace) -> bool:
        """Whether the object is loaded again in front of each read, all in one function."""
        module, call, _ = self._in_one_function(read, trace)
        function = None if module is None or call is None else module.enclosing_def(call)
        return module is not None and any(
            module.parent(module.statement_of(commit) or commit) is function
            for reload in reloads
            if reload.place.path == module.path
            for commit in module.calls_at(reload.place.span)
        )

    def _is_shared(self, side: Side, trace: Trace) -> bool:
        """Whether others pay for a load, who get objects of the same statement."""
        is_read = self._readers.are_all(trace.load.place, trace.path[-1])
        return not is_read and not self._is_present(side, trace)

    def _is_present(self, side: Side, trace: Trace) -> bool:
        """Whether the statement loads it already."""
        return trace in plan_loads(side.site.rule, self._project, [trace]).present

    def _refuse_put(self, side: Side, read: Read, trace: Trace) -> None:
        """Refuse a load that misses objects which are put among the others by hand."""
        put = self._writes.put_between(trace, read)
        if put is None:
            return
        shown, at = shown_place(self._project, put), shown_place(self._project, read.place)
        detail = (
            f"the objects that arrive at {shown} do not have `{side.key[1]}` loaded, "
            f"and {at} reads it"
        )
        raise Refused(reasons.NOT_LOADED, detail, because=(read.place, put))

    def _refuse_stale(self, side: Side, read: Read, trace: Trace) -> None:
        """Refuse a load that would be older than what the program writes before the read."""
        written = self._writes.write_between(trace, read)
        if written is None or self._is_present(side, trace):
            return
        shown = shown_place(self._project, written)
        at = shown_place(self._project, read.place)
        detail = f"the write at {shown} may change `{side.key[1]}` before {at} reads it"
        raise Refused(reasons.WRITTEN_BEFORE, detail, because=(read.place, written))

    def _judge_new(
        self, side: Side, read: Read, trace: Trace, events: Sequence[Event], judged: _Judged
    ) -> None:
        """Note what the read of a new object needs. Raises Refused."""
        made = next(iter(self._project.calls_at(trace.load.place)), None)
        _, _, node = self._in_one_function(read, trace)
        if made is not None and node is not None and not events and self._is_transient(*made, node):
            return
        # The next commit expires the loads of a refresh: a new object has no options.
        last = self._last_load(read, trace)
        is_refreshed = last is not None and last_name(last[1].func) == "refresh"
        is_same = not is_refreshed and not any(event.kind in _LOADS_AGAIN for event in events)
        if is_same and self._is_given(side, trace):
            return
        self._refuse_stale(side, read, trace)
        self._load_made(side, read, trace, events, judged)

    def _load_made(
        self, side: Side, read: Read, trace: Trace, events: Sequence[Event], judged: _Judged
    ) -> None:
        """Note the load of an object that the program makes. Raises Refused."""
        _, _, node = self._in_one_function(read, trace)
        last = self._last_load(read, trace)
        after: Iterable[Event] = ()
        if last is not None and node is not None:
            after = self._project.effects.events_between(*last, node)
        elif last is not None:
            after = _events_after(*last, events)
        if last is not None and not any(event.kind in _LOADS_AGAIN for event in after):
            judged.traces[trace] = None
            return
        again = [event for event in events if event.kind in _LOADS_AGAIN]
        if not self._load_again(trace, again, judged):
            at = trace.load.place
            shown = shown_place(self._project, at)
            detail = f"{shown} makes the object, and nothing loads `{side.key[1]}` before the read"
            raise Refused(reasons.NOT_LOADED, detail, because=(read.place, at))

    def _last_load(self, read: Read, trace: Trace) -> tuple[Module, ast.Call] | None:
        """Return the last call in its function after which an object of one class can be loaded.

        It is before the read of the object, if that is in the same function.
        """
        _, _, node = self._in_one_function(read, trace)
        for module, made in self._project.calls_at(trace.load.place)[:1]:
            if len(self._project.instance_of(module, made)) == 1:
                calls = [
                    call
                    for call in loading_calls(self._project, module, made)
                    if node is None or module.span(call).start < module.span(node).start
                ]
                last = max(calls, key=lambda call: module.span(call).start, default=None)
                return None if last is None else (module, last)
        return None

    def _leads_back(self, read: Read, trace: Trace) -> bool:
        """Whether the way leads back to an object that is held while it is read."""
        if len(trace.path) < len("to"):
            return False
        owner, _, attribute = trace.path[-2].rpartition(".")
        inverse = self._project.orm.reads.inverse_of(owner, attribute)
        if inverse is None or not inverse.by_key or inverse.attribute != read.attribute:
            return False
        module, call, node = self._in_one_function(read, trace)
        if module is None or call is None or node is None:
            return False
        way = {path.rpartition(".")[2] for path in trace.path[:-1]}
        return _is_held(module, call, node, way)

    def _said_text(self, event: Event) -> str:
        shown = shown_place(self._project, event.place)
        if event.kind == "unknown":
            why = plainly(Unknown(event.why, event.place))
            return f"the object may or may not be expired at {shown} ({why})"
        if event.kind == "yield":
            return f"other code runs at {shown}"
        return (
            f"the program reloads the object after the {event.kind} at {shown}, "
            "and the read raises if another statement reloads it first"
        )

    def _is_by_name(self, event: Event) -> bool:
        calls = self._project.calls_at(event.place)
        return any(len(call.args) + len(call.keywords) > 1 for _, call in calls)

    def _events_between(self, read: Read, trace: Trace) -> tuple[Event, ...]:
        """Return what may happen between load and read."""
        module, call, node = self._in_one_function(read, trace)
        if module is None or call is None or node is None:
            return self._project.orm.reads.between_load_and_read(trace, read)
        return self._project.effects.events_between(module, call, node)

    def _is_given(self, side: Side, trace: Trace) -> bool:
        """Whether a new object gets the value of a read when it is made."""
        calls = self._project.calls_at(trace.load.place)[:1]
        return any(keyword.arg == side.key[1] for _, call in calls for keyword in call.keywords)

    def _in_one_function(
        self, read: Read, trace: Trace
    ) -> tuple[Module, ast.Call, ast.expr] | tuple[None, None, None]:
        """Return load and read with their file, if both are in one function."""
        place = trace.load.place
        module, node = self._node(read.place)
        calls = [] if module is None or module.path != place.path else module.calls_at(place.span)
        if module is None or node is None or not calls:
            return None, None, None
        function = module.enclosing_function(calls[0])
        if function is None or function is not module.enclosing_function(node):
            return None, None, None
        return module, calls[0], node

    def _is_transient(self, module: Module, made: ast.Call, node: ast.expr) -> bool:
        """Whether a new object is read before any session can have flushed it.

        A query flushes as well: no method of a session is called between the two.
        """
        start, end = module.span(made).end, module.span(node).start
        around = [ancestor for ancestor in module.ancestors(node) if isinstance(ancestor, Loop)]
        if any(not module.span(part).contains(module.span(made)) for part in around):
            return False
        between = (
            call
            for call in module.nodes_below(module.enclosing_function(made), ast.Call)
            if start <= module.span(call).start < end
        )
        return start <= end and not any(
            self._project.orm.may_call_session(module, call) for call in between
        )

    def _node(self, place: Place) -> tuple[Module | None, ast.expr | None]:
        """Return the expression at a place of Python code."""
        return next(self._project.expressions_at(place), (self._project.module(place.path), None))


def _events_after(module: Module, call: ast.Call, events: Sequence[Event]) -> Iterator[Event]:
    """Yield the events that may come after a call: not those before it in its function."""
    around, span = module.enclosing_function(call), module.span(call)
    here = module.span(module.tree if around is None else around)
    if any(isinstance(above, Repeating) for above in module.ancestors_inside(call)):
        yield from events
        return
    for event in events:
        places = (place for place in (event.place, *event.chain) if place.path == module.path)
        if not any(here.contains(place.span) and place.span.end <= span.end for place in places):
            yield event


def _is_held(module: Module, call: ast.Call, node: ast.expr, way: set[str]) -> bool:
    """Whether a variable holds what ``call`` loads, and not what ``way`` leads to, at ``node``."""
    statement = module.statement_of(call)
    match statement:
        case ast.Assign(targets=[ast.Name() as name], value=value):
            is_bound = len(module.scopes.bindings_of(name)) == 1
        case ast.For(iter=value) | ast.AsyncFor(iter=value):
            is_bound = module.span(statement).contains(module.span(node))
        case _:
            return False
    inside = [part.attr for part in module.nodes_below(value, ast.Attribute)]
    return is_bound and way.isdisjoint(inside)
