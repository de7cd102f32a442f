"""The counts that budgets hold are the same in every run, and a row that is exceeded fails."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ROW = {"parses": 100, "searches": 5000, "plans": 0}


@pytest.fixture
def budget(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("budget")


@pytest.mark.slow
def test_counts_are_the_same_in_every_run(budget, tmp_path):
    # Each run is a process with hashes of its own, so no order of a set shows.
    bookshop = BENCHMARKS.parent / "examples" / "bookshop"
    counters = [budget.Counter(budget.Program(), bookshop, tmp_path, jobs) for jobs in (1, 2)]
    first, second = (counter.row("query-to-select") for counter in counters)
    assert first == second
    assert all(first.values())


@pytest.mark.parametrize(
    ("now", "held", "ends_with", "said"),
    [
        (ROW, ROW, 0, ""),
        (ROW | {"parses": 102}, ROW, 0, "parses 100 -> 102\n"),
        (ROW | {"parses": 103}, ROW, 1, "parses 100 -> 103  OVER\n"),
        (ROW | {"plans": 1}, ROW, 1, "plans 0 -> 1  OVER\n"),
        (ROW | {"parses": 50}, ROW, 0, "parses 100 -> 50\n"),
        ({"parses": 100}, ROW, 0, ""),
        (ROW, {"parses": 100, "searches": 5000}, 1, "plans None -> 0  OVER\n"),
        (ROW, None, 1, "has no budget  OVER\n"),
    ],
)
def test_a_row_fails_above_its_budget_by_two_in_a_hundred(  # noqa: PLR0913  rows, and what pytest gives
    now, held, ends_with, said, budget, tmp_path, monkeypatch, capsys
):
    budgets = tmp_path / "budgets.toml"
    budgets.write_text("")
    monkeypatch.setattr(budget, "HELD", budgets)
    monkeypatch.setattr(budget, "counted", lambda *_, **__: [("default", now)])
    if held is not None:
        budget.write("generated", "default", held)
    with pytest.raises(SystemExit) as ended:
        budget.main([str(tmp_path), "generated", "--quick"])
    assert int(ended.value.code) == ends_with
    assert capsys.readouterr().out == (f"generated: default: {said}" if said else "")


def test_every_program_of_the_budgets_is_listed_elsewhere_or_generated(budget):
    assert all(one.domains or name in budget.programs() for name, one in budget.PROGRAMS.items())
    assert budget.tomllib.loads(budget.HELD.read_text()).keys() <= budget.PROGRAMS.keys()
