"""No test sees the environment of the user who runs it; what was accepted is shown once."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from surroundings import CLEARED, accepted_in

import awaken

_READ = re.compile(r'os\.environ\.get\("(\w+)"|"(\w+)" in os\.environ')


def read_by_awaken():
    """Return the variables that awaken's code reads; rules and their pages show those of others.

    The plugin of `awaken verify` runs in other processes, which get its variables from us.
    """
    top, others = Path(awaken.__file__).parent, {"codemods", "verifying"}
    texts = [path.read_text("utf-8") for path in top.rglob("*.py") if others.isdisjoint(path.parts)]
    read = {name for text in texts for names in _READ.findall(text) for name in names if name}
    return {name for name in read if not name.startswith("GIT_")}  # all of git are cleared


def test_every_variable_that_awaken_reads_is_cleared():
    assert {"AWAKEN_STATE_DIR", "PAGER", "CI"} <= read_by_awaken()
    assert read_by_awaken() <= set(CLEARED)


def test_what_is_cleared_is_not_there():
    assert os.environ.keys() & set(CLEARED) == set()


def test_what_was_accepted_is_shown_once():
    said = {"user_properties": [("accepted", "-a\n+b\n"), ("other", "c")]}
    reports = [
        pytest.TestReport("test_x", ("x", 1, "x"), {}, "passed", None, when, **said)
        for when in ("setup", "call", "teardown")
    ]
    assert list(accepted_in([*reports, pytest.CollectReport("x", "failed", None, [])])) == [
        "-a\n+b\n"
    ]
