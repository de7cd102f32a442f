"""Random legacy queries do the same after the rewrite, or are left alone.

The grammar and the idea are those of the specification's random chains; here the rewritten side
is what awaken writes. Seeds are fixed, so that a failure can be repeated.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from fixture_cases import FIXTURES
from random_crossing import crossing
from random_kept import kept
from random_kept_writes import kept_writes
from random_queries import program
from random_unions import gets, unions
from random_writes import writes

from awaken.contract import Level
from awaken.testing import Case, Executor, run_case
from awaken.testing.cases import Settings
from awaken.testing.execution import differences

LIBRARY = {
    path.name: path.read_bytes()
    for path in (FIXTURES / "sqlalchemy/_programs/library").glob("*.py")
}
QUERIES = 60
# What is written for every version must hold on the installed one, and what is for that alone.
TARGETS = (">=1.4.24", version("sqlalchemy"))


@pytest.fixture(scope="module")
def executor():
    with Executor() as executor:
        yield executor


def case_of(make, seed):
    source = make(seed, QUERIES).encode()
    return Case(
        name=f"random-{seed}",
        family="sqlalchemy",
        rule="query-to-select",
        directory=Path(),
        settings=Settings(unsafe=True, targets={"sqlalchemy": TARGETS[seed % 2]}),
        before={**LIBRARY, "case.py": source},
        after={},
        program=LIBRARY,
    )


def functions_by_level(result):
    """Return the names of the cases in which a finding has each level; ``_5_0`` is of case 5."""
    text = result.case.before["case.py"]
    found = {level: set() for level in Level}
    for finding in result.report.findings:
        head = text[: finding.place.span.start].rpartition(b"def ")[2]
        name = head.partition(b"(")[0].decode()
        found[finding.level].add(name if name[0] != "_" else f"case_{name.split('_')[1]}")
    return found


def failed(observation):
    value = observation.value
    return isinstance(value, tuple) and value[0] == "raises"


SEEDS = {program: 6, writes: 4, kept: 4, kept_writes: 2, crossing: 4, unions: 2, gets: 2}


@pytest.mark.parametrize(
    ("make", "seed"),
    [
        pytest.param(make, seed, marks=() if seed == 0 else pytest.mark.slow)
        for make, seeds in SEEDS.items()
        for seed in range(seeds)
    ],
)
@pytest.mark.slow
def test_random_queries_do_the_same_or_are_left_alone(make, seed, executor):
    case = case_of(make, seed)
    result = run_case(case)
    before, after = executor.observe(case, case.before), executor.observe(case, result.files)
    levels = functions_by_level(result)

    wrong = {
        name: differences(old, after[name], same_sql=False)
        for name, old in before.items()
        if name not in levels[Level.UNSAFE]
        # Both fail, with errors of different types: nobody relies on that.
        and not (failed(old) and failed(after[name]))
    }

    assert {name: found for name, found in wrong.items() if found} == {}
    assert not result.report.diagnostics
    assert len(levels[Level.SAFE]) > QUERIES / 3
    assert levels[Level.MANUAL]
