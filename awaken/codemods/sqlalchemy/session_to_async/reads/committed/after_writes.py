"""Relationships that are first read after a write in the same transaction.

A relationship that loads at its first read has the new rows. Loaded with its object, it does not.
So it is reloaded before that read, if the object is in the database, and no code changed the
collection.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name
from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import (
    Step,
    below_headers,
    loaded_as_read,
    loop_over,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import (
    ReadOf,
    items_of,
    kept_steps,
    leads_back,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    covers,
    dominates,
    ends_before,
    events_before,
    is_of_function,
    is_refreshed,
    kind_of,
    loaded_once,
    may_be_missing,
    object_at,
    read_nodes,
    whole_if,
    writing_loop,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import (
    Persistence,
    is_flushed_by_value,
    is_given_away,
    is_transient,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import holds_back
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, last_name, parameter_names, variable_of
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import Values, classes_in

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.after_commits import (
        ReadsAfterCommits,
    )
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.contract import Place


class _Read(Struct, frozen=True):
    """A read of ``name`` of what ``text`` says, in front of which ``statement`` it is loaded.

    ``root`` is the object that this begins with; it ``may_be_none``. Of all its items, if it is
    ``is_many``. An object that may be new has loaded nothing yet; one that ``may_be_lost`` by its
    session is not refreshed. A collection ``is_filled`` from its other side. Nor is one refreshed
    that is the object of a variable in ``aliases``, of which the same was read before: that stays.
    Of a ``loop`` that writes, the first run loads it. Some statements loaded one that ``is_old``.
    A collection that ``is_set`` of a new object needs no load, and stays. The value of one may be
    queried, which ``flushes`` the object: it is flushed for its load.
    """

    statement: ast.stmt
    text: str
    name: str
    session: str
    is_optional: bool
    root: str = ""
    may_be_none: bool = False
    is_many: bool = False
    is_by_key: bool = False
    step: Step | None = None
    may_be_lost: bool = False
    by_reading: bool = False
    is_new: bool = False
    is_filled: bool = False
    aliases: tuple[str, ...] = ()
    is_new_too: bool = False
    is_kept: bool = False
    is_old: bool = False
    is_set: bool = False
    flushes: bool = False
    loop: ast.stmt | None = None


class _Sight(NamedTuple):
    """An object that is read after ``writes``, of which some are ``still`` in the transaction.

    ``ends`` are calls that end one.
    """

    module: Module
    node: ast.expr
    statement: ast.stmt
    function: Function
    writes: Sequence[Place]
    still: Sequence[Place]
    ends: Sequence[Place]


class ReadsAfterWrites:
    """The loads for such reads in one program; ``after_commits`` loads some of them anyway."""

    def __init__(
        self, rule: str, loading: Loading, writes: Writes, after_commits: ReadsAfterCommits
    ) -> None:
        project = self._project = writes.project
        self._rule = rule
        self._loading = loading
        self._done = after_commits.places()
        self._commits = after_commits.commits()
        self._writes = writes
        self._states = Persistence(project)
        self._inside = Inside()
        self._read_of = ReadOf(project)
        self._kept = after_commits.kept
        self._key = object()

    def leave(self, inside: Inside) -> None:
        """From now on, nothing is written into what stays plain: what it reads loads by itself."""
        self._inside = inside

    def places(self) -> frozenset[Place]:
        """Return the statements in front of which something is loaded."""
        return frozenset(
            module.place(read.statement) for module, reads in self._all() for read in reads
        )

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of these statements."""
        for module, reads in self._all():
            for statement, each in groups_of(reads, lambda read: read.statement).items():
                yield self._member(Site(self._rule, module, statement), each)

    def _member(self, site: Site[ast.AST], reads: list[_Read]) -> Member:
        inspect, code, edits = "", "", list[Edit]()
        if any(not read.is_new or read.may_be_lost for read in reads):
            inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
            edits = [needed]
        item = site.module.fresh_local(site.node, "item", "entry")
        for read in reads:
            line = _code(read, inspect, item, is_held=holds_back(self._project))
            if read.may_be_none and read.text != read.root:
                line = below_headers(line, f"if {read.root} is not None")
            if read.loop is not None:
                line, edit = loaded_once(site, read.loop, f"{read.text}.{read.name}", line)
                edits = [*edits, edit]
            code += line
        shown = " and ".join(f"`{read.text}.{read.name}`" for read in reads)
        edits = [site.insert_statements(site.module.place(site.node), "before", code), *edits]
        kept = [one for one in reads if one.is_old or self._is_used_by_callers(site, one)]
        caveats = [f"`{one.text}.{one.name}` kept its value if loaded before" for one in kept]
        moved = [f"`{read.text}.{read.name}`" for read in reads if read.is_filled]
        caveats += [
            f"{name} may have a different order than the relationship's other side gave it"
            for name in moved
        ]
        rewrite = Rewrite(f"loads {shown} after the write, as before", edits, caveats)
        return Member(site, rewrite, shown)

    def _is_used_by_callers(self, site: Site[ast.AST], read: _Read) -> bool:
        """Whether a caller reads a relationship of an object before it hands that on."""
        module, graph = site.module, self._project.calls.graph()
        function = module.enclosing_def(read.statement)
        if function is None or read.text not in parameter_names(function.args):
            return False
        for call in graph.callers(graph.place_of(module, function)):
            for home, node in self._project.calls_at(call.place):
                given = {argument.id for argument in node.args if isinstance(argument, ast.Name)}
                for each in home.walk(home.enclosing_def(node)):
                    match each:
                        case ast.Attribute(value=ast.Name(id=held), attr=name) if (
                            name == read.name
                            and held in given
                            and home.span(each).start < home.span(node).start
                        ):
                            return True
        return False

    # ---------------------------------------------------------------------------------- reads
    def _all(self) -> Iterator[tuple[Module, list[_Read]]]:
        for module in self._project.modules_at(self._places):
            # By a key of its own: who remembers the file must not be remembered by it.
            reads = module.memoize(self._key, lambda: list(self._in_file(module)))  # noqa: B023
            yield module, [read for read in reads if not self._is_inside(module, read)]

    def _is_inside(self, module: Module, read: _Read) -> bool:
        return self._inside.reads(self._project, module.place(read.statement))

    @cached_property
    def _places(self) -> dict[str, dict[Place, list[Place]]]:
        """By file, what may be read of before, each with the writes in front of it."""
        writes = [Commit(item, is_async=False) for item in self._writes.places()]
        places = events_before(self._project.orm.commits.read_in_functions(writes, unknown=True))
        for making in self._writes.with_unloaded():
            for place in self._named_behind(making):
                places[place.path].setdefault(place, []).append(making)
        for place in self._replaced_variables():
            places[place.path].setdefault(place, [])
        return dict(sorted(places.items()))

    def _replaced_variables(self) -> Iterator[Place]:
        """Yield the variables of which a relationship is replaced, in files that write."""
        names = self._project.orm.reads.names_of_mapped()
        paths = sorted({place.path for place in self._writes.places()})
        for module, node in nodes_in(self._project.modules_at(paths), ast.Attribute):
            match node:
                case ast.Attribute(value=ast.Name() as held, attr=name, ctx=ast.Store()) if (
                    name in names
                ):
                    yield module.place(held)

    def _named_behind(self, making: Place) -> Iterator[Place]:
        """Yield the variables of a function whose relationships are read after a call."""
        module = self._project.module(making.path)
        if module is None:
            return
        names = self._project.orm.reads.names_of_mapped()
        function = module.enclosing_def(next(module.expressions_at({making.span})))
        for node in () if function is None else module.nodes_below(function, ast.Name):
            if not isinstance(node.ctx, ast.Load) or module.span(node).start <= making.span.end:
                continue
            above = module.parent(node)
            is_read = not isinstance(above, ast.Attribute) or (
                module.call_of(above) is not None
                or module.call_taking(above) is not None
                or any(getattr(part, "attr", "") in names for part in module.ancestors(node))
            )
            if is_read:
                yield module.place(node)

    def _in_file(self, module: Module) -> Iterator[_Read]:
        kept, places = list[_Read](), self._places[module.path]
        for node in read_nodes(module, places):
            for read in self._reads(module, node, places[module.place(node)]):
                if not any(_covers(module, candidate, read) for candidate in kept):
                    kept.append(read)
                    if not read.is_set:
                        yield read

    def _reads(
        self,
        module: Module,
        node: ast.Attribute | ast.Name,
        writes: list[Place],
    ) -> Iterator[_Read]:
        """Yield the reads of an object before which something has to be loaded."""
        statement, function = module.statement_of(node), module.enclosing_def(node)
        if statement is None or function is None or not is_of_function(module, node, function):
            return
        span = module.span(function)
        if isinstance(getattr(module.parent(node), "ctx", None), ast.Store):
            if is_transient(self._project, module, statement, getattr(node, "id", "")):
                text, name = module.text_of(node), getattr(module.parent(node), "attr", "")
                yield _Read(statement, text, name, "", is_optional=False, is_set=True)
                return
            # A collection that is replaced is loaded for that.
            start = module.span(node).start
            writes = [item for item in self._writes.in_file(module.path) if item.span.end <= start]
        writes = [write for write in writes if span.contains(write.span)]
        first = whole_if(module, statement)
        flushes = is_flushed_by_value(self._project, module, node, statement)
        if not (writes or flushes) or module.place(first) in self._done:
            return
        held, values = object_at(self._project, module, node)
        kind = kind_of(self._project, values)
        # The session is asked last: it costs an evaluation of every name in the function.
        is_kept = not kind and not isinstance(statement, ast.For | ast.AsyncFor)
        kept = [*self._kept.objects_at(module, held, values)] if is_kept else []
        if not kind and not kept:
            return
        session = self._project.orm.operations.session_variable(module, function)
        if not session:
            return
        is_optional = may_be_missing(module, held, kind, first)
        text = module.text_of(held)
        read = _Read(first, text, "", session, is_optional, text, is_optional, is_kept=not kind)
        steps = [*kept_steps(self._loading, self._steps(module, held, values, kind))]
        steps += [step for each in kept for step in each.reads]
        # Which writes are still open takes a search for each.
        if not steps:
            return
        if flushes:
            yield from (replace(read, name=step.name, flushes=True) for step in steps)
            return
        ends = self._commits.get(module.place(node), ())
        still = [
            write
            for write in writes
            if not _binds(module, write, read.text.partition(".")[0])
            and not ends_before(module, write.span.end, statement, ends)
        ]
        sight = _Sight(module, node, statement, function, writes, still, ends)
        yield from self._of_steps(sight, read, steps)

    def _steps(self, module: Module, held: ast.expr, values: Values, kind: str) -> Iterator[Step]:
        """Yield what is read of an object, or of all items of what has many."""
        text = module.text_of(held)
        if kind == "many":
            if isinstance(module.parent(held), ast.For | ast.AsyncFor):
                return  # its variable is read in the loop
            owners = tuple(classes_in(items_of(values)))
            for name in sorted(self._read_of.names(module, held, values, is_many=True)):
                yield Step(text, name, owners, is_many=True)
            return
        yield from self._read_of.along(module, held, values)
        if self._read_of.is_deleted(module, held):
            for name in sorted(self._loading.read_to_delete(values)):
                yield Step(text, name, tuple(classes_in(values)))

    def _of_steps(self, sight: _Sight, read: _Read, steps: Iterable[Step]) -> Iterator[_Read]:
        """Yield those of ``steps`` that have to be loaded in front of a statement."""
        module, passed, loaded = sight.module, list[Step](), set[str]()
        for step in steps:
            before = [candidate for candidate in passed if candidate.way == step.text]
            is_first = read.text == step.text and not step.is_many
            result = replace(
                read,
                step=step,
                may_be_lost=self._states.may_be_lost(module, sight.node, step.text),
                by_reading=self._states.may_stay_unloaded(step.owners),
                text=step.text,
                name=step.name,
                is_optional=read.is_optional if is_first else not step.is_many,
                is_many=step.is_many,
                aliases=tuple(dict.fromkeys(self._aliases(sight, step))),
                is_by_key=not any(
                    self._project.orm.is_collection(owner, step.name) for owner in step.owners
                ),
            )
            written = self._loaded_when_written(module, result)
            changing = [
                place
                for place in self._changing(sight, step)
                if place.span.start > written and not self._is_refreshed(module, result, place)
            ]
            is_other = any(
                self._writes.sets_key(item, each.owners) for item in sight.writes for each in before
            )
            is_other = is_other or self._is_reset(sight, before, step)
            # The load of a read has only the relationships that each object is loaded with.
            is_other = is_other or (step.text in loaded and not self._is_loaded_with(step, passed))
            passed.append(step)
            writes = [place for place in sight.writes if place.span.start > written]
            is_new = is_other or self._is_of_new(module, step, writes, result)
            is_sure = bool(changing) and not sight.ends
            when = self._loading.loaded_at_first(module, sight.function, step) if is_sure else ""
            if changing and when != "always" and not self._is_used_before(sight, changing, result):
                loaded.add(step.way)
                fills = (self._sets_other_side(module, place) for place in changing)
                ends = [place.span.end for place in sight.ends]
                loop = writing_loop(module, read.statement, step.text, ends, changing)
                is_filled = not result.is_by_key and any(fills)
                result = replace(result, is_filled=is_filled, loop=loop, is_old=when == "sometimes")
                # Attributes that were read before the flush did not stay loaded.
                yield replace(result, is_new_too=is_new and bool(result.aliases))
            elif is_new:
                loaded.add(step.way)
                yield replace(result, is_new=True)

    def _changing(self, sight: _Sight, step: Step) -> Iterator[Place]:
        """Yield the writes that may change what a step reads.

        A deletion in a loop does not, if it takes rows of the deleted object alone.
        """
        call = sight.module.call_taking(sight.node)
        is_apart = last_name(call and call.func) == "delete" and all(
            self._writes.leaves_others(owner, step.name) for owner in step.owners
        )
        for place in sight.still:
            is_own = call is not None and is_apart and place == sight.module.place(call)
            if not is_own and any(
                self._writes.changes(place, owner, step.name) for owner in step.owners
            ):
                yield place

    def _loaded_when_written(self, module: Module, read: _Read) -> int:
        """Return where a new object is loaded with what is read, in front of that; 0 if nowhere."""
        text, is_many, reading = read.text, read.is_many, read.statement
        loops = (each for each in module.ancestors_inside(reading) if isinstance(each, ast.For))
        for loop in loops:
            if not is_many and isinstance(loop.iter, ast.Name) and last_name(loop.target) == text:
                text, is_many, reading = loop.iter.id, True, loop
        return max(
            (
                place.span.end
                for place, step in self._loading.loaded_when_written.get(module.path, ())
                if (step.text, step.name, step.is_many) == (text, read.name, is_many)
                for statement in [*module.nodes_at({place.span})][:1]
                if isinstance(statement, ast.stmt) and covers(module, statement, reading, text, ())
            ),
            default=0,
        )

    def _aliases(self, sight: _Sight, step: Step) -> Iterator[str]:
        """Yield other variables of which the same is read before, in the same transaction."""
        module = sight.module
        for node in module.walk(sight.function):
            match node:
                case ast.Attribute(value=ast.Name() as held, attr=step.name, ctx=ast.Load()) if (
                    held.id != step.text and _keeps_object(module, held, sight.function)
                ):
                    earlier = module.statement_of(node)
                case _:
                    continue
            if (
                earlier is not None
                and earlier is not sight.statement
                and dominates(module, earlier, sight.statement)
                and not ends_before(module, module.span(node).end, sight.statement, sight.ends)
                and self._is_alike(module, held, step)
            ):
                yield held.id

    def _is_alike(self, module: Module, held: ast.Name, step: Step) -> bool:
        """Whether a variable may have the object, or one of the objects, that a step reads."""
        classes = classes_in(self._project.values.of(module, held).alternatives)
        return any(self._writes.is_kin(name, owner) for name in classes for owner in step.owners)

    def _sets_other_side(self, module: Module, write: Place) -> bool:
        """Whether a write sets a relationship, by which its other side gets the object."""
        names = self._project.orm.reads.names_of_mapped()
        return any(
            isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and one.attr in names
            for one in module.expressions_at({write.span})
        )

    def _is_loaded_with(self, step: Step, passed: Iterable[Step]) -> bool:
        """Whether the mapping loads a relationship with each object that a lazy load brings.

        It stops where the way to the object has a class of the target already (SQLAlchemy,
        ``join_depth``).
        """
        loaded, orm = self._loading.loaded_with_objects, self._project.orm
        on_way = {owner for one in passed if step.text.startswith(one.text) for owner in one.owners}
        mapped = [orm.mapped_class(owner) for owner in step.owners]
        targets = {
            model.relationships[step.name].target
            for model in mapped
            if model is not None and step.name in model.relationships
        }
        return on_way.isdisjoint(targets) and all(
            step.name in loaded(owner) for owner in step.owners
        )

    def _is_reset(self, sight: _Sight, before: Iterable[Step], step: Step) -> bool:
        """Whether a refresh may have left unloaded what leads back to the object itself."""
        is_back = any(leads_back(self._project, earlier, step) for earlier in before)
        return is_back and any(self._writes.refreshes(write) for write in sight.writes)

    def _is_of_new(self, module: Module, step: Step, writes: Iterable[Place], read: _Read) -> bool:
        """Whether a relationship is read of what may be new, and nobody loads it with the write."""
        start = module.span(read.statement).start
        making = [write for write in writes if self._writes.makes(write, step, start)]
        return any(
            not self._writes.is_outside(module, call) or is_given_away(module, call, read.statement)
            for place in making
            for call in module.calls_at(place.span)[:1]
        )

    def _is_used_before(self, sight: _Sight, changing: Sequence[Place], read: _Read) -> bool:
        """Whether a function uses a relationship in front of a write: it was loaded then."""
        module, function, root = sight.module, sight.function, read.root.partition(".")[0]
        write = changing[0]
        if read.is_kept and any(
            node.id == root
            and isinstance(node.ctx, ast.Load)
            and module.span(node).end < write.span.start
            and self._leads_to(module, node, read.name)
            for node in module.nodes_below(function, ast.Name)
        ):
            return True
        return any(
            node.attr == read.name
            and module.span(node).start < write.span.end
            and not (isinstance(node.value, ast.Name) and node.value.id in read.aliases)
            and (read.is_many or module.text_of(node.value) == read.text)
            # A function that is defined has not run yet, nor has a generator in a variable.
            and module.enclosing_def(node) is function
            and not _waits(module, node)
            for node in module.nodes_below(function, ast.Attribute)
        )

    def _leads_to(self, module: Module, node: ast.Name, name: str) -> bool:
        """Whether a use of a variable reads a relationship of what that keeps."""
        # The variable of a loop is read in the loop.
        return not isinstance(module.statement_of(node), ast.For | ast.AsyncFor) and any(
            name in each.names
            for each in self._kept.objects_at(module, *object_at(self._project, module, node))
        )

    def _is_refreshed(self, module: Module, read: _Read, write: Place) -> bool:
        is_here = bool(module.calls_at(write.span))
        return is_here and is_refreshed(module, read.statement, write.span.end, read.text)


