"""Relationships that are read behind a commit, of objects of before: they are read anew.

A synchronous session expires them when it commits, so that the next read gives what the database
has. So does a request of a test that shares its session.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.handed_objects import HandedObjects
from awaken.codemods.sqlalchemy.session_to_async.reads.covered import covers, is_refreshed
from awaken.codemods.sqlalchemy.session_to_async.reads.reading import (
    function_of,
    is_conditional,
    is_of_function,
    kind_of,
    session_in,
    whole_if,
)
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.commits.domain import Commit
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import InstanceOf, Values

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import Behind
    from awaken.codemods.sqlalchemy.session_to_async.reads.loading import Loading
    from awaken.project import Project

_SESSION_OF = "sqlalchemy.ext.asyncio.async_object_session"
_CHANGING = {"add", "append", "clear", "discard", "extend", "insert", "pop", "remove", "update"}


@dataclass(frozen=True, slots=True)
class _Read:
    """A read of ``name`` of what ``text`` says, in front of which ``statement`` it is loaded."""

    statement: ast.stmt
    text: str
    name: str
    session: str
    is_optional: bool


class ReadsAfterCommits:
    """What becomes of such reads in one program.

    ``requests`` are calls that have a session of a test commit.
    """

    def __init__(
        self,
        project: Project,
        rule: str,
        loading: Loading,
        behind: Behind,
        requests: Iterable[Place],
    ) -> None:
        self._project = project
        self._rule = rule
        self._loading = loading
        self._handed = HandedObjects(project)
        self._sent = frozenset(requests)
        self._refreshing = behind.refreshing
        sent = [Commit(one, is_async=False) for one in requests]
        self._places: defaultdict[str, dict[Place, list[Place]]] = defaultdict(dict)
        for one in (
            *behind.commits,
            *behind.refreshes,
            *project.orm.commits.read_in_functions(sent),
        ):
            if one.kind == "read":
                self._places[one.place.path].setdefault(one.place, []).append(one.commit)
        self._statements = {
            module.place(read.statement) for module, reads in self._all() for read in reads
        }

    def places(self) -> frozenset[Place]:
        """Return the statements in front of which something is loaded."""
        return frozenset(self._statements)

    def members(self) -> Iterator[Member]:
        """Yield what is written in front of these statements."""
        for module, reads in self._all():
            by_statement: defaultdict[ast.stmt, list[_Read]] = defaultdict(list)
            for one in reads:
                by_statement[one.statement].append(one)
            for statement, each in by_statement.items():
                yield self._member(Site(self._rule, module, statement), each)

    def _member(self, site: Site[ast.AST], reads: list[_Read]) -> Member:
        together: defaultdict[str, list[_Read]] = defaultdict(list)
        for one in reads:
            together[one.text].append(one)
        code, imports = "", list[Edit]()
        for text, each in together.items():
            session = each[0].session
            if not session:
                function, imports = name_beside(self._project, site, None, _SESSION_OF)
                session = f"{function}({text})"
            names = ", ".join(f'"{one}"' for one in sorted({one.name for one in each}))
            line = f"await {session}.refresh({text}, attribute_names=[{names}])\n"
            is_optional = all(one.is_optional for one in each)
            code += f"if {text} is not None:\n    {line}" if is_optional else line
        shown = " and ".join(dict.fromkeys(f"`{one.text}.{one.name}`" for one in reads))
        message = f"{shown} is read anew behind a commit, as it was"
        place = site.module.place(site.node)
        edits = [site.insert_statements(place, "before", code), *imports]
        return Member(site, Rewrite(message, edits), shown)

    # ---------------------------------------------------------------------------------- reads
    def _all(self) -> Iterator[tuple[Module, list[_Read]]]:
        for path in sorted(self._places):
            module = self._project.module(path)
            if module is not None:
                yield module, list(self._in_file(module))

    def _in_file(self, module: Module) -> Iterator[_Read]:
        places = self._places[module.path]
        nodes = [
            one
            for one in module.walk()
            if isinstance(one, ast.Attribute | ast.Name) and module.place(one) in places
        ]
        kept: list[_Read] = []
        behind = sorted({one.span.end for events in places.values() for one in events})
        for node in sorted(nodes, key=lambda one: module.span(one).start):
            events = places[module.place(node)]
            for found in self._reads(module, node, events):
                if any(_covers(module, one, found, behind) for one in kept):
                    continue
                is_again = any(_is_same(module, one, found) for one in kept)
                if is_again and _is_changed(module, found, events[0]):
                    continue
                kept.append(found)
                yield found

    def _reads(
        self, module: Module, node: ast.Attribute | ast.Name, events: list[Place]
    ) -> Iterator[_Read]:
        names, function = self._names(module, node), function_of(module, node)
        statement = module.statement_of(node)
        if not names or statement is None or function is None:
            return
        if not is_of_function(module, node, function):
            return
        values = self._project.values.of(module, node).alternatives
        kind = kind_of(self._project, values)
        if kind not in {"one", "optional"}:
            return
        text, first = module.text_of(node), whole_if(module, statement)
        events = self._concerning(module, events, text)
        if not events:
            return
        made = self._made(module, function, values)
        given = set() if made is None else {one.arg for one in made.keywords}
        is_whole = self._is_refreshed(module, statement, events, text)
        is_optional = kind == "optional" or is_conditional(module, node, first)
        for name in sorted(names):
            if not self._is_relationship(values, name, is_whole=is_whole):
                continue
            if made is not None and name not in given and self._sent.isdisjoint(events):
                # What reads it is known then, and it is loaded behind the commit.
                continue
            yield _Read(first, text, name, session_in(self._project, module, function), is_optional)

    def _names(self, module: Module, node: ast.Attribute | ast.Name) -> frozenset[str]:
        """Return what is read of an object: where it stands, or by functions that are given it."""
        above = module.parent(node)
        above = module.parent(above) if isinstance(above, ast.keyword) else above
        match above:
            case ast.Attribute(attr=name):
                return frozenset({name})
            case ast.Call() as call if call.func is not node:
                return self._handed.attributes(module, call, node)
            case _:
                return frozenset()

    def _is_refreshed(
        self, module: Module, statement: ast.stmt, events: list[Place], text: str
    ) -> bool:
        """Whether an object is read anew behind all that may commit."""
        calls = [call for one in events for call in module.calls_at(one.span)[:1]]
        return len(calls) == len(events) and all(
            module.place(call) in self._refreshing or is_refreshed(module, statement, call, text)
            for call in calls
        )

    def _concerning(self, module: Module, events: list[Place], text: str) -> list[Place]:
        """Return the events that concern an object: refreshes only those of itself."""
        return [
            one
            for one in events
            if one not in self._refreshing
            or any(module.text_of(call.args[0]) == text for call in module.calls_at(one.span))
        ]

    def _is_relationship(self, values: Values, name: str, *, is_whole: bool) -> bool:
        """Whether an object keeps what ``name`` gives, and does not have it from a refresh."""
        return any(
            isinstance(one, InstanceOf)
            and self._loading.is_kept(one.qualified, name)
            and not (is_whole and self._loading.is_loaded_with(one.qualified, name))
            for one in values
        )

    def _made(self, module: Module, function: Function, values: Values) -> ast.Call | None:
        """Return the call by which a function makes an object itself."""
        span = module.span(function)
        for one in values:
            for origin in (one.origins or ()) if isinstance(one, InstanceOf) else ():
                is_here = origin.place.path == module.path and span.contains(origin.place.span)
                for call in module.calls_at(origin.place.span) if is_here else ():
                    name = self._project.qualified_name(module, call.func)
                    if name is not None and self._project.orm.mapped_class(name) is not None:
                        return call
        return None


def _is_same(module: Module, one: _Read, other: _Read) -> bool:
    is_named_so = (one.text, one.name) == (other.text, other.name)
    return is_named_so and function_of(module, one.statement) is function_of(
        module, other.statement
    )


def _is_changed(module: Module, read: _Read, event: Place) -> bool:
    """Whether a collection is changed behind the commit by hand: read anew, it may lose that."""
    text, function = f"{read.text}.{read.name}", function_of(module, read.statement)
    is_here = function is not None and module.span(function).contains(event.span)
    start = event.span.end if is_here and event.path == module.path else 0
    for node in module.walk(function):
        if not isinstance(node, ast.Attribute) or module.span(node).start < start:
            continue
        if not isinstance(node.ctx, ast.Load) and module.text_of(node) == text:
            return True
        if node.attr in _CHANGING and module.text_of(node.value) == text:
            return True
    return False


def _covers(module: Module, earlier: _Read, later: _Read, behind: Sequence[int]) -> bool:
    """Whether what one read loads is there for another; ``behind`` are the ends of commits."""
    return _is_same(module, earlier, later) and covers(
        module, earlier.statement, later.statement, later.text, behind
    )
