"""Plans rules by unit, and recalls plans that still hold.

The first run plans all files of a rule together. Where only comments change, awaken plans again the
files that tell them. When other code changes, it plans each file apart, with its own evidence. From
then on it plans only files whose evidence changed. A rule whose files share most of their work
costs many times more apart: it stays together.
"""

from __future__ import annotations

from functools import partial

from msgspec import Struct, structs

from awaken.contract import Constraints, Plan
from awaken.engine.planning.rule_planning import (
    Planned,
    Processes,
    add_evidence,
    join_plans,
    may_have_sites,
    plan_file,
    plan_files,
    plan_rule,
    prepared_diagnostics,
)
from awaken.engine.units.known_units import StageUnits, Unit, UnitMemory
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.looked_at import LookedAt
from awaken.settings.rule_data import with_code
from awaken.workspace.sources import Snapshot

_PARTS = 8
"""Parts in which files are planned apart, until that asks too many questions."""
_QUESTIONS_APART = 3
"""Questions apart for each one together. superset asks 2.8, in the same time; neutron asks as many
for one file as for all."""
_FREE_QUESTIONS = 500
"""Questions that files may ask apart in any case: half a second."""


class UnitPlanner(Struct, frozen=True):
    """Recalls ``units`` whose plans still hold, and plans all others in ``processes``."""

    units: StageUnits
    processes: Processes = Processes()

    def plan(self, rule: Rule, project: Project, constraints: Constraints) -> Planned:
        """Return what ``rule`` plans for ``project``; the same whatever is kept."""
        if rule.is_foreign:
            return plan_rule(rule, project, constraints, self.processes)
        layout = project.layout.inner, project.layout.on_path
        unit = Unit(rule, constraints, project.site_scope, layout)
        planned = self._by_unit(unit, project)
        add_evidence(project, [planned])
        return planned

    def _by_unit(self, unit: Unit, project: Project) -> Planned:
        units, planned = self.units, self.units.recall(unit)
        if planned is None and unit.rule.decides_by_file and units.was_planned(unit):
            planned = self._plan_by_file(unit, project)
        if planned is None:
            apart = project.with_own_record(LookedAt())
            planned = plan_rule(unit.rule, apart, unit.constraints, self.processes)
            planned = structs.replace(planned, looked_at=apart.looked_at)
            units.keep_whole(unit, planned)
        return planned

    def _plan_by_file(self, unit: Unit, project: Project) -> Planned | None:
        """Return the plan of all files, each with its own evidence; None if it asks too much."""
        units, rule, own = self.units, unit.rule, project.with_own_record(LookedAt())
        if not may_have_sites(rule, own):
            return Planned(Plan(), looked_at=own.looked_at)
        files = own.site_files(rule.triggers)
        plans = {path: units.recall(unit.in_file(path)) for path in files}
        stale = [path for path, planned in plans.items() if planned is None]
        if len(stale) == len(files) and not units.may_plan_apart(unit):
            return None
        rule = with_code(rule) if stale else rule
        # It changes no plan: the processes that start now need not find the same.
        if stale and prepared_diagnostics(rule, project.with_own_record(LookedAt()), stale):
            return None
        asked, length = 0, -(-len(files) // _PARTS)
        for start in range(0, len(stale), length):
            part = stale[start : start + length]
            plan = partial(_plan_file, rule, unit.constraints, project)
            for path, planned in zip(
                part, plan_files(rule, project, part, plan, self.processes), strict=True
            ):
                plans[path] = planned
                units.keep(unit.in_file(path), planned)
                asked += planned.questions
            share = (start + len(part)) / len(files)
            together = units.questions_together(unit)
            if asked > together * (1 + _QUESTIONS_APART * share) + _FREE_QUESTIONS:
                units.keep_together(unit)
                return None
        parts = [planned for planned in plans.values() if planned is not None]
        add_evidence(own, parts)
        return structs.replace(join_plans(parts), looked_at=own.looked_at)


def unit_planner(
    memory: UnitMemory, processes: Processes, stage: str, snapshot: Snapshot
) -> UnitPlanner:
    """Return what plans a stage of a run by its units in ``memory``."""
    return UnitPlanner(memory.stage(stage, snapshot), processes)


def _plan_file(rule: Rule, constraints: Constraints, project: Project, path: str) -> Planned:
    return plan_file(rule, constraints, project.with_own_record(LookedAt()), path)
