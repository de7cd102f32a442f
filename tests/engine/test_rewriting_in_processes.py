"""Files are rewritten in several processes where that pays, with the same result as in one."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace
from rewriting_helpers import REWRITERS, change, need, node_edit

from awaken.engine.machine import workers
from awaken.engine.planning import in_memory
from awaken.engine.planning.in_memory import Processing, apply_in_memory
from awaken.workspace.sources import Snapshot, decode

TEXT = "x = f(1)\ny = g(2)\n"
PATHS = [f"shop/{name}.py" for name in "abcdefgh"]


def end_process(node, data, around):
    del node, around
    os._exit(data)


def process(node, data, around):
    """Replace the node by the number of the process that rewrites it."""
    del data
    return REWRITERS["rule"]["parsed"](node, str(os.getpid()), around)


OWN = {"rule": REWRITERS["rule"] | {"end_process": end_process, "process": process}}


@pytest.fixture(params=[True, False], ids=["in processes", "here"])
def pays(request, monkeypatch):
    # pytest-xdist has threads; nothing here holds a lock that a forked child could miss
    monkeypatch.setattr(workers, "start_method", lambda: "fork")
    monkeypatch.setattr(in_memory, "start_method", lambda: "fork")
    monkeypatch.setattr(in_memory, "_SECONDS_PER_EDIT", 1.0 if request.param else 0.0)
    return request.param


def edit(path, rewriter="wrap", data=None, code="f(1)"):
    return replace(node_edit(TEXT, code, rewriter, data), path=path)


def run(changes, jobs, progress=None):
    files = {path: decode(path, TEXT.encode()) for path in PATHS}
    processing = Processing(jobs, progress) if progress else Processing(jobs)
    return apply_in_memory(Snapshot(files), changes, OWN, None, processing)


def changes():
    good = [change(edit(path), replace(need("wrapped"), path=path), id=path) for path in PATHS]
    bad = [change(edit(path, "fail", path, "g(2)"), id=f"bad {path}") for path in PATHS[::3]]
    return [*bad, *good]


@pytest.mark.parametrize("jobs", [1, 2, 3, None])
@pytest.mark.parametrize("pays", [True], indirect=True)
def test_the_result_is_the_same_for_any_number_of_processes(pays, jobs, monkeypatch):
    assert pays
    found = run(changes(), jobs)
    monkeypatch.setattr(in_memory, "_SECONDS_PER_EDIT", 0.0)
    expected = run(changes(), 1)
    texts = [{path: one.snapshot[path].text for path in PATHS} for one in (found, expected)]
    assert texts[0] == texts[1]
    assert b"from library import wrapped\n\nx = wrapped(f(1))" in found.snapshot[PATHS[1]].text
    assert found.problems == expected.problems
    assert [one.changes for one in found.problems] == [(f"bad {path}",) for path in PATHS[::3]]
    for path in PATHS:
        assert found.maps[path].new_regions() == expected.maps[path].new_regions()


def test_much_is_rewritten_in_other_processes_and_little_here(pays):
    found = run([change(edit(path, "process")) for path in PATHS], jobs=2)
    numbers = {found.snapshot[path].text.split()[2] for path in PATHS}
    assert (str(os.getpid()).encode() in numbers) is not pays


@pytest.mark.parametrize("pays", [True], indirect=True)
def test_a_file_that_ends_its_process_costs_its_own_changes(pays):
    assert pays
    deadly = change(edit(PATHS[2], "end_process", 3), edit(PATHS[5]), id="deadly")
    found = run([deadly, *(change(edit(path)) for path in PATHS[6:])], jobs=2)
    (problem,) = found.problems
    assert problem.message == "its rewriting ended its worker process twice (exit code 3)"
    assert (problem.place.path, problem.changes) == (PATHS[2], ("deadly",))
    assert found.snapshot[PATHS[2]].text == TEXT.encode()
    assert all(found.snapshot[path].text.startswith(b"x = wrapped(f(1))") for path in PATHS[5:])


def test_every_file_is_counted(pays):
    del pays
    told = []
    run(changes(), 2, lambda *what: told.append(what))
    assert told == [("Rewriting files", done, len(PATHS)) for done in range(len(PATHS) + 1)]
