"""The rule itself: the sides of relationships, and which are changed together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.lazy_raise import reasons
from awaken.codemods.sqlalchemy.lazy_raise.flushes import Flushes
from awaken.codemods.sqlalchemy.lazy_raise.needs import Needs, Reads
from awaken.contract import Constraints, Edit, Level, Phase, Place, Plan, Reason, SiteId, Status
from awaken.kit.changes import (
    Decided,
    connected_groups,
    plan_of,
    refused_together,
    rewritten_together,
)
from awaken.kit.eager_loads import PlannedLoads, plan_loads
from awaken.kit.eager_loads.mocked_sessions import mocked_sessions
from awaken.kit.reasons import NAME_TAKEN, OUT_OF_SIGHT, cure_of_outside
from awaken.kit.relationships.sides import WORDS, Side, edits_of, sides_in
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, shown_place, shown_places, with_caveats
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.project.names.visibility import is_public
from awaken.project.source.trees import is_constant, keyword_of
from awaken.project.source.worklist import multimap

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Trace

_CAVEAT = "a read that awaken does not see now raises `InvalidRequestError`"
_DATACLASS_BASE = "sqlalchemy.orm.MappedAsDataclass"
_DATACLASS_DECORATOR = "mapped_as_dataclass"
"""Of SQLAlchemy, and of a registry, which has any name."""


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """What unloaded relationships do."""

    mode: Annotated[
        Literal["auto", "raise", "raise_on_sql"],
        Meta(
            description="Value of `lazy`. `auto` means `raise`, or `raise_on_sql` if a visible "
            "read needs it."
        ),
    ] = "auto"


class _Ready(Struct, frozen=True):
    """A side that can be set: the edits of its declaration, and what its reads need."""

    side: Side
    edits: Sequence[Edit]
    needs: Needs
    lazy: str

    @property
    def statements(self) -> tuple[Place, ...]:
        """The calls that are to load it."""
        return tuple(dict.fromkeys(trace.load.place for trace in self.needs.traces))


class LazyRaise(Rule):
    """Sets relationships to raise where they are read without having been loaded."""

    name = "lazy-raise"
    family = "sqlalchemy"
    phase = Phase.LOADING
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = WORDS
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    reads = TEMPLATE_READS
    looks_outside = True
    status = Status.OPT_IN
    options = Options
    reasons: ClassVar[tuple[Reason, ...]] = (NAME_TAKEN, *reasons.ALL)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per side that loads when it is read, and the changes."""
        sides = [
            side
            for module in site_modules(project, self.triggers)
            for side in sides_in(project, self.name, module)
            if side.site.place not in constraints.decided
        ]
        refused = _refusals(project, sides)
        left = [side for side in sides if side not in refused]
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        ready = list(self._ready(project, left, options, refused)) if left else []
        excluded = [side for side in ready if side.side.site.id in constraints.excluded]
        # Without them, other statements have to load other relationships.
        decided = self._grouped_changes(project, [side for side in ready if side not in excluded])
        for item in excluded:
            # Each by itself: the engine leaves these changes out, and only shows their findings.
            decided += self._grouped_changes(project, [item])
        return plan_of(
            [*(refused_together((side.site,), why) for side, why in refused.items()), *decided]
        )

    # ------------------------------------------------------------------------- each by itself
    def _ready(
        self,
        project: Project,
        sides: Sequence[Side],
        options: Options,
        refused: dict[Side, Refused],
    ) -> Iterator[_Ready]:
        """Yield the sides that can be set; ``refused`` gets the others."""
        flushes, unread = Flushes(project), list[Side]()
        for side in sides:
            if flushes.read(side.key):
                refused[side] = Refused(reasons.READ_BY_FLUSH, side.display_name)
            elif flushes.deletes_along(side.site.module, side.declared):
                refused[side] = Refused(reasons.DELETED_ALONG, side.display_name)
            else:
                unread.append(side)
        if not unread:
            return
        # Reads cost time, so only those of sides without another obstacle are searched.
        reads = Reads(project, unread)
        for side in unread:
            try:
                needs = reads.needs(side)
                lazy = _chosen_text(project, needs, options)
                edits = edits_of(project, side, lazy)
            except Refused as why:
                refused[side] = why
            else:
                yield _Ready(side, edits, needs, lazy)

    # ------------------------------------------------------------------------------- together
    def _grouped_changes(self, project: Project, ready: Sequence[_Ready]) -> list[Decided]:
        """Return the changes: sides that one statement loads are changed together."""
        left, loads, held = self._loadable(project, ready)
        first_at: dict[Place, SiteId] = {}
        by_id = {side.side.site.id: side for side in left}
        links = [
            (key, first_at.setdefault(place, key))
            for key, side in by_id.items()
            for place in side.statements
        ]
        groups = [[by_id[key] for key in group] for group in connected_groups(by_id, links)]
        changes = [self._change(project, group, loads) for group in groups]
        return [*changes, *held]

    def _loadable(
        self, project: Project, ready: Sequence[_Ready]
    ) -> tuple[list[_Ready], dict[Place, PlannedLoads], list[Decided]]:
        """Return the sides of which all loads can be written, these loads, and the other sides."""
        left, held = list(ready), dict[SiteId, Decided]()
        known: dict[frozenset[Trace], PlannedLoads] = {}
        while True:
            wanted: dict[Place, dict[Trace, None]] = {}
            for side in left:
                for trace in side.needs.traces:
                    wanted.setdefault(trace.load.place, {})[trace] = None
            plans: dict[Place, PlannedLoads] = {}
            for place, traces in wanted.items():
                key = frozenset(traces)
                if key not in known:
                    known[key] = plan_loads(self.name, project, tuple(traces), selects=True)
                plans[place] = known[key]
            refusing = {item: why for plan in plans.values() for item, why in plan.refused.items()}
            if not refusing:
                return left, plans, list(held.values())
            for side in left:
                stands = [trace for trace in side.needs.traces if trace in refusing]
                if stands:
                    why = _not_loaded(project, side.side, stands[0], refusing[stands[0]])
                    held[side.side.site.id] = refused_together((side.side.site,), why)
            left = [candidate for candidate in left if candidate.side.site.id not in held]

    def _change(
        self, project: Project, members: Sequence[_Ready], planned: Mapping[Place, PlannedLoads]
    ) -> Decided:
        """Return the one change of sides that statements load together."""
        places = dict.fromkeys(place for member in members for place in member.statements)
        loads = [planned[place] for place in places]
        edits = [
            *(edit for member in members for edit in member.edits),
            *(edit for plan in loads for edit in plan.edits),
        ]
        said = {member.side.site.id: _said_message(project, member, loads) for member in members}
        first = members[0].side.site
        title = said[first.id]
        if len(members) > 1:
            names = ", ".join(f"`{member.side.display_name}`" for member in members[1:])
            title = f"{title}; together with {names}"
        sites = [member.side.site for member in members]
        added = dict.fromkeys(load.place for plan in loads for load in plan.added)
        mocks = [mocked_sessions(project, place) for place in added]
        caveats = list(dict.fromkeys([_CAVEAT, *(clause for mock, _ in mocks for clause in mock)]))
        whole = rewritten_together(sites, Rewrite(title, edits, caveats))
        findings = tuple(
            replace(
                finding,
                message=with_caveats(said[finding.site], caveats),
                related=_related_places(side, loads),
            )
            for finding, side in zip(whole.findings, members, strict=True)
        )
        return Decided(findings, whole.changes)


