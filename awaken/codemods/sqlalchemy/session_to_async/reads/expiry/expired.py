"""Reads after a rollback: a statement before them loads the expired attributes.

Reading them loaded them before. The statement first asks whether the object is expired, so it loads
nothing that would not have been loaded.

One object is checked at its read. If a file has many reads, a function of that file checks them, so
that each place takes one line.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.added_functions import (
    expired_helper,
    imported_name,
)
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import (
    Step,
    below_headers,
    loaded_as_read,
    loop_over,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.kept_objects import KeptObjects
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import ReadOf, items_of
from awaken.codemods.sqlalchemy.session_to_async.reads.expiry.expiring_calls import (
    expiring_calls,
    goes_on_at,
    is_savepoint,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    covers,
    events_before,
    is_added_behind,
    is_conditional,
    is_of_function,
    is_refreshed,
    kind_of,
    mapped_in,
    object_at,
    read_nodes,
    reads_of_object,
    whole_if,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.suites.expiring_requests import ExpiringRequests
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name, root_of, written_name
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import InstanceOf, Value, Values, classes_in, origins_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project

_MANY = 3
"""Places of one file from which on a function pays."""
_MOCKS = (b"Mock",)
_LATE = "reading {} raises, if a call before it in the same statement rolls back"


class Load(Struct, frozen=True):
    """An expression that is read in front of ``statement``, and the session that loads it.

    ``kind`` is ``one`` for an object, ``optional`` where it may be None, ``many`` for a list;
    ``owners`` are its classes.
    ``further`` are the reads of its relationships' objects. An object that ``may_be_lost`` by its
    session is not refreshed. A late one (``is_late``) is read after a call of the same statement
    that expires it: nothing can be loaded between them. Something else may have loaded an object
    that ``is_shared``, without its relationships.
    """

    statement: ast.stmt
    text: str
    session: str
    kind: str
    owners: frozenset[str]
    relationships: frozenset[str] = frozenset()
    further: tuple[Step, ...] = ()
    may_be_lost: bool = False
    is_late: bool = False
    is_shared: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is enough to refresh the object."""
        return not (
            self.relationships or self.may_be_lost or (self.kind == "many" and self.further)
        )


def gets_function(loads: Sequence[Load]) -> bool:
    """Whether what one file loads is worth a function of its own."""
    return sum(load.is_plain for load in loads) >= _MANY


def load_edits(
    site: Site[ast.stmt],
    loads: Sequence[Load],
    *,
    has_mocks: bool,
    has_function: bool,
) -> list[Edit]:
    """Return the edits that load what the statement of ``site`` reads.

    A mock has any attribute, and each is true.
    """
    expired = "expired is True" if has_mocks else "expired"
    item = site.module.fresh_local(site.node, "item", "entry")
    edits: list[Edit] = []
    pieces: list[str] = []
    for is_called, each in groupby(loads, lambda load: has_function and load.is_plain):
        inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
        edits.append(needed)
        if is_called:
            function, brought = expired_helper(site, inspect, expired)
            edits += brought
            pieces += _calls(list(each), function)
        else:
            pieces += [_asked_statement(load, inspect, item, expired) for load in each]
    place = site.module.place(site.node)
    return [site.insert_statements(place, "before", "".join(pieces)), *edits]


def _calls(loads: Sequence[Load], function: str) -> Iterator[str]:
    """Yield the calls of a function that loads: one for what can be evaluated beforehand."""
    # An attribute of an object that is expired is read when that is loaded.
    for (session, is_plain), each in groupby(loads, lambda one: (one.session, "." not in one.text)):
        given = [f"*{load.text}" if load.kind == "many" else load.text for load in each]
        for names in [given] if is_plain else [[argument] for argument in given]:
            yield f"await {function}({', '.join([session, *names])})\n"


