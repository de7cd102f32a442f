"""The example of passes does what its page shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from awaken.cli import main

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "passes"
(PATCH,) = re.findall(r"```diff\n(.*?)```", (EXAMPLE / "README.md").read_text("utf-8"), re.DOTALL)
ONCE = re.findall(
    r"^awaken (diff --(?:libcst|bowler) .*)$", (EXAMPLE / "README.md").read_text(), re.MULTILINE
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    shutil.copytree(EXAMPLE, tmp_path / "example")
    monkeypatch.chdir(tmp_path / "example")


def test_the_patch_of_its_page_is_what_the_passes_make(capsys):
    assert main(["diff", "--trust-passes", "--unsafe-fixes"]) == 0

    assert capsys.readouterr().out == PATCH


@pytest.mark.parametrize("line", ONCE)
def test_each_can_be_run_once(capsys, line):
    assert main(line.split()) == 0

    rows = [one for one in capsys.readouterr().out.splitlines() if one[0] in "+-"]
    assert rows
    assert set(rows) < set(PATCH.splitlines())


def test_nothing_runs_unasked(capsys):
    assert main(["diff", "--unsafe-fixes"]) == 0

    out, err = capsys.readouterr()
    assert out == ""
    assert "utc-now, price do not run" in err
