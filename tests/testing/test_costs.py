"""The quick suite leaves a part of the costly tests to the slow one."""

from __future__ import annotations

from pathlib import Path

import costs

ROOT = Path(__file__).parents[2]


def test_costs_are_those_of_tests_that_exist():
    texts = {}
    for name in costs.COSTS:
        path, _, function = name.partition("::")
        text = texts.setdefault(path, (ROOT / path).read_text("utf-8"))
        assert f"def {function.rpartition('::')[2]}(" in text, name


def test_a_function_has_as_many_quick_tests_as_the_limit_allows(monkeypatch):
    monkeypatch.setattr(costs, "COSTS", {"a.py::dear": costs.LIMIT * 3.5, "a.py::cheap": 0.01})

    shares = [costs.share_of(name) for name in ("a.py::dear[x]", "a.py::cheap", "a.py::new[y]")]
    assert shares == [4, 1, 1]


def test_what_a_function_cost_is_written_for_all_its_parameters(monkeypatch, tmp_path):
    class Report:
        def __init__(self, nodeid, seconds, when="call"):
            self.nodeid, self.when, self.user_properties = nodeid, when, [("cpu", seconds)]

    monkeypatch.setattr(costs, "FILE", tmp_path / "costs.toml")
    costs.write_costs(
        [
            Report("a.py::dear[x]", 1),
            Report("a.py::dear[y]", 2),
            Report("a.py::dear[y]", 2, "teardown"),
            Report("a.py::cheap", 0.01),
        ]
    )

    assert (tmp_path / "costs.toml").read_text("utf-8").splitlines()[1:] == ['"a.py::dear" = 3.0']