def _asked_statement(load: Load, inspect: str, item: str, expired: str) -> str:
    """Return the statement that loads if something is expired."""
    name, clauses = loop_over(load.text, item) if load.kind == "many" else (load.text, [])
    given = f"{name} is not None and " if load.kind == "optional" else ""
    kept = f" and {inspect}({name}).persistent" if load.may_be_lost else ""
    lines = [
        f"if {given}{inspect}({name}).{expired}{kept}:",
        f"    await {load.session}.refresh({name})",
    ]
    if load.relationships:
        names = ", ".join(f'"{relationship}"' for relationship in sorted(load.relationships))
        refresh = f"    await {load.session}.refresh({name}, attribute_names=[{names}])"
        if load.is_shared:
            unloaded = f"{inspect}({name}).persistent and {{{names}}} & {inspect}({name}).unloaded"
            lines.append(f"if {given}{unloaded}:")
        lines.append(refresh)
    code = below_headers("".join(f"{line}\n" for line in lines), *clauses)
    if load.further:
        reading = loaded_as_read(load.session, load.further)
        code += below_headers(reading, f"if {name} is not None") if given else reading
    return code


class ExpiredReads:
    """The loads for the reads of one program after ``rollback`` and ``expire_all``.

    ``loading`` knows what is loaded with each object of a class, and so is when it is refreshed.
    """

    def __init__(self, project: Project, rule: str, loading: Loading) -> None:
        self._project = project
        self._loaded = loading.loaded_with_objects
        self._kept = KeptObjects(project, loading)
        self._rule = rule
        self._read_of = ReadOf(project)
        self._states = Persistence(project)
        self._key = object()
        self._has_mocks = any(map(is_test_file, project.files_with(_MOCKS)))
        commits = project.orm.commits
        events = [commit for commit in commits.expiring() if not commit.is_async]
        shared = list(ExpiringRequests(project, events).calls())
        self._sessions = {session.commit.place: session.session for session in shared}
        called = expiring_calls(project, [commit.place for commit in events])
        events += [session.commit for session in shared]
        events += [Commit(place, is_async=False) for place in called if place not in self._sessions]
        self._called = frozenset(called) - self._sessions.keys()
        # How functions name their sessions: many reads of one ask for the same.
        self._events = groups_of((event.place for event in events), attrgetter("path"))
        self._reads = events_before(commits.read_in_functions(events))
        self._statements = {
            module.path: sorted({module.place(load.statement) for load in loads})
            for module, loads in self._all()
        }

    def places(self) -> frozenset[Place]:
        """Return the statements in front of which something is loaded."""
        return frozenset(place for places in self._statements.values() for place in places)

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of these statements."""
        for module, loads in self._all():
            has_function = gets_function(loads)
            for statement, each in groups_of(loads, lambda load: load.statement).items():
                site = Site(self._rule, module, statement)
                shown = " and ".join(f"`{item.text}`" for item in each)
                edits = load_edits(site, each, has_mocks=self._has_mocks, has_function=has_function)
                message = f"reloads {shown} first, because a rollback may have expired it"
                late = [f"`{candidate.text}`" for candidate in each if candidate.is_late]
                caveats = [_LATE.format(name) for name in dict.fromkeys(late)]
                yield Member(site, Rewrite(message, edits, caveats), shown)

    # ------------------------------------------------------------------------------------ reads
    def _all(self) -> Iterator[tuple[Module, list[Load]]]:
        for module in self._project.modules_at(sorted({*self._reads, *self._events})):
            # By a key of its own: who remembers the file must not be remembered by it.
            yield module, module.memoize(self._key, lambda: list(self._in_file(module)))  # noqa: B023

    def _in_file(self, module: Module) -> Iterator[Load]:
        reads = self._reads[module.path]
        kept: list[Load] = []
        behind = sorted(place.span.end for place in self._events.get(module.path, ()))
        relationships: defaultdict[object, frozenset[str]] = defaultdict(frozenset)
        further: defaultdict[object, dict[Step, None]] = defaultdict(dict)
        late = set[tuple[ast.stmt, str]]()
        for node in read_nodes(module, reads):
            loads: list[Load] = []
            for result, event in self._first_loads(module, node, reads[module.place(node)]):
                relationships[_variable(module, result)] |= result.relationships
                further[_variable(module, result)] |= dict.fromkeys(result.further)
                if _is_late(module, event, node):
                    late.add((result.statement, result.text))
                loads += [*_set_before(module, result, event), result]
            for load in loads:
                text, statement = load.text, load.statement
                if not any(
                    candidate.text == text
                    and covers(module, candidate.statement, statement, text, behind)
                    and (candidate.statement is statement or (statement, text) not in late)
                    for candidate in kept
                ):
                    kept.append(load)
        for item in kept:
            variable = _variable(module, item)
            yield replace(
                item,
                relationships=relationships[variable],
                further=tuple(further[variable]),
                is_shared=_is_shared(module, item, kept),
                is_late=(item.statement, item.text) in late,
            )

    def _first_loads(
        self, module: Module, node: ast.Attribute | ast.Name, places: list[Place]
    ) -> list[tuple[Load, ast.Call]]:
        """Return what is loaded for a read, each with the event that makes it so."""
        events = [call for place in places for call in module.calls_at(place.span)]
        # One of the same statement first: nothing can be loaded between them.
        events.sort(key=lambda call: not _is_late(module, call, node))
        for event in events:
            if loads := self._loads(module, node, event):
                return [(load, event) for load in loads]
        return []

    def _loads(self, module: Module, name: ast.Attribute | ast.Name, event: ast.Call) -> list[Load]:
        statement, function = module.statement_of(name), module.enclosing_def(name)
        if statement is None or function is None or function is not module.enclosing_def(event):
            return []
        place = module.place(event)
        session = self._session(module, function, event, place)
        if not session or not is_of_function(module, name, function):
            return []
        if is_savepoint(module, event) and not goes_on_at(self._project, module, event, name):
            return []
        is_own = place not in self._sessions and place not in self._called
        if not is_own and is_added_behind(module, name, event):
            return []
        node, values = object_at(self._project, module, name)
        kind = kind_of(self._project, values)
        is_read = reads_of_object(module, node, is_many=kind == "many")
        if not kind and is_read:
            first = whole_if(module, statement)
            return [
                # A refresh loads the others.
                Load(
                    first,
                    each.text,
                    session,
                    each.kind,
                    each.owners,
                    each.names.difference(*map(self._loaded, each.owners)),
                    tuple(self._column_reads(module, node, each.reads)),
                )
                for each in self._kept.objects_at(module, node, values)
            ]
        if not kind or not (is_read or _is_deleted(module, node)):
            return []
        text, names = module.text_of(node), self._relationships(module, node, values, kind)
        above = module.parent(node)
        # Attributes that a property reads are loaded with the object.
        own = names & {above.attr} if isinstance(above, ast.Attribute) else names
        if not own and is_refreshed(module, statement, module.span(event).end, text):
            return []
        first = whole_if(module, statement)
        if kind == "one" and is_conditional(module, node, first):
            # Facts at the read need not hold before the statement.
            kind = "optional"
        further = self._read_of.along(module, node, values) if kind != "many" else ()
        # Its own relationships are refreshed; their objects are in the session already, and are
        # not.
        steps = [step for step in further if step.text != text and self._is_kept(step)]
        is_many, owners = kind == "many", mapped_in(self._project, values)
        read = self._read_of.names(module, node, values, is_many=is_many)
        of_own = [Step(text, name, tuple(sorted(owners)), is_many) for name in sorted(read)]
        is_new = not is_many and any(isinstance(x, InstanceOf) and self._is_made(x) for x in values)
        steps += [
            *self._column_reads(module, node, of_own, is_new=is_new),
            *self._column_reads(module, node, steps),
        ]
        may_be_lost = kind != "many" and self._states.may_be_expunged(module, node, text)
        return [Load(first, text, session, kind, owners, names, tuple(steps), may_be_lost)]

    def _column_reads(
        self, module: Module, node: ast.expr, reads: Iterable[Step], *, is_new: bool = False
    ) -> Iterator[Step]:
        """Yield the reads of a column of expired objects that no refresh of their owners loads.

        They are what new objects hold, and what another variable holds: that stays in the session.
        """
        orm, others = self._project.orm, self._other_classes(module, node)
        for text, name, owners, is_many, _ in reads:
            for owner in owners:
                target = orm.models.target_of(owner, name)
                mapped = None if target is None else orm.mapped_class(target)
                is_collection = orm.is_collection(owner, name) is True
                is_held = is_new or (not is_collection and target in others)
                if target is None or mapped is None or not is_held:
                    continue
                way = f"{text}.{name}"
                if is_many:
                    way = f"[each.{name} for each in {text} if each.{name} is not None]"
                for column in [*mapped.columns][:1]:
                    yield Step(way, column, (target,), is_many or is_collection)

    def _other_classes(self, module: Module, node: ast.expr) -> frozenset[str]:
        """Return the classes of the objects that other variables of a function hold."""
        function, own = module.enclosing_def(node), written_name(root_of(node))
        key = self._key, function
        held = module.memoize(key, lambda: [*self._held_in(module, function)])
        return frozenset(name for variable, name in held if variable != own)

    def _held_in(self, module: Module, function: Function | None) -> Iterator[tuple[str, str]]:
        """Yield the variables of a function, each with a class of what it holds."""
        for name in () if function is None else module.nodes_below(function, ast.Name):
            for owner in mapped_in(
                self._project, self._project.values.of(module, name).alternatives
            ):
                yield from ((name.id, each) for each in self._project.orm.mapping_ancestors(owner))

    def _is_made(self, value: Value) -> bool:
        """Whether an object is one that the program makes, and no statement loads."""
        places = (origin.place for origin in origins_of([value]))
        calls = (pair for place in places for pair in self._project.calls_at(place))
        names = (self._project.qualified_name(module, call.func) for module, call in calls)
        return any(self._project.orm.mapped_class(name) is not None for name in names)

    def _is_kept(self, step: Step) -> bool:
        """Whether a read is one of a relationship."""
        result = map(self._project.orm.mapped_class, step.owners)
        return any(model is not None and step.name in model.relationships for model in result)

    def _session(self, module: Module, function: Function, event: ast.Call, place: Place) -> str:
        """Return how a function names the session in which an event expires objects."""
        if place in self._called:
            return self._project.orm.operations.session_variable(module, function)
        session = self._sessions.get(place, "")
        if not session and isinstance(event.func, ast.Attribute):
            # The rollback of a transaction does not name its session.
            owner = event.func.value
            if isinstance(self._project.orm.session_of(module, owner), SessionProof):
                return module.text_of(owner)
            session = self._project.orm.operations.session_variable(module, function)
        return session

    def _relationships(
        self, module: Module, node: ast.expr, values: Values, kind: str
    ) -> frozenset[str]:
        """Return the relationships that are read of an object, or of all items of what has many."""
        above = module.parent(node)
        named = {above.attr} if isinstance(above, ast.Attribute) else set[str]()
        names = self._read_of.names(module, node, values, is_many=kind == "many")
        result = set[str]()
        for owner in classes_in(items_of(values) if kind == "many" else values):
            facts = self._project.orm.mapped_class(owner)
            if facts is not None:
                loaded = set(self._loaded(owner)) - named
                result |= names.intersection(facts.relationships).difference(loaded)
        return frozenset(result)


def _set_before(module: Module, load: Load, event: ast.Call) -> Iterator[Load]:
    """Yield loads in front of what sets attributes between an event and a read of an object.

    If loaded after that, the object would lose its new value.
    """
    above = module.parent(module.parent(event) or event)
    ended = above if isinstance(above, ast.With) else event
    start, end = module.span(ended).end, module.span(load.statement).start
    for node in module.walk(module.enclosing_def(event)) if load.kind != "many" else ():
        match node:
            case ast.Attribute(value=held, ctx=ast.Store()) if (
                start <= module.span(node).start < end and module.text_of(held) == load.text
            ):
                statement = module.statement_of(node)
                if statement is not None:
                    yield replace(load, statement=whole_if(module, statement))


def _is_deleted(module: Module, node: ast.AST) -> bool:
    """Whether an object is deleted: a load for that would leave its columns expired."""
    match module.parent(node):
        case ast.Call(func=ast.Attribute(attr="delete")):
            return True
    return False


def _variable(module: Module, load: Load) -> object:
    """Return what tells an expression of one function from others that look like it."""
    return module.enclosing_def(load.statement), load.text


def _is_shared(module: Module, load: Load, others: Sequence[Load]) -> bool:
    """Whether something else of a function may have the object, and load it in part before."""
    function = module.enclosing_def(load.statement)
    same = [x for x in others if x.owners & load.owners]
    texts = {x.text for x in same if module.enclosing_def(x.statement) is function}
    for node in module.walk(function) if function is not None else ():
        if isinstance(node, ast.Call) and node.args and last_name(node.func) == "refresh":
            texts.add(module.text_of(node.args[0]))
    return not texts <= {load.text}


def _is_late(module: Module, event: ast.Call, node: ast.expr) -> bool:
    """Whether a read follows a call in its own statement."""
    is_block = isinstance(module.parent(event), ast.withitem)
    is_behind = module.span(event).end <= module.span(node).start
    return is_behind and not is_block and module.statement_of(event) is module.statement_of(node)
