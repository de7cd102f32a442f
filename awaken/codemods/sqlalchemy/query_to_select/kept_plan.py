"""Says what becomes of queries that are kept in variables: one change for all that share them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.kept import Segment, Web, read_web
from awaken.codemods.sqlalchemy.query_to_select.kept_judgement import WebVerdict, judge_web
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sessions import Recognised
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
from awaken.project.modules import Module, site_id

if TYPE_CHECKING:
    from awaken.project import Project

Decided = tuple[Finding, Change | None]


class KeptQueries:
    """The queries of one file that are kept in variables, with what becomes of each."""

    def __init__(
        self, project: Project, module: Module, members: Sequence[Recognised], rule: str, pins: Pins
    ) -> None:
        self._reader = Reader(project, module)
        self._module = module
        self._rule = rule
        self._pins = pins
        self._members = {member.root: member for member in members}
        self._decided: dict[ast.AST, Decided] = {}
        for member in members:
            root = member.root
            if member.refused is None and isinstance(root, ast.Call) and root not in self._decided:
                self._decide(root)

    def of(self, root: ast.AST) -> Decided | None:
        """Return the finding of ``root``, and the change of its web once; None if none keeps it."""
        return self._decided.get(root)

    def _decide(self, root: ast.Call) -> None:
        try:
            web = read_web(self._reader, root, self._members)
        except Refused as refused:
            self._decided[root] = self._manual(root, refused), None
            return
        if web is None:
            return
        roots = web.roots
        try:
            writes = any(use.ending == "written" for use in web.uses)
            for one in roots:
                self._raise_if_refused(web, one)
                if writes:
                    self._members[one].raise_if_write_refused()
            verdict = judge_web(web)
            caveats = [self._members[one].caveat for one in roots if self._members[one].caveat]
            verdict.caveats += [one for one in caveats if one not in verdict.caveats]
        except Refused as refused:
            self._decided.update({one: (self._manual(one, refused), None) for one in roots})
            return
        sites = {one: self._site(one) for one in roots}
        if self._pins.left_out.isdisjoint(sites.values()):
            self._rewrite(web, verdict, sites)
        else:
            self._leave(verdict, sites)

    def _raise_if_refused(self, web: Web, root: ast.Call) -> None:
        refused = self._members[root].refused
        if refused is not None:
            place = web.place(root, refused.message)
            raise Refused(refused.reason, cure=refused.cure, because=(place,))

    def _site(self, root: ast.Call) -> SiteId:
        return site_id(self._rule, self._module, root)

    # ---------------------------------------------------------------------------------- findings
    def _manual(self, root: ast.Call, refused: Refused) -> Finding:
        return Finding(
            site=self._site(root),
            rule=self._rule,
            level=Level.MANUAL,
            place=Place(self._module.path, self._module.span(root)),
            scope=self._module.scope_name(root),
            message=refused.message,
            reason=f"{self._rule}/{refused.reason.code}",
            cure=refused.cure,
            chain=refused.because,
        )

    def _leave(self, verdict: WebVerdict, sites: dict[ast.Call, SiteId]) -> None:
        """What shares a variable with a site that is left out stays with it."""
        for root, site in sites.items():
            if site in self._pins.left_out:
                change = ChangeId(f"{self._rule}:{site}")
                self._decided[root] = self._found(verdict, root, site, change), None
            else:
                self._decided[root] = self._manual(root, Refused(reasons.BESIDE_LEFT_OUT)), None

    def _rewrite(self, web: Web, verdict: WebVerdict, sites: dict[ast.Call, SiteId]) -> None:
        first, *_ = sites.values()
        change = ChangeId(f"{self._rule}:{first}")
        for root, site in sites.items():
            finding = self._found(verdict, root, site, change)
            self._decided[root] = finding, None
        finding = self._decided[web.roots[0]][0]
        self._decided[web.roots[0]] = (
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

    def _found(
        self, verdict: WebVerdict, root: ast.Call, site: SiteId, change: ChangeId
    ) -> Finding:
        segment = next(part.segment for part in verdict.parts if part.segment.start is root)
        span = Span(self._module.span(root).start, self._module.span(segment.node).end)
        return Finding(
            site=site,
            rule=self._rule,
            level=Level.UNSAFE if verdict.caveats else Level.SAFE,
            place=Place(self._module.path, span),
            scope=self._module.scope_name(root),
            message=self._message(verdict, segment),
            chain=(*self._others(verdict, segment), *self._annotated(verdict)),
            change=change,
        )

    def _annotated(self, verdict: WebVerdict) -> Iterator[Place]:
        for note in verdict.annotations:
            yield verdict.web.place(note.node, "its annotation is changed as well")

    def _others(self, verdict: WebVerdict, segment: Segment) -> Iterator[Place]:
        """Yield where else something is written with the query of ``segment``."""
        for part in verdict.parts:
            if part.data is not None and part.segment is not segment:
                note = "it is executed here" if part.runs else "it is changed with this"
                yield verdict.web.place(part.segment.node, note)

    def _message(self, verdict: WebVerdict, segment: Segment) -> str:
        kept = self._module.statement_of(segment.node)
        target = getattr(kept, "target", None) or getattr(kept, "targets", [None])[0]
        name = target.id if isinstance(target, ast.Name) else "a variable"
        lines = [
            str(self._module.line_column(self._module.span(part.segment.node))[0])
            for part in verdict.parts
            if part.runs
        ]
        lines = list(dict.fromkeys(lines))
        sentence = f"the query in `{name}` becomes `select(...)`"
        if lines:
            words = ", ".join(lines[:-1]) + (" and " if lines[1:] else "") + lines[-1]
            sentence += f", executed in line{'s' if lines[1:] else ''} {words}"
        return f"{sentence}; {', and '.join(verdict.caveats)}" if verdict.caveats else sentence

    # ------------------------------------------------------------------------------------- edits
    def _edits(self, verdict: WebVerdict, site: SiteId) -> Iterator[Edit]:
        path = self._module.path
        for part in verdict.parts:
            if part.data is not None:
                node = part.segment.node
                yield NodeEdit(
                    path=path,
                    anchor=self._module.span(node),
                    node=type(node).__name__,
                    rewriter="write" if isinstance(part.data, BulkRewrite) else "query",
                    data=part.data,
                    site=site,
                )
        for note in verdict.annotations:
            anchor = self._module.span(note.node)
            yield TextEdit(path=path, anchor=anchor, text=note.text, site=site)
            if note.released is not None:
                module, name = note.released
                yield ReleaseImport(path=path, module=module, name=name, site=site)
        written = [*verdict.needs, *(note.needs for note in verdict.annotations)]
        for home, name, alias in dict.fromkeys(one.needs for one in written if one.needs):
            yield NeedImport(path=path, module=home, name=name, alias=alias, site=site)
