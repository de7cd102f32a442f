"""The laws of plans by unit: all that the plan of a file depends on is in its evidence."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple
from unittest import mock

from msgspec.structs import replace

from awaken.contract import Constraints
from awaken.engine.planning import rule_planning
from awaken.engine.planning.phases import Tools
from awaken.engine.planning.rule_planning import Planned, plan_file
from awaken.engine.remembering.known_texts import KnownTexts
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.units.known_units import KnownUnits, StageUnits, Unit, plan_to_bytes
from awaken.engine.units.unit_planning import UnitPlanner
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.looked_at import LookedAt
from awaken.testing.law_texts import python_files, require_same
from awaken.testing.running import CaseResult, RolledBack, require, run_case
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.sources import Snapshot

__tracebackhide__ = True  # as in running

_NO_TEXTS = KnownTexts(ResultsCache())
_EDITS = 5
"""Edits of each case. A choice by the time of the suite."""


def units_change_nothing(result: CaseResult) -> None:
    """A file that is planned in a project of its own has the same plan, which lasts.

    Its evidence is part of that which it has where all units share their answers.
    """
    sharing, alone = dict[bytes, _KeptUnit](), dict[bytes, _KeptUnit]()
    with _kept_units(sharing):
        other = run_case(result.case, result.rules)
    require_same(result, other, "by unit")
    with _kept_units(alone), mock.patch.object(rule_planning, "plan_file", _planned_alone):
        other = run_case(result.case, result.rules)
    require_same(result, other, "each file in a project of its own")
    lost = [f"{unit.rule} {unit.scope}" for unit in sharing.values() if not unit.lasts]
    require(not lost, f"these plans have no bytes: {', '.join(lost)}")
    missing = [
        f"{unit.rule} {unit.scope}: {note}\n"
        for key, unit in alone.items()
        for note in _missing_notes(unit.looked_at, sharing[key].looked_at)
    ]
    require(not missing, f"evidence is missing where answers are shared:\n{''.join(missing)}")


def _planned_alone(rule: Rule, constraints: Constraints, project: Project, path: str) -> Planned:
    """Return the plan of a file in a project that shares no answer."""
    return plan_file(rule, constraints, project.with_own_answers(), path)


def _missing_notes(alone: LookedAt, sharing: LookedAt) -> Iterator[str]:
    """Yield what is evidence of a unit alone, and not where it shares answers."""
    yield from sorted(alone.read - sharing.read)
    read = {path.encode() for path in sharing.read}
    for search in sorted({*alone.searched, *alone.told} - {*sharing.searched, *sharing.told}):
        # A file that was read needs no evidence of its facts.
        if search.kind != "facts" or search.sought.partition(b"\0")[0] not in read:
            yield str(search)


def plans_that_hold_are_those_of_the_edited_program(result: CaseResult) -> None:
    """After any edit, each kept plan that still holds is the plan of the edited program."""
    chance = random.Random(result.case.identifier)  # noqa: S311  the same edits in each run
    known = dict[str, KnownUnits]()
    with _compared_units({}, known, []):
        run_case(result.case, result.rules)
    texts = dict(python_files(result.case.before))
    for _ in range(_EDITS):
        path = chance.choice(sorted(texts))
        edited = _edited_text(texts[path], chance)
        wrong = list[str]()
        # Other laws say that no change is rolled back.
        with _compared_units(known, {}, wrong), suppress(RolledBack):
            run_case(result.case, result.rules, files={**result.case.before, path: edited})
        said = f"{path} becomes:\n{edited.decode()}"
        require(not wrong, f"the plans of {wrong} do not hold; {said}")


def _edited_text(text: bytes, chance: random.Random) -> bytes:
    """Return a program with one change that people make."""
    try:
        tree = parse_text(text)
    except Unparsable:
        return text
    top, every = tree.body, [*ast.walk(tree)]
    blocks = [node.body for node in every if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names = [node.name for node in top if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    match chance.randrange(6):
        case 0:
            top += parse_text(b"def probe(value):\n    return value + 1").body
        case 1 if len(top) > 1:
            del top[chance.randrange(len(top))]
        case 2 if len(top) > 1:
            at = chance.randrange(len(top) - 1)
            top[at], top[at + 1] = top[at + 1], top[at]
        case 3 if blocks:
            block = chance.choice(blocks)
            block[chance.randrange(len(block))] = ast.Pass()
        case 4 if names:
            top += parse_text(f"{chance.choice(names)} = None".encode()).body
        case _ if blocks:
            block = chance.choice(blocks)
            block[:0] = parse_text(b"probe = 1").body
    return ast.unparse(ast.fix_missing_locations(tree)).encode("utf-8", "surrogateescape")


class _KeptUnit(NamedTuple):
    rule: str
    scope: frozenset[str] | None
    looked_at: LookedAt
    lasts: bool


@contextmanager
def _compared_units(
    known: Mapping[str, KnownUnits], kept: dict[str, KnownUnits], wrong: list[str]
) -> Iterator[None]:
    """Have all rules planned by unit; put the units of each stage into ``kept``.

    Units whose ``known`` plan holds, but is not the one that is made, are ``wrong``.
    """
    recall, held = StageUnits.recall, dict[bytes, Planned]()

    def recall_nothing(units: StageUnits, unit: Unit) -> None:
        planned = recall(units, unit)
        if planned is not None:
            held[unit.key()] = planned

    def compare(unit: Unit, planned: Planned) -> None:
        expected = held.pop(unit.key(), planned)
        if replace(expected, looked_at=None) != replace(planned, looked_at=None):
            wrong.append(f"{unit.rule.name} {unit.scope}")

    with (
        _planned_by_unit(known, compare) as stages,
        mock.patch.object(StageUnits, "recall", recall_nothing),
    ):
        yield
    kept.update({stage: units.to_keep() for stage, units in stages.items()})


@contextmanager
def _kept_units(kept: dict[bytes, _KeptUnit]) -> Iterator[None]:
    """Have all rules planned by unit; put the evidence of the units into ``kept``."""

    def note_unit(unit: Unit, planned: Planned) -> None:
        looked_at = planned.looked_at or LookedAt()
        lasts = plan_to_bytes(planned) is not None
        kept[unit.key()] = _KeptUnit(unit.rule.name, unit.scope, looked_at, lasts)

    with _planned_by_unit({}, note_unit):
        yield


@contextmanager
def _planned_by_unit(
    known: Mapping[str, KnownUnits], note: Callable[[Unit, Planned], None]
) -> Iterator[dict[str, StageUnits]]:
    """Have all rules planned by unit, and give the units of each stage.

    ``known`` are those of an earlier run by stage; ``note`` is called with each new plan.
    """
    keep, stages = StageUnits.keep, dict[str, StageUnits]()

    def keep_noted(units: StageUnits, unit: Unit, planned: Planned) -> None:
        note(unit, planned)
        keep(units, unit, planned)

    def planner(_tools: Tools, stage: str, snapshot: Snapshot) -> UnitPlanner:
        stages[stage] = StageUnits(known.get(stage), snapshot, b"", {}, _NO_TEXTS)
        return UnitPlanner(stages[stage])

    with (
        mock.patch.object(Tools, "planner", planner),
        mock.patch.object(StageUnits, "keep", keep_noted),
    ):
        yield stages
