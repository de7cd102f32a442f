"""Relationships that are read after a commit, of objects from before it: they are reloaded.

A synchronous session expires them when it commits, so that the next read gives the database's
value. So does a request of a test that shares its session. An object that a factory made and
flushed has no loaded relationships either, until they are read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import inf
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import (
    Step,
    below_headers,
    expired_items,
    loaded_as_read,
    loop_over,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.changed_columns import (
    ChangedColumns,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.converted_values import (
    ConvertedValues,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.kept_objects import KeptObjects
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import (
    ReadOf,
    RequestedObjects,
    items_of,
    kept_steps,
    leads_back,
    read_of_made,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
from awaken.codemods.sqlalchemy.session_to_async.reads.new_objects import (
    is_surely_added,
    written_behind,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    covers,
    dominates,
    events_before,
    is_of_function,
    is_refreshed,
    kind_of,
    loaded_once,
    mapped_in,
    may_be_missing,
    object_at,
    read_nodes,
    whole_if,
    writing_loop,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence, Reload
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit, Later
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, Loop, last_name
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import Values, classes_in, origins_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import SharedSessions

_SESSION_OF = "sqlalchemy.ext.asyncio.async_object_session"


class _Read(Struct, frozen=True):
    """A read of ``name`` of what ``text`` says, in front of which ``statement`` it is loaded.

    Of all its items, if it is ``is_many``. ``further`` is read of what that gives, which may have
    been new, or loses a side when the other one is refreshed. It ``may_be_detached``, if a request
    of a test may have closed its session meanwhile. A statement that commits under a condition has
    it loaded ``behind`` it: where nothing was committed, nothing was expired. ``reading`` is the
    statement that reads it. It ``is_unloaded`` if the program refreshes its object. The object
    ``may_be_transient``, if maybe nothing added it. Of a ``loop`` that writes and does not commit,
    the first run loads it, and the others have that. How it is loaded depends on the
    classes of the objects: ``reload``.
    """

    statement: ast.stmt
    text: str
    name: str
    session: str
    is_optional: bool
    is_many: bool
    may_be_detached: bool
    further: tuple[Step, ...] = ()
    behind: bool = False
    reading: ast.stmt | None = None
    is_unloaded: bool = False
    may_be_transient: bool = False
    loop: ast.stmt | None = None
    reload: Reload = Reload()


class ReadsAfterCommits:
    """The loads for such reads in one program.

    ``later`` are the loads after commits, and ``shared`` the sessions of tests that requests
    commit.
    """

    def __init__(
        self,
        rule: str,
        loading: Loading,
        later: Iterable[Later],
        shared: SharedSessions,
        writes: Writes,
    ) -> None:
        project = self._project = writes.project
        self._rule = rule
        self._loading = loading
        self._read_of = ReadOf(project)
        self.kept = KeptObjects(project, loading)
        self.converted = ConvertedValues(project)
        self.changed = ChangedColumns(project, loading, later)
        self._writes = writes
        self._states = Persistence(project)
        self._key = object()
        self._are_closed = shared.are_closed
        self._sent = frozenset(shared.requests())
        sent = [Commit(entry, is_async=False) for entry in sorted(self._sent)]
        reads = (*later, *project.orm.commits.read_in_functions(sent))
        # The question's place knows the callers' arguments.
        self._places = events_before(item for item in reads if item.kind != "load")
        for place, event in (*read_of_made(project), *RequestedObjects(project).read()):
            self._places[place.path].setdefault(place, []).append(event)
        self._statements = {
            module.place(read.statement)
            for module, reads in self._all()
            for read in reads
            if not read.behind
        }

    def places(self) -> frozenset[Place]:
        """Return the statements in front of which something is loaded."""
        return frozenset(self._statements)

    def commits(self) -> dict[Place, list[Place]]:
        """Return the reads, each with the commits before it."""
        return {place: each for places in self._places.values() for place, each in places.items()}

    def members(self, expired: frozenset[Place]) -> Iterator[Member]:
        """Yield what is written in front of these statements.

        In front of those that are ``expired`` something loads what a rollback has expired.
        """
        for module, reads in self._all():
            by_statement = groups_of(reads, lambda read: (read.statement, read.behind))
            for (statement, _), each in by_statement.items():
                function = module.enclosing_def(statement)
                span = module.span(function or module.tree)
                is_expired = any(x.path == module.path and span.contains(x.span) for x in expired)
                yield self._member(Site(self._rule, module, statement), each, is_expired)

    def _member(self, site: Site[ast.AST], reads: list[_Read], is_expired: bool) -> Member:
        code, imports = "", list[Edit]()
        groups = [*groups_of(reads, lambda read: read.text).values()]
        for each in groups:
            line, needed = self._loaded_pair(site, each, is_expired)
            back = [step for read in each for step in read.further[:1] if step.text == read.text]
            if back and each[0].session and each is not groups[-1]:
                # Options of the statement may have loaded the other side, which resets this one.
                line += loaded_as_read(each[0].session, back)
            if (loop := each[0].loop) is not None and not each[0].behind:
                line, edit = loaded_once(site, loop, f"{each[0].text}.{each[0].name}", line)
                needed = [*needed, edit]
            code, imports = code + line, imports + needed
        for root, each in groups_of(reads, lambda read: read.text.partition(".")[0]).items():
            steps = [step for read in each for step in read.further]
            if steps and each[0].session:
                item = site.module.fresh_local(site.node, "item", "entry")
                line = expired_items(each[0].session, steps, item)
                line += loaded_as_read(each[0].session, steps)
                owner = [replace(read, text=root, is_many=False) for read in each]
                tests, needed = self._tests(site, owner, root)
                code, imports = code + below_headers(line, *tests), imports + needed
        shown = " and ".join(dict.fromkeys(f"`{entry.text}.{entry.name}`" for entry in reads))
        message = f"reloads {shown} after the commit, as before"
        place = site.module.place(site.node)
        where: Literal["after", "before"] = "after" if reads[0].behind else "before"
        edits = [site.insert_statements(place, where, code), *imports]
        return Member(site, Rewrite(message, edits), shown)

    def _loaded_pair(
        self, site: Site[ast.AST], reads: list[_Read], is_expired: bool
    ) -> tuple[str, list[Edit]]:
        """Return what loads the reads of one object, or of the items of one collection."""
        first, imports = reads[0], list[Edit]()
        text = item = first.text
        session, clauses = first.session, list[str]()
        if first.is_many:
            item, clauses = loop_over(text, site.module.fresh_local(site.node, "item", "entry"))
        if not session:
            function, imports = name_from_same_module(self._project, site, None, _SESSION_OF)
            session = f"{function}({item})"
        line, needed_names = self._refreshed(site, reads, session, item)
        imports = [*imports, *needed_names]
        if first.behind and is_expired:
            # Refreshed in part, it counts as loaded: the columns of a rollback would be missed.
            whole, more = self._refreshed_whole(site, session, item)
            line, imports = whole + line, [*imports, *more]
        tests, needed = self._tests(site, reads, item)
        imports, line = [*imports, *needed], below_headers(line, *tests)
        if first.is_many:
            line = below_headers(line, *clauses)
            if all(read.is_optional for read in reads):
                line = below_headers(line, f"if {text} is not None")
        if first.is_unloaded:
            owner, _, name = text.rpartition(".")
            line = loaded_as_read(session, [Step(owner, name, ())]) + line
        return line, imports

    def _tests(
        self, site: Site[ast.AST], reads: list[_Read], item: str
    ) -> tuple[list[str], list[Edit]]:
        """Return the header under which an object can be loaded again, if any, and imports."""
        first, tests, imports = reads[0], list[str](), list[Edit]()
        if not first.is_many and all(read.is_optional for read in reads):
            tests = [f"{first.text} is not None"]
        if first.session and any(read.may_be_detached for read in reads):
            tests.append(f"{item} in {first.session}")
        # A test may have a mock give one that is in no session, and loads nothing.
        elif not (first.session or is_around_tests(site.module.path)) or any(
            read.may_be_transient
            or self._states.may_be_lost(site.module, read.reading or site.node, first.text)
            for read in reads
        ):
            inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
            tests.append(f"{inspect}({item}).persistent")
            imports = [needed]
        return [f"if {' and '.join(tests)}"] if tests else [], imports

    def _refreshed_whole(
        self, site: Site[ast.AST], session: str, item: str
    ) -> tuple[str, list[Edit]]:
        """Return what loads an object again after a call that may commit, and its imports."""
        code = f"await {session}.refresh({item})\n"
        if not self._states.holds_back:
            return code, []
        # An object with changes was not committed, and a refresh would discard them.
        inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
        return below_headers(code, f"if not {inspect}({item}).modified"), [needed]

    def _refreshed(
        self, site: Site[ast.AST], reads: list[_Read], session: str, item: str
    ) -> tuple[str, list[Edit]]:
        """Return what loads attributes of an object again, and its imports."""
        words = {read.name for read in reads}
        # Without autoflush a refresh discards what was changed by then.
        is_held = self._states.holds_back and self._may_be_set(
            site, words, is_many=reads[0].is_many
        )
        is_part = is_held or any(read.reload.is_part for read in reads)
        reload = Reload(is_part, any(read.reload.by_reading for read in reads))
        return self._states.refresh_code(site, session, item, words, reload)

    def _may_be_set(self, site: Site[ast.AST], names: set[str], *, is_many: bool) -> bool:
        """Whether a loop around may have set an attribute, or another name of one of many objects.

        The functions that it calls may have done so, too.
        """
        module, function = site.module, site.module.enclosing_def(site.node)
        loops = [x for x in module.ancestors(site.node) if isinstance(x, ast.For | ast.While)]
        around = [function or module.tree] if is_many else loops
        bodies = self._project.calls.run_inside(module, around)
        parts = [*((module, part) for part in around), *bodies]
        return any(_sets(home, part, names) for home, part in parts)

    # ---------------------------------------------------------------------------------- reads
    def _all(self) -> Iterator[tuple[Module, list[_Read]]]:
        for module in self._project.modules_at(sorted(self._places)):
            # By a key of its own: who remembers the file must not be remembered by it.
            yield module, module.memoize(self._key, lambda: self._in_file(module))  # noqa: B023

    def _in_file(self, module: Module) -> list[_Read]:
        places = self._places[module.path]
        kept: list[_Read] = []
        behind = sorted({event.span.end for events in places.values() for event in events})
        for node in read_nodes(module, places):
            events = places[module.place(node)]
            for read in self._reads(module, node, events):
                number = next(
                    (n for n, item in enumerate(kept) if _covers(module, item, read, behind)), None
                )
                if number is not None:
                    further = dict.fromkeys((*kept[number].further, *read.further))
                    kept[number] = replace(kept[number], further=tuple(further))
                    continue
                is_again = any(_is_same(module, candidate, read) for candidate in kept)
                if is_again and _is_changed(module, read, events):
                    continue
                kept.append(read)
                for inner in self._reads_behind(module, read):
                    if not any(_covers(module, candidate, inner, behind) for candidate in kept):
                        kept.append(inner)
        return kept

    def _reads_behind(self, module: Module, read: _Read) -> Iterator[_Read]:
        """Yield the reads of what ``read`` gives: ``post.author.posts``, if that has ``author``.

        Refreshing one side removes its value on the other side.
        """
        text, function = f"{read.text}.{read.name}", module.enclosing_def(read.statement)
        start, names = module.span(read.statement).start, set[str]()
        for node in () if function is None or read.is_many else module.walk(function):
            match node:
                case ast.Attribute(value=ast.Attribute() as held, attr=name, ctx=ast.Load()) if (
                    name not in names
                    and module.text_of(held) == text
                    and module.span(node).start >= start
                ):
                    values = self._project.values.of(module, held).alternatives
                    is_one = kind_of(self._project, values) in {"one", "optional"}
                    if is_one and self._may_be_relationship(values, name):
                        names.add(name)
                        reload = self._reload_of(values, name)
                        inner = replace(read, text=text, name=name, is_optional=True, reload=reload)
                        yield inner
                        yield from self._reads_behind(module, inner)

    def _reads(
        self, module: Module, held: ast.Attribute | ast.Name, events: list[Place]
    ) -> Iterator[_Read]:
        statement, function = module.statement_of(held), module.enclosing_def(held)
        if statement is None or function is None or not is_of_function(module, held, function):
            return
        node, values = object_at(self._project, module, held)
        kind = kind_of(self._project, values)
        if not kind:
            yield from self._of_kept(module, node, values, events)
            return
        is_many = kind == "many"
        names = self._read_of.names(module, node, values, is_many=is_many)
        names -= self.changed.loaded_again(module, node, values, names)
        deleted = frozenset[str]()
        if self._read_of.is_deleted(module, node):
            deleted = self._loading.read_to_delete(values)
        converted = self.converted.names(module, node, values, events)
        converted |= self.changed.names(module, node, values)
        text, first = module.text_of(node), whole_if(module, statement)
        if self._is_refreshed(module, statement, events, text):
            return
        owner = text.rpartition(".")[0]
        is_unloaded = bool(owner) and self._is_refreshed(module, statement, events, owner)
        made = self._made_call(module, function, items_of(values) if is_many else values)
        given = set() if made is None else {keyword.arg for keyword in made.keywords}
        written = 0 if made is None else written_behind(self._project, module, made)
        is_again = any(event.span.end > written for event in events)
        is_optional = may_be_missing(module, node, kind, first)
        further = () if is_many else self._further(module, node, values, is_unloaded)
        ends = [x.span.end for each in self._places[module.path].values() for x in each]
        is_known = made is not None and self._sent.isdisjoint(events)
        new = self.converted.of_new(values) if converted else set[str]()
        for name in sorted(names | deleted | converted):
            if name not in converted and not self._may_be_relationship(values, name):
                continue
            # Between two commits a new object may load what its deletion looks at, or a reader.
            is_loaded = name in deleted or self.converted.all_compute(values, name)
            is_seen = name in given or (is_again if is_loaded else name in converted)
            if is_known and not is_seen:
                # Its reader is known then, and it is loaded after the commit.
                continue
            session = self._project.orm.operations.session_variable(module, function)
            may_be_detached = self._may_be_detached(module, function, node, events)
            read = _Read(first, text, name, session, is_optional, is_many, may_be_detached, further)
            read = replace(
                read,
                is_unloaded=is_unloaded and bool(session),
                may_be_transient=name in new and not is_surely_added(module, text, first),
                loop=writing_loop(module, first, text, ends, self._changing(module, values, name)),
                reload=self._reload_of(values, name),
            )
            if name in converted and _is_changed(module, read, events, module.span(first).start):
                continue
            for anchor in _conditions(module, function, first, events, text):
                is_behind = anchor is not None
                read = replace(read, statement=anchor or first, behind=is_behind, reading=first)
                yield read
                yield from self._of_items(module, node, values, read)

    def _changing(self, module: Module, values: Values, name: str) -> list[Place]:
        """Return the writes of a file that may change a relationship of some objects."""
        owners, writes = classes_in(items_of(values) or values), self._writes.in_file(module.path)
        return [x for x in writes if any(self._writes.changes(x, owner, name) for owner in owners)]

    def _of_kept(
        self, module: Module, node: ast.expr, values: Values, events: list[Place]
    ) -> Iterator[_Read]:
        """Yield the reads of objects that something else keeps, which is used here."""
        statement, function = module.statement_of(node), module.enclosing_def(node)
        if statement is None or function is None or isinstance(statement, ast.For):
            return
        first = whole_if(module, statement)
        session = self._project.orm.operations.session_variable(module, function)
        for each in self.kept.objects_at(module, node, values):
            if not self._is_refreshed(module, statement, events, each.text):
                flags = each.kind == "optional", each.kind == "many", False
                for name in sorted(each.names):
                    yield _Read(first, each.text, name, session, *flags)

    def _further(
        self,
        module: Module,
        node: ast.expr,
        values: Values,
        is_unloaded: bool,
    ) -> tuple[Step, ...]:
        """Return the reads of new items, or of an object through the side that leads back to it.

        An object that ``is_unloaded`` has none of its relationships loaded.
        """
        steps = [*kept_steps(self._loading, self._read_of.along(module, node, values))]
        if is_unloaded:
            return tuple(steps)
        for before, step in combinations(steps, 2):
            is_back = leads_back(self._project, before, step)
            is_other = self._writes.sets_key_inside(module, node, before.owners)
            is_new = is_other or self._writes.makes_inside(module, node, step)
            if before.way == step.text and (is_back or is_new):
                return (before, *(each for each in steps if each.text != before.text))
        return ()

    def _of_items(
        self, module: Module, node: ast.expr, values: Values, read: _Read
    ) -> Iterator[_Read]:
        """Yield what functions read of the items of a collection, if a write may change that."""
        if read.is_many or read.is_optional or read.further or read.reload.is_part:
            return
        way, span = f"{read.text}.{read.name}", module.span(module.enclosing_def(node) or node)
        written = [item for item in self._writes.in_file(module.path) if span.contains(item.span)]
        for step in kept_steps(self._loading, self._read_of.along(module, node, values)):
            changing = (self._writes.changes(x, y, step.name) for x in written for y in step.owners)
            if step.is_many and step.text == way and any(changing):
                yield replace(read, text=way, name=step.name, is_many=True)

    def _may_be_detached(
        self, module: Module, function: Function, node: ast.expr, events: list[Place]
    ) -> bool:
        """Whether a request may close the session between a commit and a read.

        That is one of the function itself, or comes while the function waits for something else.
        """
        if not self._are_closed or not self._sent.isdisjoint(events):
            return self._are_closed
        ends = [event.span.end for event in events if event.path == module.path]
        start, end = min(ends, default=0), module.span(node).start
        return any(
            isinstance(part, ast.Await) and start <= module.span(part).start < end
            for part in module.walk(function)
        )

    def _is_refreshed(
        self, module: Module, statement: ast.stmt, events: list[Place], text: str
    ) -> bool:
        """Whether an object is refreshed, with its loaded relationships, after all commits."""
        return all(
            event.path == module.path and is_refreshed(module, statement, event.span.end, text)
            for event in events
        )

    def _may_be_relationship(self, values: Values, name: str) -> bool:
        """Whether objects that an expression may give have a relationship, or its items."""
        classes = classes_in(items_of(values) or values)
        return any(self._loading.is_kept(owner, name) for owner in classes)

    def _reload_of(self, values: Values, name: str) -> Reload:
        reload = self._states.reload_of(values, [name])
        return reload._replace(
            is_part=reload.is_part and not self.converted.all_compute(values, name)
        )

    def _made_call(self, module: Module, function: Function, values: Values) -> ast.Call | None:
        """Return the call by which a function makes an object itself, and writes it."""
        span = module.span(function)
        for place in (origin.place for origin in origins_of(values)):
            is_here = place.path == module.path and span.contains(place.span)
            for call in module.calls_at(place.span) if is_here else ():
                if self._project.values.of(module, call.func).classes and mapped_in(
                    self._project, object_at(self._project, module, call)[1]
                ):
                    return call if written_behind(self._project, module, call) else None
        return None


def _conditions(
    module: Module, function: Function, later: ast.stmt, events: Sequence[Place], text: str
) -> list[ast.stmt] | list[None]:
    """Return the statements that commit, if each is under a condition; None if one is not.

    A statement that always runs before ``later`` has no condition. The variable ``text`` has to
    exist there.
    """
    result = list[ast.stmt]()
    for event in events:
        calls = module.calls_at(event.span)[:1] if event.path == module.path else []
        statement = module.statement_of(calls[0]) if calls else None
        if statement is None or dominates(module, statement, later):
            return [None]
        around = [
            ancestor
            for ancestor in module.ancestors(statement)
            if ancestor is not function and not module.span(ancestor).contains(module.span(later))
        ]
        is_plain = isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign) and not any(
            isinstance(node, Loop | Function) for node in around
        )
        is_conditional = any(isinstance(node, ast.If) for node in around)
        name = text.partition(".")[0]
        # An object that is expired by name is loaded in front of the same statement.
        is_plain = is_plain and not any(
            module.span(function).contains(module.span(node)) for node in module.mentions("expire")
        )
        if not is_plain or not is_conditional or not _is_bound(module, function, statement, name):
            return [None]
        result.append(statement)
    return list(dict.fromkeys(result))


def _sets(module: Module, around: ast.AST, names: set[str]) -> bool:
    """Whether code sets an attribute that has one of ``names``, or changes what it gives."""
    changing = library_names().changing_methods
    return any(
        (isinstance(part.ctx, ast.Store) and part.attr in names)
        or (part.attr in changing and last_name(part.value) in names)
        for part in module.nodes_below(around, ast.Attribute)
    )


def _is_bound(module: Module, function: Function, statement: ast.stmt, name: str) -> bool:
    """Whether a variable has its object where a statement runs, and keeps it."""
    bindings = module.scopes.scope_made_by(function).bindings_of(name)
    end = module.span(statement).start
    places = [
        module.statement_of(item.node) for item in bindings if not isinstance(item.node, ast.arg)
    ]
    if any(place is None or module.span(place).start >= end for place in places):
        return False
    return len(places) < len(bindings) or any(
        place is not None and dominates(module, place, statement) for place in places
    )


def _is_same(module: Module, one: _Read, other: _Read) -> bool:
    is_named_so = (one.text, one.name) == (other.text, other.name)
    return is_named_so and module.enclosing_def(one.statement) is module.enclosing_def(
        other.statement
    )


def _is_changed(module: Module, read: _Read, events: Sequence[Place], until: float = inf) -> bool:
    """Whether an attribute is changed by hand after commits: reading again may lose that.

    A change before a commit that always runs before the read was written by it.
    """
    text, function = f"{read.text}.{read.name}", module.enclosing_def(read.statement)
    spans = [event.span for event in events if event.path == module.path and function is not None]
    here = [span.end for span in spans if function and module.span(function).contains(span)]
    end = module.span(read.statement).start
    certain = [
        module.span(call).end
        for event in events
        if event.path == module.path and event.span.end <= end
        for call in module.calls_at(event.span)[:1]
        if (statement := module.statement_of(call)) is not None
        and dominates(module, statement, read.statement)
    ]
    start = max(certain) if certain else min(here, default=0)
    for node in module.walk(function):
        if not isinstance(node, ast.Attribute) or not start <= module.span(node).start < until:
            continue
        if not isinstance(node.ctx, ast.Load) and module.text_of(node) == text:
            return True
        if node.attr in library_names().changing_methods and module.text_of(node.value) == text:
            return True
    return False


def _covers(module: Module, earlier: _Read, later: _Read, behind: Sequence[int]) -> bool:
    """Whether what one read loads is there for another; ``behind`` are the ends of commits."""
    return _is_same(module, earlier, later) and covers(
        module, earlier.statement, later.statement, later.text, behind
    )
