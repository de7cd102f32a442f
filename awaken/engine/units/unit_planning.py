"""Plans rules by unit, and recalls plans that still hold.

A run plans the units whose evidence changed, and recalls all others. Units share answers about the
program, and each has the evidence of its own.
"""

from __future__ import annotations

from msgspec import Struct, structs

from awaken.contract import Constraints, Plan
from awaken.engine.planning.rule_planning import (
    Planned,
    Processes,
    add_evidence,
    join_plans,
    may_have_sites,
    plan_by_file,
    plan_rule,
)
from awaken.engine.units.known_units import StageUnits, Unit, UnitMemory
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.looked_at import LookedAt
from awaken.project.source.memo import RECORDER
from awaken.settings.rule_data import with_code
from awaken.workspace.sources import Snapshot


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
        by_file = rule.decides_by_file
        return self._plan_by_file(unit, project) if by_file else self._plan_whole(unit, project)

    def _plan_whole(self, unit: Unit, project: Project) -> Planned:
        """Return the plan of all files together."""
        planned = self.units.recall(unit)
        if planned is not None:
            add_evidence(project, [planned])
            return planned
        with RECORDER.separate_record() as record:
            planned = plan_rule(unit.rule, project, unit.constraints, self.processes)
        planned = structs.replace(planned, looked_at=LookedAt.of_record(record))
        add_evidence(project, [planned])
        self.units.keep(unit, planned)
        return planned

    def _plan_by_file(self, unit: Unit, project: Project) -> Planned:
        """Return the plan of all files, each with its own evidence."""
        rule = unit.rule
        if not may_have_sites(rule, project):
            return Planned(Plan())
        files = project.site_files(rule.triggers)
        plans = {path: self.units.recall(unit.in_file(path)) for path in files}
        stale = [path for path, planned in plans.items() if planned is None]
        add_evidence(project, filter(None, plans.values()))
        failed = Planned(Plan())
        if stale:
            *parts, failed = plan_by_file(
                with_code(rule), project, unit.constraints, stale, self.processes
            )
            for path, planned in zip(stale, parts, strict=True):
                plans[path] = planned
                if not failed.diagnostics:  # else the next run would not tell of it
                    self.units.keep(unit.in_file(path), planned)
        return join_plans([*filter(None, plans.values()), failed])


def unit_planner(
    memory: UnitMemory, processes: Processes, stage: str, snapshot: Snapshot
) -> UnitPlanner:
    """Return what plans a stage of a run by its units in ``memory``."""
    return UnitPlanner(memory.stage(stage, snapshot), processes)
