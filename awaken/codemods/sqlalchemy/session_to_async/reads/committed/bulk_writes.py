"""Relationships that are read behind a bulk write of a session, which does not see what it wrote.

What is loaded when it is first read has the new rows. Loaded with its object, it has not: it is
read anew in front of that read, if the object is in the database, and the collection was not
changed by hand.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import ReadOf
from awaken.codemods.sqlalchemy.session_to_async.reads.covered import covers, is_refreshed
from awaken.codemods.sqlalchemy.session_to_async.reads.reading import (
    function_of,
    is_conditional,
    is_of_function,
    kind_of,
    session_in,
    whole_if,
)
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.commits.domain import Commit
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loading import Loading
    from awaken.contract import Place
    from awaken.project import Project

_WRITING = ("bulk_insert_mappings", "bulk_save_objects", "bulk_update_mappings")
_INSPECT = "sqlalchemy.inspect"


@dataclass(frozen=True, slots=True)
class _Read:
    """A read of ``name`` of what ``text`` says, in front of which ``statement`` it is loaded."""

    statement: ast.stmt
    text: str
    name: str
    session: str
    is_optional: bool


class ReadsAfterBulkWrites:
    """What becomes of such reads in one program; in front of ``done`` others load them anyway."""

    def __init__(
        self, project: Project, rule: str, loading: Loading, done: Collection[Place]
    ) -> None:
        self._project = project
        self._rule = rule
        self._loading = loading
        self._done = done

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
        inspect, imports = name_beside(self._project, site, None, _INSPECT)
        code = "".join(_code(one, inspect) for one in reads)
        shown = " and ".join(f"`{one.text}.{one.name}`" for one in reads)
        message = f"{shown} is read behind a bulk write, and is loaded then, as it was"
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
                yield module, list(self._in_file(module, places))

    @cached_property
    def _places(self) -> dict[str, dict[Place, Place]]:
        """By file, what may be read of before, each with the write in front of it."""
        writes = [
            Commit(module.place(call), is_async=False)
            for module in modules_with(self._project, [one.encode() for one in _WRITING])
            for call in self._writes(module)
        ]
        found: defaultdict[str, dict[Place, Place]] = defaultdict(dict)
        for one in self._project.orm.commits.read_in_functions(writes):
            found[one.place.path].setdefault(one.place, one.commit)
        return dict(sorted(found.items()))

    def _writes(self, module: Module) -> Iterator[ast.Call]:
        for node in module.walk():
            match node:
                case ast.Call(func=ast.Attribute(value=session, attr=method)) if method in _WRITING:
                    proof = self._project.orm.session_of(module, session)
                    if isinstance(proof, SessionProof) and not proof.kind.startswith("async"):
                        yield node
                case _:
                    pass

    def _in_file(self, module: Module, places: dict[Place, Place]) -> Iterator[_Read]:
        read_of, kept = ReadOf(self._project), list[_Read]()
        nodes = [
            one
            for one in module.expressions_at({one.span for one in places})
            if isinstance(one, ast.Attribute | ast.Name) and module.place(one) in places
        ]
        for node in sorted(nodes, key=lambda one: module.span(one).start):
            write = module.calls_at(places[module.place(node)].span)[0]
            for found in self._reads(module, node, write, read_of):
                end = module.span(write).end
                if not any(_covers(module, one, found, end) for one in kept):
                    kept.append(found)
                    yield found

    def _reads(
        self, module: Module, node: ast.Attribute | ast.Name, write: ast.Call, read_of: ReadOf
    ) -> Iterator[_Read]:
        statement, function = module.statement_of(node), function_of(module, node)
        if statement is None or function is None or function is not function_of(module, write):
            return
        values = self._project.values.of(module, node).alternatives
        kind, text = kind_of(self._project, values), module.text_of(node)
        first, session = whole_if(module, statement), session_in(self._project, module, function)
        if (
            kind not in {"one", "optional"}
            or not session
            or not is_of_function(module, node, function)
            or is_refreshed(module, statement, write, text)
            or module.place(first) in self._done
        ):
            return
        is_optional = kind == "optional" or is_conditional(module, node, first)
        owners = [one.qualified for one in values if isinstance(one, InstanceOf)]
        for name in sorted(read_of.names(module, node, values, is_many=False)):
            is_relationship = any(self._loading.is_kept(owner, name) for owner in owners)
            if is_relationship and not _is_used_before(module, function, write, text, name):
                yield _Read(first, text, name, session, is_optional)


def _is_used_before(
    module: Module, function: ast.AST, write: ast.Call, text: str, name: str
) -> bool:
    """Whether a function reads or sets a relationship in front of a write: it was loaded then."""
    end = module.span(write).end
    return any(
        isinstance(one, ast.Attribute)
        and one.attr == name
        and module.span(one).start < end
        and module.text_of(one.value) == text
        for one in module.walk(function)
    )


def _covers(module: Module, earlier: _Read, later: _Read, behind: int) -> bool:
    """Whether what one read loads is there for another; ``behind`` is the end of a write."""
    is_same = (earlier.text, earlier.name) == (later.text, later.name)
    return is_same and covers(module, earlier.statement, later.statement, later.text, [behind])


def _code(read: _Read, inspect: str) -> str:
    text, name = read.text, read.name
    given = f"{text} is not None and " if read.is_optional else ""
    changed = f"{inspect}({text}).attrs.{name}.history.has_changes()"
    return (
        f"if {given}{inspect}({text}).persistent and not {changed}:\n"
        f'    await {read.session}.refresh({text}, attribute_names=["{name}"])\n'
    )
