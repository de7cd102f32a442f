"""The findings and the change of a component: one change for all queries that share something."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.collecting import read_component
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.decide.annotations import (
    imported_from,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decide.component_decision import (
    ComponentDecision,
    Rewritten,
    decide_component,
)
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
"""Other places that a finding names; each of so many queries would name all of the others. No
component of the programs measured has more than 24."""

Decided = tuple[Finding, Change | None]


class ComponentQueries:
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
        """Return the finding of ``root``, and its change once; None if nothing holds it."""
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
            component = read_component(self._reader, root, self._in_file)
        except Refused as refused:
            self._decided[root] = manual(self._rule, self._module, root, refused), None
            return
        if component is None:
            return
        roots = component.roots
        try:
            self._check_members(component)
            decision = decide_component(component)
            caveats = [self._member(one).caveat for one in roots]
            decision.caveats += [
                c for c in dict.fromkeys(caveats) if c and c not in decision.caveats
            ]
        except Refused as refused:
            self._decided.update(
                {
                    one.start: (
                        manual(self._rule, one.context.module, one.start, refused),
                        None,
                    )
                    for one in roots
                }
            )
            return
        sites = {one: site_id(self._rule, one.context.module, one.start) for one in roots}
        if self._pins.left_out.isdisjoint(sites.values()):
            self._rewrite(decision, sites)
        else:
            self._leave(decision, sites)

    def _member(self, root: ChainFragment) -> Recognised:
        return self._in_file(root.context.module)[root.start]

    def _check_members(self, component: Component) -> None:
        """Raise Refused if something stands against one of the queries by itself."""
        writes = any(use.ending == "written" for use in component.uses)
        for root in component.roots:
            refused = self._member(root).refused
            if refused is not None:
                place = root.context.place(root.start, refused.message)
                raise Refused(refused.reason, help=refused.help, because=(place,))
            if writes:
                self._member(root).raise_if_write_refused()

    # ---------------------------------------------------------------------------------- findings
    def _leave(self, decision: ComponentDecision, sites: dict[ChainFragment, SiteId]) -> None:
        """What shares something with a site that is left out stays with it."""
        for root, site in sites.items():
            if site in self._pins.left_out:
                change = ChangeId(f"{self._rule}:{site}")
                self._decided[root.start] = self._found(decision, root, site, change), None
            else:
                refused = Refused(reasons.BESIDE_LEFT_OUT)
                finding = manual(self._rule, root.context.module, root.start, refused)
                self._decided[root.start] = finding, None

    def _rewrite(self, decision: ComponentDecision, sites: dict[ChainFragment, SiteId]) -> None:
        first, *_ = sites.values()
        change = ChangeId(f"{self._rule}:{first}")
        for root, site in sites.items():
            self._decided[root.start] = self._found(decision, root, site, change), None
        start = decision.component.roots[0].start
        finding = self._decided[start][0]
        self._decided[start] = (
            finding,
            Change(
                id=change,
                rule=self._rule,
                title=finding.message,
                level=finding.level,
                sites=tuple(sites.values()),
                edits=tuple(self._edits(decision, first)),
            ),
        )

    def _found(
        self, decision: ComponentDecision, root: ChainFragment, site: SiteId, change: ChangeId
    ) -> Finding:
        module = root.context.module
        span = Span(module.span(root.start).start, module.span(root.node).end)
        return Finding(
            site=site,
            rule=self._rule,
            level=Level.UNSAFE if decision.caveats else Level.SAFE,
            place=Place(module.path, span),
            scope=module.scope_name(root.start),
            message=_message(decision, root),
            related=(
                *islice(_others(decision, root), _MOST_PLACES),
                *_annotated(decision),
                *_given(decision),
            ),
            change=change,
        )

    # ------------------------------------------------------------------------------------- edits
    def _edits(self, decision: ComponentDecision, site: SiteId) -> Iterator[Edit]:
        for part in decision.parts:
            if part.data is not None:
                yield _edit(part, site)
        for note in decision.annotations:
            path = note.context.path
            anchor = note.context.span(note.node)
            yield TextEdit(path=path, anchor=anchor, text=note.text, site=site)
            if note.released is not None:
                home, name = note.released
                yield ReleaseImport(path=path, module=home, name=name, site=site)
        written = [(path, one) for path, names in decision.needs.items() for one in names]
        for parameter in decision.parameters:
            for one in parameter.added.insertions():
                yield TextEdit(path=one.path, anchor=one.anchor, text=one.text, site=site)
            written += parameter.needs()
        yield from _session_reads(decision, site)
        written += [(note.context.path, note.needs) for note in decision.annotations]
        for path, needs in dict.fromkeys((path, one.needs) for path, one in written if one.needs):
            home, name, alias = needs
            yield NeedImport(path=path, module=home, name=name, alias=alias, site=site)
        for root in decision.component.roots:
            yield from released_sessions(root.context.module, [root.receiver], site)


def _edit(part: Rewritten, site: SiteId) -> NodeEdit:
    node, context = part.fragment.node, part.fragment.context
    data: QueryRewrite | BulkRewrite | ExtensionRewrite | ClassRewrite | None = part.data
    rewriter = _REWRITERS[type(data)]
    if isinstance(part.fragment.start, ast.Attribute) and data is not None:
        data, rewriter = ClassRewrite(session="session", rewriter=rewriter, data=data), "at-class"
    return NodeEdit(
        path=context.path,
        anchor=context.span(node),
        node=type(node).__name__,
        rewriter=rewriter,
        data=data,
        site=site,
    )


def _session_reads(decision: ComponentDecision, site: SiteId) -> Iterator[Edit]:
    """Yield the edits of what reads the session off a query."""
    gone = {one.instead: one.context for one in decision.parameters if one.instead is not None}
    for statement, context in gone.items():
        yield NodeEdit(
            path=context.path,
            anchor=context.span(statement),
            node=type(statement).__name__,
            rewriter="left-out",
            data=LeftOut(),
            site=site,
        )
    for read, session in decision.reads:
        asked = read.node.value if isinstance(read.node, ast.Attribute) else None
        inspect = asked.func if isinstance(asked, ast.Call) else None
        home = (
            None
            if inspect is None
            else imported_from(decision.component.reader(read.context), inspect)
        )
        if home is not None:
            yield ReleaseImport(path=read.context.path, module=home[0], name=home[1], site=site)
        if read.context.module.statement_of(read.node) not in gone:
            anchor = read.context.span(read.node)
            yield TextEdit(path=read.context.path, anchor=anchor, text=session.text, site=site)


def _annotated(decision: ComponentDecision) -> Iterator[Place]:
    for note in decision.annotations:
        yield note.context.place(note.node, "its annotation is changed as well")


def _given(decision: ComponentDecision) -> Iterator[Place]:
    for parameter in decision.parameters:
        yield from parameter.places()


def _others(decision: ComponentDecision, root: ChainFragment) -> Iterator[Place]:
    """Yield where else something is written with the query of ``root``."""
    for part in decision.parts:
        if part.data is not None and part.fragment is not root:
            yield part.fragment.place(
                "it is executed here" if part.runs else "it is changed with this"
            )


def _message(decision: ComponentDecision, root: ChainFragment) -> str:
    sentence = f"the query {_holder(decision, root)} becomes `{decision.becomes}(...)`"
    runs = [part.fragment for part in decision.parts if part.runs]
    own = [one for one in runs if one.context.path == root.context.path]
    module = root.context.module
    lines = [str(n) for n in sorted(module.line_column(module.span(one.node))[0] for one in own)]
    places = [f"line{'s' if len(set(lines)) > 1 else ''} {_listed(lines)}"] if lines else []
    places += [one.context.path for one in runs if one.context.path != root.context.path]
    if places:
        sentence += f", executed in {_listed(places)}"
    return with_caveats(sentence, decision.caveats)


def _listed(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return ", ".join(words[:-1]) + (" and " if words[1:] else "") + words[-1]


def _holder(decision: ComponentDecision, root: ChainFragment) -> str:
    """Say what holds the query of ``root`` first."""
    for holder, fragments in decision.component.definitions.items():
        if root in fragments:
            function = holder.context.function.name
            if holder.binding is None:
                return f"that `{function}` returns"
            is_passed = holder.binding.kind == "parameter"
            return f"passed to `{function}`" if is_passed else f"in `{holder.binding.name}`"
    return "here"
