"""The rule itself: its sites, and what becomes of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.decide.component_plan import (
    ComponentQueries,
    Decided,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import (
    chain_of,
    explained,
    written_at_class,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.decide.queries import decide_query
from awaken.codemods.sqlalchemy.query_to_select.manual import manual
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ClassRewrite,
    ExtensionRewrite,
    GetRewrite,
    QueryRewrite,
    SliceRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.doubles import (
    TRIGGERS,
    findings_of,
)
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
    Phase,
    Pins,
    Place,
    Plan,
    Reason,
    Rewriter,
    SiteId,
    Span,
)
from awaken.kit.rule import Rule
from awaken.kit.sites import with_caveats
from awaken.project.source.modules import Module, site_id

if TYPE_CHECKING:
    from awaken.project import Project

_QUERIES = (b".query", b"Query(")
_LONGEST_RECEIVER = 30
"""Characters."""


class QueryToSelect(Rule):
    """Rewrites ``session.query(...)`` to ``select(...)``."""

    name: ClassVar[str] = "query-to-select"
    family: ClassVar[str] = "sqlalchemy"
    phase: ClassVar[Phase] = Phase.QUERIES
    since: ClassVar[str] = "0.1.0"
    triggers: ClassVar[tuple[bytes, ...]] = (*_QUERIES, *TRIGGERS)
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    per_file: ClassVar[bool] = True
    reasons: ClassVar[tuple[Reason, ...]] = reasons.ALL

    def prepare(self, project: Project) -> None:
        """Find the doubles of Query: any file may be held back by any test."""
        project.doubles.find()

    def plan(self, project: Project, pins: Pins) -> Plan:
        """Return one finding per query, and the change of each that can be rewritten."""
        decided: dict[SiteId, Decided] = {}
        sites = Sites(project, _QUERIES, pins.settled)
        for module in sites.modules():
            flowing = ComponentQueries(project, module, sites, self.name, pins)
            found = [
                flowing.of(one.root) or _decide(project, module, one, self.name)
                for one in flowing.members
            ]
            for finding, change in (*found, *flowing.elsewhere()):
                if finding.site not in decided:
                    decided[finding.site] = finding, change
        for path in project.site_files(self.triggers):
            decided.update({one.site: (one, None) for one in findings_of(project, path, self.name)})
        changes = [
            change
            for finding, change in decided.values()
            if change is not None and finding.site not in pins.left_out
        ]
        return Plan(tuple(finding for finding, _ in decided.values()), tuple(changes))

    def why_no_site(self, project: Project, place: Place) -> str | None:
        """Return why what looks like a query at ``place`` is none."""
        from awaken.codemods.sqlalchemy.query_to_select.recognise.why import (  # noqa: PLC0415  `explain` only
            why_no_site,
        )

        module = project.module(place.path)
        return None if module is None else why_no_site(Reader(project, module), place.span)

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the functions that write a query as a statement, one per way of ending it."""
        from awaken.codemods.sqlalchemy.query_to_select.rewriting.bulk_rewrite import (  # noqa: PLC0415
            rewrite_slice,
            rewrite_write,
        )
        from awaken.codemods.sqlalchemy.query_to_select.rewriting.class_rewrite import (  # noqa: PLC0415
            rewrite_extended,
            rewriter_at_class,
        )
        from awaken.codemods.sqlalchemy.query_to_select.rewriting.get_rewrite import (  # noqa: PLC0415
            rewrite_get,
        )
        from awaken.codemods.sqlalchemy.query_to_select.rewriting.rewrite import (  # noqa: PLC0415
            leave_out,
            rewrite_query,
        )

        rewriters: dict[str, Rewriter] = {
            "query": rewrite_query,
            "get": rewrite_get,
            "write": rewrite_write,
            "slice": rewrite_slice,
            "extended": rewrite_extended,
        }
        return {
            **rewriters,
            "at-class": rewriter_at_class(rewriters),
            "left-out": leave_out,
        }


_REWRITERS = {
    GetRewrite: "get",
    QueryRewrite: "query",
    BulkRewrite: "write",
    SliceRewrite: "slice",
    ExtensionRewrite: "extended",
}