def _waits(module: Module, node: ast.AST) -> bool:
    """Whether a lambda or a generator, which no call is given, reads something later."""
    return any(
        isinstance(above, ast.GeneratorExp | ast.Lambda)
        and not isinstance(module.parent(above), ast.Call | ast.keyword)
        and not (isinstance(above, ast.GeneratorExp) and below is above.generators[0])
        for below, above in module.steps_up(node)
    )


def _binds(module: Module, write: Place, name: str) -> bool:
    """Whether a variable gets its object from the very call that writes."""
    calls = module.calls_at(write.span)[:1]
    return any(last_name(variable_of(module.statement_of(call))) == name for call in calls)


def _keeps_object(module: Module, held: ast.Name, function: Function) -> bool:
    """Whether a variable of a function has one object only: it is no item of a loop."""
    bindings = module.scopes.bindings_of(held)
    return (
        len(bindings) == 1
        and is_of_function(module, held, function)
        and not isinstance(module.statement_of(bindings[0].node), ast.For | ast.AsyncFor)
    )


def _covers(module: Module, earlier: _Read, later: _Read) -> bool:
    """Whether one read loads what another reads: that stays, whatever is written meanwhile."""
    is_same = (earlier.text, earlier.name) == (later.text, later.name)
    return is_same and covers(module, earlier.statement, later.statement, later.text, ())


