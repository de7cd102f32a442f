"""Relationships that are first read after a write in the same transaction.

What is loaded when it is first read has the new rows. Loaded with its object, it has not: it is
loaded again in front of that read, if the object is in the database, and the collection was not
changed by hand.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.inside.found import Inside
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import (
    ReadOf,
    Step,
    loaded_as_read,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.writes import Writes
from awaken.codemods.sqlalchemy.session_to_async.reads.covered import (
    covers,
    ends_before,
    is_refreshed,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.reading import (
    function_of,
    is_conditional,
    is_of_function,
    kind_of,
    session_in,
    whole_if,
)
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.commits.domain import Commit
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.after_commits import (
        ReadsAfterCommits,
    )
    from awaken.codemods.sqlalchemy.session_to_async.reads.loading import Loading
    from awaken.contract import Place

_INSPECT = "sqlalchemy.inspect"


@dataclass(frozen=True, slots=True)
class _Read:
    """A read of ``name`` of what ``text`` says, in front of which ``statement`` it is loaded.

    ``root`` is the object that this begins with.

    Of all its items, if it is ``is_many``. An object that may be new has loaded nothing yet;
    one that ``may_be_lost`` by its session is not refreshed.
    """

    statement: ast.stmt
    text: str
    name: str
    session: str
    is_optional: bool
    root: str = ""
    is_many: bool = False
    is_by_key: bool = False
    step: Step | None = None
    may_be_lost: bool = False
    is_new: bool = False


class _Sight(NamedTuple):
    """An object that is read behind ``writes``, of which some are ``still`` in the transaction."""

    module: Module
    node: ast.expr
    function: Function
    writes: Sequence[Place]
    still: Sequence[Place]


class ReadsAfterWrites:
    """What becomes of such reads in one program; ``after_commits`` loads some of them anyway."""

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

    def leave(self, inside: Inside) -> None:
        """From now on, nothing is written into what stays plain: what it reads loads by itself."""
        self._inside = inside

    def places(self) -> frozenset[Place]:
        """Return the statements in front of which something is loaded."""
        return frozenset(
            module.place(one.statement) for module, reads in self._all() for one in reads
        )

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of these statements."""
        for module, reads in self._all():
            by_statement: defaultdict[ast.stmt, list[_Read]] = defaultdict(list)
            for one in reads:
                by_statement[one.statement].append(one)
            for statement, each in by_statement.items():
                yield self._member(Site(self._rule, module, statement), each)

    def _member(self, site: Site[ast.AST], reads: list[_Read]) -> Member:
        inspect, imports = "", list[Edit]()
        if any(not one.is_new or one.may_be_lost for one in reads):
            inspect, imports = name_beside(self._project, site, None, _INSPECT)
        item = site.module.scopes.fresh_name("item", "one")
        code = "".join(_code(one, inspect, item) for one in reads)
        shown = " and ".join(f"`{one.text}.{one.name}`" for one in reads)
        message = f"{shown} is read after a write, and is loaded then, as it was"
        place = site.module.place(site.node)
        return Member(
            site,
            Rewrite(message, [site.insert_statements(place, "before", code), *imports]),
            shown,
        )

    # ---------------------------------------------------------------------------------- reads
    def _all(self) -> Iterator[tuple[Module, list[_Read]]]:
        for path, places in self._places.items():
            module = self._project.module(path)
            if module is not None:
                reads = self._in_file(module, places)
                yield module, [one for one in reads if not self._is_inside(module, one)]

    def _is_inside(self, module: Module, read: _Read) -> bool:
        return self._inside.reads(self._project, module.place(read.statement))

    @cached_property
    def _places(self) -> dict[str, dict[Place, list[Place]]]:
        """By file, what may be read of before, each with the writes in front of it."""
        writes = [Commit(one, is_async=False) for one in self._writes.places()]
        found: defaultdict[str, dict[Place, list[Place]]] = defaultdict(dict)
        for one in self._project.orm.commits.read_in_functions(writes, unknown=True):
            found[one.place.path].setdefault(one.place, []).append(one.commit)
        for making in self._writes.with_unloaded():
            for place in self._named_behind(making):
                found[place.path].setdefault(place, []).append(making)
        return dict(sorted(found.items()))

    def _named_behind(self, making: Place) -> Iterator[Place]:
        """Yield the variables of a function that are read behind a call, if of a relationship."""
        module = self._project.module(making.path)
        if module is None:
            return
        names = self._project.orm.relationships_of_mapped()
        nodes = (*module.calls_at(making.span), *module.expressions_at({making.span}))
        function = function_of(module, nodes[0])
        for node in () if function is None else module.walk(function):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
                continue
            above = module.parent(node)
            is_read = isinstance(above, ast.Call | ast.Return | ast.keyword) or (
                isinstance(above, ast.Attribute) and above.attr in names
            )
            if is_read and module.span(node).start > making.span.end:
                yield module.place(node)

    def _in_file(self, module: Module, places: dict[Place, list[Place]]) -> Iterator[_Read]:
        read_of, kept = ReadOf(self._project), list[_Read]()
        nodes = [
            one
            for one in module.expressions_at({one.span for one in places})
            if isinstance(one, ast.Attribute | ast.Name) and module.place(one) in places
        ]
        for node in sorted(nodes, key=lambda one: module.span(one).start):
            for found, end in self._reads(module, node, places[module.place(node)], read_of):
                if not any(_covers(module, one, found, end) for one in kept):
                    kept.append(found)
                    yield found

    def _reads(
        self,
        module: Module,
        node: ast.Attribute | ast.Name,
        writes: list[Place],
        read_of: ReadOf,
    ) -> Iterator[tuple[_Read, int]]:
        """Yield what is read of an object, each with the end of the first write that changes it."""
        statement, function = module.statement_of(node), function_of(module, node)
        if statement is None or function is None or not is_of_function(module, node, function):
            return
        span = module.span(function)
        if isinstance(getattr(module.parent(node), "ctx", None), ast.Store):
            # A collection that is replaced is loaded for that.
            start = module.span(node).start
            writes = [one for one in self._writes.in_file(module.path) if one.span.end <= start]
        writes = [one for one in writes if span.contains(one.span)]
        first = whole_if(module, statement)
        if not writes or module.place(first) in self._done:
            return
        values = self._project.values.of(module, node).alternatives
        kind = kind_of(self._project, values)
        # The session is asked last: it costs an evaluation of every name in the function.
        is_known = kind in {"one", "optional"}
        session = session_in(self._project, module, function) if is_known else ""
        if not session:
            return
        is_optional = kind == "optional" or is_conditional(module, node, first)
        read = _Read(first, module.text_of(node), "", session, is_optional, module.text_of(node))
        owners = tuple(one.qualified for one in values if isinstance(one, InstanceOf))
        deleted = sorted(self._loading.read_to_delete(module, node, values))
        steps = [*read_of.along(module, node, values)]
        steps += [Step(read.text, name, owners) for name in deleted]
        ends = self._commits.get(module.place(node), ())
        still = [
            one
            for one in writes
            if not _binds(module, one, read.text.partition(".")[0])
            and not ends_before(module, one.span.end, statement, ends)
        ]
        sight = _Sight(module, node, function, writes, still)
        yield from self._of_steps(sight, read, [one for one in steps if self._is_kept(one)])

    def _of_steps(
        self, sight: _Sight, read: _Read, steps: Iterable[Step]
    ) -> Iterator[tuple[_Read, int]]:
        """Yield those of ``steps`` that have to be loaded in front of a statement."""
        module, before = sight.module, list[Step]()
        for step in steps:
            is_first = read.text == step.text and not step.is_many
            found = replace(
                read,
                step=step,
                may_be_lost=self._states.may_be_lost(module, sight.node, step.text),
                text=step.text,
                name=step.name,
                is_optional=read.is_optional if is_first else not step.is_many,
                is_many=step.is_many,
                is_by_key=not any(
                    self._project.orm.is_collection(one, step.name) for one in step.owners
                ),
            )
            changing = [
                one
                for one in sight.still
                if any(self._writes.changes(one, owner, step.name) for owner in step.owners)
                and not self._is_refreshed(module, found, one)
            ]
            is_other = any(
                self._writes.sets_key(one, each.owners) for one in sight.writes for each in before
            )
            is_other = is_other or self._is_reset(sight, before, step)
            before = [step]
            if not changing:
                if is_other or self._is_of_new(module, step, sight.writes, found):
                    yield replace(found, is_new=True), min(one.span.end for one in sight.writes)
            elif not _is_used_before(module, sight.function, changing[0], found):
                yield found, changing[0].span.end

    def _is_kept(self, step: Step) -> bool:
        """Whether all objects that are read have the relationship, and keep it."""
        return all(self._loading.is_kept(owner, step.name) for owner in step.owners)

    def _is_reset(self, sight: _Sight, before: Iterable[Step], step: Step) -> bool:
        """Whether a refresh may have left unloaded what leads back to the object itself."""
        inverses = [
            self._project.orm.inverse_of(owner, one.name) for one in before for owner in one.owners
        ]
        is_back = any(one is not None and one.attribute == step.name for one in inverses)
        return is_back and any(self._writes.refreshes(one) for one in sight.writes)

    def _is_of_new(self, module: Module, step: Step, writes: Iterable[Place], read: _Read) -> bool:
        """Whether a relationship is read of what may be new, and nobody loads it with the write."""
        start = module.span(read.statement).start
        making = [one for one in writes if self._writes.makes(one, step, start)]
        return any(
            _is_given_away(module, call, read)
            for one in making
            for call in module.calls_at(one.span)[:1]
        )

    def _is_refreshed(self, module: Module, read: _Read, write: Place) -> bool:
        calls = module.calls_at(write.span)[:1]
        return any(is_refreshed(module, read.statement, one, read.text) for one in calls)