def _decide(
    project: Project, module: Module, recognised: Recognised, rule: str
) -> tuple[Finding, Change | None]:
    root = recognised.root
    site = site_id(rule, module, root)
    reader = Reader(project, module)
    try:
        recognised.raise_if_refused(module)
        chain = chain_of(reader, recognised)
        if chain.ending == "written":
            recognised.raise_if_write_refused()
        decision = decide_query(reader, chain)
        written = written_at_class(recognised, chain, decision)
    except Refused as refused:
        return manual(rule, module, root, explained(recognised, refused)), None
    if recognised.caveat:
        decision.caveats.append(recognised.caveat)
    level = Level.UNSAFE if decision.caveats else Level.SAFE
    change = ChangeId(f"{rule}:{site}")
    place = Place(module.path, Span(module.span(root).start, module.span(chain.node).end))
    message = _message(chain, decision)
    finding = Finding(
        site=site,
        rule=rule,
        level=level,
        place=place,
        scope=module.scope_name(root),
        message=message,
        change=change,
    )
    edits = tuple(_edits(module, chain, decision, written, site))
    return finding, Change(
        id=change,
        rule=rule,
        title=message,
        level=level,
        sites=(site,),
        edits=edits,
        requires=tuple(
            ChangeId(f"{rule}:{site_id(rule, module, other)}") for other in decision.requires
        ),
    )


def _message(chain: Chain, decision: Decision) -> str:
    if decision.data is None or isinstance(decision.data, GetRewrite):
        sentence = f"`query(...).get(...)` becomes `{_session(chain)}.get(...)`"
    else:
        sentence = f"{_old(chain)} becomes {_new(chain, decision.data)}"
    return with_caveats(sentence, decision.caveats)


def _old(chain: Chain) -> str:
    if chain.ending == "sliced":
        return f"`query(...){chain.end}`"
    return f"`query(...).{chain.end}()`" if chain.terminator else "`query(...)`"


def _new(chain: Chain, data: QueryRewrite | BulkRewrite | SliceRewrite | ExtensionRewrite) -> str:
    if isinstance(data, ExtensionRewrite):
        return f"`{chain.extension}.{data.method}(...)`"
    if isinstance(data, BulkRewrite):
        tail = ".rowcount" if data.rowcount else ""
        return f"`{_session(chain)}.execute({chain.end}(...)){tail}`"
    query = data.query if isinstance(data, SliceRewrite) else data
    calls = [*query.then, *([query.last] if query.last else [])]
    tail = "".join(f".{name}()" for name in calls)
    if not query.runs:
        return f"`select(...){tail}`"
    return f"`{_session(chain)}.{query.runs}(select(...)){tail}`"


def _session(chain: Chain) -> str:
    """Return the session as a message names it: by its own text where that is short."""
    node = chain.receiver or chain.session_argument
    text = "" if node is None else ast.unparse(node)
    if isinstance(node, ast.BoolOp | ast.IfExp):
        text = f"({text})"
    given = any(link.name == "with_session" for link in chain.links)
    return text if 0 < len(text) <= _LONGEST_RECEIVER and not given else "session"


def _edits(
    module: Module, chain: Chain, decision: Decision, session: str | None, site: SiteId
) -> Iterator[Edit]:
    if decision.data is not None:
        data, rewriter = decision.data, _REWRITERS[type(decision.data)]
        yield NodeEdit(
            path=module.path,
            anchor=module.span(chain.node),
            node=type(chain.node).__name__,
            rewriter="at-class" if session else rewriter,
            data=ClassRewrite(session=session, rewriter=rewriter, data=data) if session else data,
            site=site,
        )
    yield from _imports(module, decision, site)
    yield from released_sessions(module, [chain.receiver or chain.session_argument], site)


def _imports(module: Module, decision: Decision, site: SiteId) -> Sequence[NeedImport]:
    needed = dict.fromkeys(written.needs for written in decision.needs if written.needs)
    return [
        NeedImport(path=module.path, module=home, name=name, alias=alias, site=site)
        for home, name, alias in needed
    ]
