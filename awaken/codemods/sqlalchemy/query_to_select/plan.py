"""The rule itself: its sites, and the decision about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.answers.blocking_doubles import (
    TRIGGERS,
    decided_doubles,
)
from awaken.codemods.sqlalchemy.query_to_select.answers.mocks_with_queries import Together
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Decided
from awaken.codemods.sqlalchemy.query_to_select.pipeline import Queries
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Sites
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Constraints, Phase, Place, Plan, Reason, SiteId
from awaken.kit.rule import Rule
from awaken.workspace.manifests.describing import TYPE_CHECKER_READS

if TYPE_CHECKING:
    from awaken.project import Project


PIECES = {
    ".unique()": "Query removes rows that repeat an object, and these rows may repeat one",
    ".limit(1)": "Query.first() limits the query to one row",
    ".scalar_one()": "a count or an aggregate always returns one row, never None",
    ".scalar_one_or_none()": "Query.scalar() fails on a second row, which session.scalar() hides",
    ".scalars()": "the rows of one mapped class become its objects, as in Query",
    "scalars(": "the query selects one mapped class, so the result has objects, not rows",
    "list(": "the annotation requires a list, and a result returns a sequence",
    "cast(": "without it, a type checker does not know that the result has a row count",
    ".rowcount": "the program reads the number of rows, which Query returned directly",
    ".all()": "Query reads all rows before its iteration begins",
    ".subquery()": "the builders may change the rows, so the count wraps the whole statement",
    ".select_from(": "the class is only counted or searched in, so it is not selected",
    ".correlate(": "the statement is inside another statement",
    ".execution_options(": "`synchronize_session` becomes an option of the statement",
    ".slice(": "a slice of a query becomes LIMIT and OFFSET",
    "lazyload(": "Query loads no relationships in an embedded statement",
    "aliased(": "the result of a set operation is read through an alias of its class",
}
_QUERIES = (b".query", b"Query(", b"Query as ")
_FEW_FILES = 20  # of which each process may ask the same


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The work that the user takes over."""

    mocks_by_hand: Annotated[
        bool,
        Meta(description="Rewrite queries that tests mock, and leave these tests to the user."),
    ] = False


class QueryToSelect(Rule):
    """Rewrites ``session.query(...)`` to ``select(...)``."""

    name: ClassVar[str] = "query-to-select"
    family: ClassVar[str] = "sqlalchemy"
    phase: ClassVar[Phase] = Phase.QUERIES
    since: ClassVar[str] = "0.1.0"
    triggers: ClassVar[tuple[bytes, ...]] = (*_QUERIES, *TRIGGERS)
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    reads: ClassVar[tuple[str, ...]] = TYPE_CHECKER_READS
    pieces: ClassVar[Mapping[str, str]] = PIECES
    per_file: ClassVar[bool] = True
    writers = (f"{__package__}.rewriting.class_rewrite",)
    options = Options
    reasons: ClassVar[tuple[Reason, ...]] = reasons.ALL

    def prepare(self, project: Project, files: Sequence[str]) -> None:
        """Find the mocks of Query, since any test may keep any file as it is, and first queries."""
        if len(files) > _FEW_FILES:
            project.index_words()  # callers are asked for by name
        project.doubles.find()
        if len(files) > _FEW_FILES:
            # The others ask most of it again, each process for itself.
            next(filter(Sites(project, _QUERIES).queries_of, project.modules_at(files)), None)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per query, and the change of each that can be rewritten."""
        decided: dict[SiteId, Decided] = {}
        sites = Sites(project, _QUERIES, constraints.decided)
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        together = Together(project, sites, mocks_by_hand=options.mocks_by_hand)
        for module in sites.modules():
            queries = Queries(project, module, together, self.name, constraints)
            for finding, change in (*queries.in_order(), *queries.decisions_in_other_files()):
                # Queries of several files are decided with each of these, always the same.
                if finding.site not in decided:
                    decided[finding.site] = finding, change
        for path in project.site_files(self.triggers):
            for finding, change in decided_doubles(project, path, self.name, together, constraints):
                decided.setdefault(finding.site, (finding, change))
        changes = [change for _, change in decided.values() if change is not None]
        return Plan(tuple(finding for finding, _ in decided.values()), tuple(changes))

    def why_no_site(self, project: Project, place: Place) -> str | None:
        """Return why the code at ``place`` that looks like a query is not one."""
        from awaken.codemods.sqlalchemy.query_to_select.recognise.why import (  # noqa: PLC0415  `explain` only
            why_no_site,
        )

        module = project.module(place.path)
        return None if module is None else why_no_site(Reader(project, module), place.span)
