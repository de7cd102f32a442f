"""Says what becomes of queries that are kept in variables: one change for all that share them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.annotations import (
    imported_from,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.judgement import (
    Rewritten,
    WebVerdict,
    judge_web,
)
from awaken.codemods.sqlalchemy.query_to_select.components.holders import read_web
from awaken.codemods.sqlalchemy.query_to_select.manual import manual
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ClassRewrite,
    ExtensionRewrite,
    LeftOut,
    QueryRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.doubles import without_doubles
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import Recognised, Sites
from awaken.codemods.sqlalchemy.query_to_select.releases import released_sessions
from awaken.contract import (
    Change,
    ChangeId,
    Edit,
    Finding,
    Level,
    NeedImport,
    NodeEdit,
    Pins,
    Place,
    ReleaseImport,
    SiteId,
    Span,
    TextEdit,
)
from awaken.kit.sites import with_caveats
from awaken.project.source.modules import Module, site_id

if TYPE_CHECKING:
    from awaken.project import Project

_REWRITERS: dict[type, str] = {
    BulkRewrite: "write",
    ExtensionRewrite: "extended",
    QueryRewrite: "query",
}
_MOST_PLACES = 100
"""Other places that a finding names; each of so many queries would name all of the others. No web
of the programs measured has more than 24."""

Decided = tuple[Finding, Change | None]


class KeptQueries:
    """The queries of one file that outlive their expression, with what becomes of each.

    Where they go through other files, their change and the findings there come with it.
    """

    def __init__(
        self, project: Project, module: Module, sites: Sites, rule: str, pins: Pins
    ) -> None:
        self._reader = Reader(project, module)
        self._module = module
        self._sites = sites
        self._rule = rule
        self._pins = pins
        self._members: dict[Module, dict[ast.AST, Recognised]] = {}
        self._decided: dict[ast.AST, Decided] = {}
        for root, member in self._in_file(module).items():
            if member.refused is None and root not in self._decided:
                self._decide(member.root)

    @property
    def members(self) -> Collection[Recognised]:
        """All queries of the file."""
        return self._in_file(self._module).values()

    def of(self, root: ast.AST) -> Decided | None:
        """Return the finding of ``root``, and the change of its web once; None if none keeps it."""
        return self._decided.get(root)

    def elsewhere(self) -> Iterator[Decided]:
        """Yield what is decided of queries in other files, which share something with one here."""
        own = self._in_file(self._module)
        yield from (decided for root, decided in self._decided.items() if root not in own)

    def _in_file(self, module: Module) -> dict[ast.AST, Recognised]:
        if module not in self._members:
            found = without_doubles(self._reader.project, module, self._sites.of(module))
            self._members[module] = {one.root: one for one in found}
        return self._members[module]

    def _decide(self, root: ast.Call | ast.Attribute) -> None:
        try:
            web = read_web(self._reader, root, self._in_file)
        except Refused as refused:
            self._decided[root] = manual(self._rule, self._module, root, refused), None
            return
        if web is None:
            return
        roots = web.roots
        try:
            self._check_members(web)
            verdict = judge_web(web)
            caveats = [self._member(one).caveat for one in roots]
            verdict.caveats += [c for c in dict.fromkeys(caveats) if c and c not in verdict.caveats]
        except Refused as refused:
            self._decided.update(
                {
                    one.start: (
                        manual(self._rule, one.frame.reader.module, one.start, refused),
                        None,
                    )
                    for one in roots
                }
            )
            return
        sites = {one: site_id(self._rule, one.frame.reader.module, one.start) for one in roots}
        if self._pins.left_out.isdisjoint(sites.values()):
            self._rewrite(verdict, sites)
        else:
            self._leave(verdict, sites)

    def _member(self, root: Segment) -> Recognised:
        return self._in_file(root.frame.reader.module)[root.start]

    def _check_members(self, web: Web) -> None:
        """Raise Refused if something stands against one of the queries by itself."""
        writes = any(use.ending == "written" for use in web.uses)
        for root in web.roots:
            refused = self._member(root).refused
            if refused is not None:
                place = root.frame.place(root.start, refused.message)
                raise Refused(refused.reason, cure=refused.cure, because=(place,))
            if writes:
                self._member(root).raise_if_write_refused()

    # ---------------------------------------------------------------------------------- findings
    def _leave(self, verdict: WebVerdict, sites: dict[Segment, SiteId]) -> None:
        """What shares something with a site that is left out stays with it."""
        for root, site in sites.items():
            if site in self._pins.left_out:
                change = ChangeId(f"{self._rule}:{site}")
                self._decided[root.start] = self._found(verdict, root, site, change), None
            else:
                refused = Refused(reasons.BESIDE_LEFT_OUT)
                finding = manual(self._rule, root.frame.reader.module, root.start, refused)
                self._decided[root.start] = finding, None

    def _rewrite(self, verdict: WebVerdict, sites: dict[Segment, SiteId]) -> None:
        first, *_ = sites.values()
        change = ChangeId(f"{self._rule}:{first}")
        for root, site in sites.items():
            self._decided[root.start] = self._found(verdict, root, site, change), None
        start = verdict.web.roots[0].start
        finding = self._decided[start][0]
        self._decided[start] = (
            finding,
            Change(
                id=change,
                rule=self._rule,
                title=finding.message,
                level=finding.level,
                sites=tuple(sites.values()),
                edits=tuple(self._edits(verdict, first)),
            ),
        )

    def _found(self, verdict: WebVerdict, root: Segment, site: SiteId, change: ChangeId) -> Finding:
        module = root.frame.reader.module
        span = Span(module.span(root.start).start, module.span(root.node).end)
        return Finding(
            site=site,
            rule=self._rule,
            level=Level.UNSAFE if verdict.caveats else Level.SAFE,
            place=Place(module.path, span),
            scope=module.scope_name(root.start),
            message=_message(verdict, root),
            chain=(
                *islice(_others(verdict, root), _MOST_PLACES),
                *_annotated(verdict),
                *_given(verdict),
            ),
            change=change,
        )

    # ------------------------------------------------------------------------------------- edits
    def _edits(self, verdict: WebVerdict, site: SiteId) -> Iterator[Edit]:
        for part in verdict.parts:
            if part.data is not None:
                yield _edit(part, site)
        for note in verdict.annotations:
            path = note.frame.path
            anchor = note.frame.span(note.node)
            yield TextEdit(path=path, anchor=anchor, text=note.text, site=site)
            if note.released is not None:
                home, name = note.released
                yield ReleaseImport(path=path, module=home, name=name, site=site)
        written = [(path, one) for path, names in verdict.needs.items() for one in names]
        for parameter in verdict.parameters:
            for path, anchor, text, named in parameter.written():
                yield TextEdit(path=path, anchor=anchor, text=text, site=site)
                written += [] if named is None else [(path, named)]
        yield from _session_reads(verdict, site)
        written += [(note.frame.path, note.needs) for note in verdict.annotations]
        for path, needs in dict.fromkeys((path, one.needs) for path, one in written if one.needs):
            home, name, alias = needs
            yield NeedImport(path=path, module=home, name=name, alias=alias, site=site)
        for root in verdict.web.roots:
            yield from released_sessions(root.frame.reader.module, [root.receiver], site)


def _edit(part: Rewritten, site: SiteId) -> NodeEdit:
    node, frame = part.segment.node, part.segment.frame
    data: QueryRewrite | BulkRewrite | ExtensionRewrite | ClassRewrite | None = part.data
    rewriter = _REWRITERS[type(data)]
    if isinstance(part.segment.start, ast.Attribute) and data is not None:
        data, rewriter = ClassRewrite(session="session", rewriter=rewriter, data=data), "at-class"
    return NodeEdit(
        path=frame.path,
        anchor=frame.span(node),
        node=type(node).__name__,
        rewriter=rewriter,
        data=data,
        site=site,
    )


def _session_reads(verdict: WebVerdict, site: SiteId) -> Iterator[Edit]:
    """Yield the edits of what reads the session off a query."""
    gone = {one.instead: one.frame for one in verdict.parameters if one.instead is not None}
    for statement, frame in gone.items():
        yield NodeEdit(
            path=frame.path,
            anchor=frame.span(statement),
            node=type(statement).__name__,
            rewriter="left-out",
            data=LeftOut(),
            site=site,
        )
    for read, session in verdict.reads:
        asked = read.node.value if isinstance(read.node, ast.Attribute) else None
        inspect = asked.func if isinstance(asked, ast.Call) else None
        home = None if inspect is None else imported_from(read.frame.reader, inspect)
        if home is not None:
            yield ReleaseImport(path=read.frame.path, module=home[0], name=home[1], site=site)
        if read.frame.reader.module.statement_of(read.node) not in gone:
            anchor = read.frame.span(read.node)
            yield TextEdit(path=read.frame.path, anchor=anchor, text=session.text, site=site)


def _annotated(verdict: WebVerdict) -> Iterator[Place]:
    for note in verdict.annotations:
        yield note.frame.place(note.node, "its annotation is changed as well")


def _given(verdict: WebVerdict) -> Iterator[Place]:
    for parameter in verdict.parameters:
        yield from parameter.places()


def _others(verdict: WebVerdict, root: Segment) -> Iterator[Place]:
    """Yield where else something is written with the query of ``root``."""
    for part in verdict.parts:
        if part.data is not None and part.segment is not root:
            yield part.segment.place(
                "it is executed here" if part.runs else "it is changed with this"
            )


def _message(verdict: WebVerdict, root: Segment) -> str:
    sentence = f"the query {_holder(verdict, root)} becomes `{verdict.becomes}(...)`"
    runs = [part.segment for part in verdict.parts if part.runs]
    own = [one for one in runs if one.frame.path == root.frame.path]
    module = root.frame.reader.module
    lines = [str(n) for n in sorted(module.line_column(module.span(one.node))[0] for one in own)]
    places = [f"line{'s' if len(set(lines)) > 1 else ''} {_listed(lines)}"] if lines else []
    places += [one.frame.path for one in runs if one.frame.path != root.frame.path]
    if places:
        sentence += f", executed in {_listed(places)}"
    return with_caveats(sentence, verdict.caveats)


def _listed(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return ", ".join(words[:-1]) + (" and " if words[1:] else "") + words[-1]


def _holder(verdict: WebVerdict, root: Segment) -> str:
    """Say what holds the query of ``root`` first."""
    for kept, segments in verdict.web.definitions.items():
        if root in segments:
            function = kept.frame.function.name
            if kept.binding is None:
                return f"that `{function}` returns"
            is_passed = kept.binding.kind == "parameter"
            return f"passed to `{function}`" if is_passed else f"in `{kept.binding.name}`"
    return "here"