def _binds(module: Module, write: Place, name: str) -> bool:
    """Whether a variable gets its object from the very call that writes."""
    for call in module.calls_at(write.span)[:1]:
        match module.statement_of(call):
            case ast.Assign(targets=[ast.Name(id=bound)]):
                return bound == name
            case _:
                pass
    return False


def _is_used_before(module: Module, function: ast.AST, write: Place, read: _Read) -> bool:
    """Whether a function reads or sets a relationship in front of a write: it was loaded then."""
    return any(
        isinstance(one, ast.Attribute)
        and one.attr == read.name
        and module.span(one).start < write.span.end
        and (read.is_many or module.text_of(one.value) == read.text)
        for one in module.walk(function)
    )


def _covers(module: Module, earlier: _Read, later: _Read, behind: int) -> bool:
    """Whether what one read loads is there for another; ``behind`` is the end of a write."""
    is_same = (earlier.text, earlier.name) == (later.text, later.name)
    return is_same and covers(module, earlier.statement, later.statement, later.text, [behind])


def _is_given_away(module: Module, made: ast.Call, read: _Read) -> bool:
    """Whether an object may be in a session where it is read, and be flushed there."""
    match module.parent(made):
        case ast.Assign(targets=[ast.Name(id=name)]):
            pass
        case _:
            return True
    start, end = module.span(made).end, module.span(read.statement).start
    given = [
        module.span(one).end
        for one in module.walk(module.enclosing_function(made))
        if isinstance(one, ast.Call)
        and start < module.span(one).start < end
        and any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(one))
    ]
    return bool(given) and any(
        isinstance(one, ast.Call) and min(given) <= module.span(one).start < end
        for one in module.walk(module.enclosing_function(made))
    )


def _code(read: _Read, inspect: str, item: str) -> str:
    reading = "" if read.step is None else loaded_as_read(read.session, [read.step])
    if read.is_new:
        if read.may_be_lost:
            # What is flushed as deleted still loads, until a commit detaches it.
            return f"if not {inspect}({read.root}).detached:\n    {reading}"
        is_plain = not read.is_optional or "." in read.text
        return reading if is_plain else f"if {read.text} is not None:\n    {reading}"
    text, name = item if read.is_many else read.text, read.name
    given = f"{text} is not None and " if read.is_optional else ""
    changed = f"{inspect}({text}).attrs.{name}.history.has_changes()"
    code = f'    await {read.session}.refresh({text}, attribute_names=["{name}"])\n'
    if (read.may_be_lost or read.is_by_key) and not read.is_many:
        # A refresh of what the next flush deletes raises, and it reads keys that are not flushed
        # from the database; a read does neither.
        code = f'    {read.session}.expire({text}, ["{name}"])\n    {reading}'
    code = f"if {given}{inspect}({text}).persistent and not {changed}:\n{code}"
    if read.is_many:
        lines = "".join(f"    {line}\n" for line in code.splitlines())
        return f"for {item} in {read.text}:\n{lines}"
    return code
