"""Every class of attack and of endless work that was found has tests that hold it."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
ROWS = tomllib.loads((TOP / "tests/data/security_rows.toml").read_text("utf-8"))["rows"]
FORKS = TOP / "docs" / "pull-requests-from-forks.md"


def test_no_row_is_left_out():
    expected = {f"S{number}" for number in range(1, 11)} | {f"E{number}" for number in range(1, 14)}

    assert ROWS.keys() == expected


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_are_there(row):
    assert ROWS[row]
    for test in ROWS[row]:
        path, name = test.split("::")
        tree = ast.parse((TOP / path).read_text("utf-8"))
        assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, test


def test_the_recipe_for_forks_gives_the_job_nothing_that_the_fork_could_use():
    """Its commands are run over the hostile repository in ``tests/hostile``."""
    page = FORKS.read_text("utf-8")
    first, second = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert "pull_request_target" not in first
    assert re.search(r"^on: pull_request$", first, re.MULTILINE)
    assert re.search(r"^permissions:\n  contents: read\njobs:", first, re.MULTILINE)
    assert "persist-credentials: false" in first
    assert "secrets." not in first
    assert "actions/checkout" not in second