def _code(read: _Read, inspect: str, item: str, *, is_held: bool) -> str:
    reading = "" if read.step is None else loaded_as_read(read.session, [read.step])
    guard = "" if read.step is None else read.step.guard
    if read.is_new:
        if read.may_be_lost and read.text == read.root and not read.is_many:
            # A deleted object that is flushed still loads, until a commit detaches it.
            return f"if not {inspect}({read.root}).detached:\n    {reading}"
        is_plain = not read.is_optional or "." in read.text
        return reading if is_plain else f"if {guard}{read.text} is not None:\n    {reading}"
    item, clauses = loop_over(read.text, item) if read.is_many else (read.text, [])
    text, name = item, read.name
    condition = "" if read.is_many else guard
    condition += f"{text} is not None and " if read.is_optional else ""
    condition += "".join(f"{text} is not {alias} and " for alias in read.aliases)
    attribute = f'["{name}"]' if name in library_names().methods_of_properties else f".{name}"
    changed = f"{inspect}({text}).attrs{attribute}.history.has_changes()"
    is_awaited = is_held and read.is_filled and bool(reading) and not read.is_many
    if is_awaited:
        # A refresh discards what the other side gave to a collection that is not loaded.
        changed += f' and "{name}" in {inspect}({text}).dict'
    code = f'    await {read.session}.refresh({text}, attribute_names=["{name}"])\n'
    is_read = (read.may_be_lost or read.is_by_key) and not read.is_many
    if is_read or read.by_reading:
        # A refresh of what the next flush deletes raises, and it reads keys that are not flushed
        # from the database; a read does neither.
        inner = loaded_as_read(read.session, [Step(text, name, ())]) if read.is_many else reading
        code = f'    {read.session}.expire({text}, ["{name}"])\n    {inner}'
    code = f"if {condition}{inspect}({text}).persistent and not {changed}:\n{code}"
    if read.flushes:
        pending = f"{read.session}.autoflush and {inspect}({text}).pending"
        code = f"if {pending}:\n    await {read.session}.flush()\n{code}"
    if read.is_many:
        # The path may lead to None.
        owners = [] if read.text.startswith("[") else read.text.split(".")[:-1]
        prefixes = [".".join(owners[: n + 1]) for n in range(1, len(owners))]
        if prefixes or guard:
            tests = guard + "".join(f"{prefix} is not None and " for prefix in prefixes)
            clauses = [f"for {item} in {tests}{read.text} or ()"]
        code = below_headers(code, *clauses)
    return code + reading if read.is_new_too or is_awaited else code