def _chosen_text(project: Project, needs: Needs, options: Options) -> str:
    """Return how a side is to be loaded. Raises Refused."""
    if options.mode == "raise" and needs.on_sql:
        place, why = needs.on_sql[0]
        detail = f"the read at {shown_place(project, place)}: {why}"
        raise Refused(reasons.NEEDS_SQL, detail, because=(place,))
    if options.mode == "auto":
        return "raise_on_sql" if needs.on_sql else "raise"
    return options.mode


def _not_loaded(project: Project, side: Side, trace: Trace, refused: Refused) -> Refused:
    at = shown_place(project, trace.load.place)
    detail = f"awaken cannot load `{side.key[1]}` at {at}: {refused.message}"
    because = tuple(dict.fromkeys((trace.load.place, *refused.because)))
    return Refused(reasons.NOT_LOADED, detail, refused.help, because)


def _said_message(project: Project, ready: _Ready, loads: Sequence[PlannedLoads]) -> str:
    """Return the message for a side: its new ``lazy``, and the statements that load it."""
    parts = [f'`{ready.side.display_name}` gets `lazy="{ready.lazy}"`']
    if ready.needs.on_sql:
        place, why = ready.needs.on_sql[0]
        parts[0] += f", because the read at {shown_place(project, place)} needs that: {why}"
    added = _added_at(ready, loads)
    if not ready.needs.reads:
        parts.append("the program never reads it")
    elif added:
        count = "1 statement now loads" if len(added) == 1 else f"{len(added)} statements now load"
        parts.append(f"{count} it: {shown_places(project, added)}")
    else:
        parts.append("every read already has it loaded")
    gets = [trace.load.place for trace in ready.needs.traces if trace.load.kind == "get"]
    if gets:
        parts.append(f"`get()` becomes a `select()` at {shown_places(project, gets)}")
    if ready.needs.shared:
        at = shown_places(project, ready.needs.shared)
        parts.append(f"the statement at {at} also loads it for code that does not read it")
    return "; ".join(parts)


