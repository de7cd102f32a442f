"""The rewrite of queries that belong together, one or a component: its findings, its one change."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.manual import manual
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ClassRewrite,
    ExtensionRewrite,
    GetRewrite,
    KindsRewrite,
    QueryRewrite,
    SliceRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.replaced_query_methods import CALLED
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Sites
from awaken.contract import (
    ByHand,
    Change,
    ChangeId,
    Edit,
    Finding,
    Level,
    NeedImport,
    NodeEdit,
    Place,
    ReleaseImport,
    SiteId,
    Span,
)
from awaken.kit.names_here import Written
from awaken.kit.sites import node_edit, with_caveats
from awaken.project.names.import_origins import imported_from
from awaken.project.source.lines.site_ids import site_id
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

Data = QueryRewrite | BulkRewrite | SliceRewrite | GetRewrite | ExtensionRewrite | KindsRewrite
Decided = tuple[Finding, Change | None]
MOCKED = "tests that mock the query fail until they mock the statement"
_BY_HAND = "mock the statement: the program no longer asks this mock for a query"


class Root(Struct, frozen=True):
    """One query from ``start`` to the ``node`` that its expression ends with, or a mock of one.

    ``sentence`` is its message, ``related`` the other places, ``session`` the call that made it.
    """

    module: Module
    start: ast.AST
    node: ast.AST
    sentence: str
    related: tuple[Place, ...]
    session: ast.expr | None


class Part(Struct, frozen=True):
    """An expression that is written again from ``data``; its start is read as one of ``session``.

    That is None where it begins at a session, as written.
    """

    module: Module
    node: ast.expr
    data: Data
    session: str | None

    def edit(self, site: SiteId) -> NodeEdit:
        """Return the edit that writes it."""
        if self.session is None:
            return node_edit(self.module, self.node, "write", self.data, site)
        data = ClassRewrite(session=self.session, data=self.data)
        return node_edit(self.module, self.node, "write-at-class", data, site)


class Rewrite(Struct, frozen=True):
    """The rewrite of ``roots``, of which none can be rewritten without all the others.

    ``caveats`` say what may change (none: it is safe), ``needs`` which names are written in which
    files. ``others`` gives the edits in addition to those of the parts, ``requires`` are queries
    that need a change of their own.
    """

    roots: Sequence[Root]
    parts: Sequence[Part]
    caveats: Sequence[str]
    needs: Sequence[tuple[str, Written]]
    others: Callable[[SiteId], Iterable[Edit]] = lambda _site: ()
    requires: Sequence[tuple[Module, ast.AST]] = ()

    def with_replacement_caveats(self, sites: Sites) -> Rewrite:
        """Return the rewrite with what may change for what the program replaces and configures."""
        executed = [
            (name, part.module, part.node) for part in self.parts for name in _runs(part.data)
        ]
        executed.sort(key=itemgetter(0))
        queries = [(part.module, part.node) for part in self.parts]
        replaced = (*sites.replaced.caveats(executed), *sites.replaced.of_query(queries))
        caveats = dict.fromkeys([*self.caveats, *replaced])
        for part in self.parts:
            caveats |= dict.fromkeys(sites.backrefs.caveats(part.module, part.node))
        return replace(self, caveats=tuple(caveats))

    def with_mocks_by_hand(self, project: Project, mocks: Iterable[Place]) -> Rewrite:
        """Return the rewrite that leaves the mocks at some places to the user, if there are any."""
        homes = [(project.module(place.path), place) for place in mocks]
        lines = {(home.path, home.line_column(place.span)[0]) for home, place in homes if home}
        if not lines:
            return self

        def others(site: SiteId) -> Iterator[Edit]:
            yield from self.others(site)
            for path, line in sorted(lines):
                yield ByHand(file=path, line=line, what=_BY_HAND, site=site)

        return replace(self, others=others, caveats=[*self.caveats, MOCKED])

    def findings(self, rule: str, excluded: Collection[SiteId]) -> dict[ast.AST, Decided]:
        """Return the finding of each root, and with the first one the change of all.

        Sites that share something with an ``excluded`` site stay with it.
        """
        sites = {root.start: site_id(rule, root.module, root.start) for root in self.roots}
        result: dict[ast.AST, Decided] = {}
        # One change rewrites all of them, so that it cannot leave one out.
        if any(site in excluded for site in sites.values()):
            for root in self.roots:
                result[root.start] = (
                    self._excluded_finding(rule, root, sites[root.start], excluded),
                    None,
                )
            return result
        change = self._change(rule, list(sites.values()))
        for root in self.roots:
            finding = self._finding(rule, root, sites[root.start], change.id)
            result[root.start] = finding, None if result else change
        return result

    def _excluded_finding(
        self, rule: str, root: Root, site: SiteId, excluded: Collection[SiteId]
    ) -> Finding:
        if site in excluded:
            return self._finding(rule, root, site, ChangeId(f"{rule}:{site}"))
        return manual(rule, root.module, root.start, Refused(reasons.BESIDE_LEFT_OUT))

    @property
    def _level(self) -> Level:
        return Level.UNSAFE if self.caveats else Level.SAFE

    def _finding(self, rule: str, root: Root, site: SiteId, change: ChangeId) -> Finding:
        module = root.module
        return Finding(
            site=site,
            rule=rule,
            level=self._level,
            place=Place(
                module.path, Span(module.span(root.start).start, module.span(root.node).end)
            ),
            scope=module.scope_name(root.start),
            message=with_caveats(root.sentence, self.caveats),
            related=root.related,
            change=change,
        )

    def _change(self, rule: str, sites: Sequence[SiteId]) -> Change:
        return Change(
            id=ChangeId(f"{rule}:{sites[0]}"),
            rule=rule,
            title=with_caveats(self.roots[0].sentence, self.caveats),
            level=self._level,
            sites=tuple(sites),
            edits=tuple(self._edits(sites[0])),
            requires=tuple(ChangeId(f"{rule}:{site_id(rule, *other)}") for other in self.requires),
        )

    def _edits(self, site: SiteId) -> Iterator[Edit]:
        yield from (part.edit(site) for part in self.parts)
        yield from self.others(site)
        written = dict.fromkeys((path, item.needs) for path, item in self.needs if item.needs)
        for path, (home, name, alias) in written:
            yield NeedImport(path=path, module=home, name=name, alias=alias, site=site)
        queries = [(part.module, part.node) for part in self.parts]
        sessions = [(root.module, root.session) for root in self.roots if root.session is not None]
        yield from released_names(queries, sessions, site)


def _runs(data: Data) -> Collection[str]:
    """Return the methods of the session that execute what is written from ``data``."""
    match data:
        case GetRewrite():
            return ("get",)
        case BulkRewrite():
            return ("execute",)
        case ExtensionRewrite():
            return CALLED
        case SliceRewrite(query=query):
            return _runs(query)
        case KindsRewrite(ways=ways, otherwise=otherwise):
            written = [*(rewrite for _, rewrite in ways), otherwise]
            return [name for rewrite in written for name in _runs(rewrite)]
        case QueryRewrite(runs=runs):
            return () if runs is None else (runs,)


def released_names(
    queries: Iterable[tuple[Module, ast.AST]],
    sessions: Iterable[tuple[Module, ast.expr]],
    site: SiteId,
) -> Iterator[ReleaseImport]:
    """Yield the imports that go if nothing refers to them then.

    Those that ``sessions`` begin with, and those of SQLAlchemy in ``queries``, of which a part may
    be left out. An import of the program stays: its module may be imported for what it does.
    """
    released = {(module.path, imported_from(module, session)) for module, session in sessions}
    for module, query in queries:
        for name in ast.walk(query):
            home = imported_from(module, name) if isinstance(name, ast.Name) else None
            if home is not None and home[0].partition(".")[0] == "sqlalchemy":
                released.add((module.path, home))
    written = sorted((path, *home) for path, home in released if home is not None)
    for path, module_name, released_name in written:
        yield ReleaseImport(path=path, module=module_name, name=released_name, site=site)
