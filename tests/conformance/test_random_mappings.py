"""Every read of a random program that fires is found, with its class and the load of its object.

Where the loads are written for all that is traced, nothing of it fires any more.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from all_loads import AllLoads
from fired_reads import Fired, Way, run
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_mappings import Program, program

from awaken.project import Project, Snapshot
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Trace
from awaken.testing import run_case
from awaken.testing.cases import Case, Settings
from awaken.testing.running import diagnostics_of
from awaken.workspace.sources import decode

EXAMPLES = 120 if os.environ.get("AWAKEN_HYPOTHESIS") == "long" else 5


def project_of(made: Program) -> Project:
    texts = {"models.py": made.models, "main.py": made.main}
    return Project(
        Snapshot({name: decode(name, text.encode()) for name, text in texts.items()}), None
    )


def line_of(project: Project, path: str, start: int) -> int:
    return project.snapshot[path].text.count(b"\n", 0, start) + 1


def name_of(project: Project, read: Read) -> Fired:
    path, start = read.place.path, read.place.span.start
    function = project.snapshot[path].text[:start].rpartition(b"def ")[2].partition(b"(")[0]
    owner = read.owner.rpartition(".")[2]
    return Fired(path, line_of(project, path, start), function.decode(), owner, read.attribute)


def is_of(project: Project, trace: Trace, ways: set[Way]) -> bool:
    """Whether a trace is one of the ways that led to a read; an option goes a part of the way."""
    line = line_of(project, trace.load.place.path, trace.load.place.span.start)
    path = tuple(step.rpartition(".")[2] for step in trace.path[:-1])
    return Way(line, path) in ways or bool(
        trace.load.options and line in {one.line for one in ways}
    )


@settings(max_examples=EXAMPLES, phases=[Phase.generate])  # a seed is not made simpler
@given(seed=st.integers(0, 10**6))
def test_what_fires_is_found_and_traced_and_what_is_found_fires(seed):
    made = program(seed)
    project = project_of(made)
    found = {name_of(project, one): one for one in project.orm.reads.all()}

    fired, executed = run(made)

    # What is read of an object of unknown class keeps every relationship of that name.
    kept = {name for name in fired if name._replace(owner="") in found}
    assert fired.keys() - found.keys() - kept == set()
    for name in fired.keys() & found.keys():
        traces = found[name].traces
        is_known = any(is_of(project, one, fired[name]) for one in traces)
        assert is_known or not found[name].is_traced, (name, fired[name])
    quiet = found.keys() - fired.keys() - {name._replace(owner="") for name in fired}
    silent = {name: found[name] for name in quiet if name[:2] in executed}
    assert [name for name, one in silent.items() if not is_loaded(one, made)] == []


@settings(max_examples=EXAMPLES, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6))
@pytest.mark.slow
def test_what_is_served_does_not_fire(seed):
    made, rule = program(seed), AllLoads()
    files = {"models.py": made.models.encode(), "main.py": made.main.encode()}
    case = Case(
        name="random",
        family="kit",
        rule=rule.name,
        directory=Path(),
        settings=Settings(unsafe=True),
        before=files,
        after=files,
        program={},
    )
    result = run_case(case, [rule])
    assert not diagnostics_of(result)
    project = project_of(made)
    served = {
        name_of(project, read).elsewhere
        for read in project.orm.reads.all()
        if read.is_traced and rule.served.issuperset(read.traces)
    }

    fired, _ = run(Program(*(result.files[name].decode() for name in files)))

    assert served & {one.elsewhere for one in fired} == set()


def is_loaded(read: Read, made: Program) -> bool:
    """Whether an option may have loaded what is read; of a read without traces, any option."""
    if read.is_traced:
        return any(trace.load.options for trace in read.traces)
    return f".{read.attribute})." in made.main or f".{read.attribute}))" in made.main