def _related_places(ready: _Ready, loads: Sequence[PlannedLoads]) -> tuple[Place, ...]:
    """Return the statements that are changed with a side, and the reads that decided how."""
    reads = (place for place, _ in ready.needs.on_sql)
    return tuple(dict.fromkeys((*_added_at(ready, loads), *reads)))


def _added_at(ready: _Ready, loads: Sequence[PlannedLoads]) -> list[Place]:
    """Return where loads of a side are added."""
    wanted = set(ready.needs.traces)
    added = (load for plan in loads for load in plan.added)
    return list(dict.fromkeys(load.place for load in added if wanted & {*load.traces}))


def _refusals(project: Project, sides: Sequence[Side]) -> dict[Side, Refused]:
    """Return the sides that are left alone for what their declaration says, with the reason."""
    keys = Counter(side.key for side in sides)
    by_attribute = multimap((attribute, owner) for owner, attribute in keys)
    result: dict[Side, Refused] = {}
    for side in sides:
        owner, attribute = side.key
        others = [name for name in by_attribute[attribute] if name != owner]
        is_single = keys[side.key] == 1 and not _is_inherited(project, owner, others)
        refused = _refusal(project, side, is_single=is_single)
        if refused is not None:
            result[side] = refused
    return result


def _is_inherited(project: Project, owner: str, others: Sequence[str]) -> bool:
    """Whether a class that inherits from ``owner``, or a base of it, is among ``others``."""
    if not owner or not others:
        return False
    below = project.all_subclasses(owner)
    return any(name in below or owner in project.all_subclasses(name) for name in others if name)


def _refusal(project: Project, side: Side, *, is_single: bool) -> Refused | None:
    owner, attribute = side.key
    if not attribute or project.class_facts(owner) is None:
        return Refused(reasons.OWNER_NOT_TOLD)
    hierarchy = (owner, *project.all_subclasses(owner))
    statuses = {project.orm.models.status(name) for name in hierarchy}
    if "mapped" not in statuses or "unknown" in statuses:
        return Refused(reasons.NOT_MAPPED, owner.rpartition(".")[2])
    if side.declared.facts.lazy is None:
        return Refused(reasons.LAZY_NOT_TOLD, side.display_name)
    if side.declared.facts.target is None:
        return Refused(reasons.TARGET_NOT_TOLD, side.display_name)
    if not is_single:
        return Refused(reasons.DECLARED_AGAIN, side.display_name)
    if _is_generated(project, side):
        return Refused(reasons.GENERATED, side.display_name)
    if project.published and _is_seen_outside(project, owner, attribute):
        return Refused(reasons.PUBLISHED, side.display_name)
    use = project.outside.reads_of(attribute)
    if use is not None:
        where = f"{use.path}:{use.line}"
        shown = f"`{side.display_name}` may be read at {where}, and that file {use.why}"
        return Refused(OUT_OF_SIGHT, shown, cure_of_outside(use.why, project.outside.folder))
    return None


def _is_seen_outside(project: Project, owner: str, attribute: str) -> bool:
    # Objects are passed on under whatever name their class has: that of the attribute counts.
    facts = project.class_facts(owner)
    module = None if facts is None else project.module(facts.path)
    return module is None or is_public(module, attribute)


def _is_generated(project: Project, side: Side) -> bool:
    """Whether methods that a dataclass mapping generates read the side."""
    if side.declared.reverse:
        # It is no field of the dataclass.
        return False
    off = [keyword_of(side.call, name) for name in ("repr", "compare")]
    if all(is_constant(node, value=False) for node in off):
        return False
    owner = side.key[0]
    return any(_is_dataclass(project, name) for name in (owner, *project.all_subclasses(owner)))


def _is_dataclass(project: Project, qualified: str) -> bool:
    facts = project.class_facts(qualified)
    if _DATACLASS_BASE in project.library_ancestors(qualified):
        return True
    decorators = () if facts is None else facts.decorators
    return any((item or "").rpartition(".")[2] == _DATACLASS_DECORATOR for item in decorators)
