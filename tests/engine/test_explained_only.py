"""Places at which nobody has to do anything: explain shows them, and a run does not."""

from __future__ import annotations

import pytest

from awaken import api
from awaken.cli import main
from awaken.settings import Settings

GATHER = """\
import asyncio


async def both(one, two):
    return await asyncio.gather(one(), two(){more})
"""
THREAD = """\
async def load(loop, pool):
    return await loop.run_in_executor(pool, print)
"""
MANIFEST = '[project]\nname = "p"\nversion = "1"\nrequires-python = "{}"\n'
PLACES = [
    ("gather-to-taskgroup", GATHER.format(more=", return_exceptions=True"), ">=3.11", 5),
    ("executor-to-thread", THREAD, ">=3.11", 2),
    ("gather-to-taskgroup", GATHER.format(more=""), ">=3.9", 5),
    ("gather-to-taskgroup", "x = 1\n", ">=3.9", 0),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("rule", "text", "python", "line"), PLACES)
def test_a_place_that_asks_for_nothing_is_no_finding(project, rule, text, python, line):
    (project / "pyproject.toml").write_text(MANIFEST.format(python))
    (project / "app.py").write_text(text)
    options = api.Options(settings=Settings(select=(rule,)))

    for _ in range(2):  # the second answer is a remembered one
        (report,) = api.run([project], options).roots
        assert report.findings == ()
        noted = [note.partition(":")[0] for note in report.notes]
        is_noted = bool(line) and python == ">=3.9"
        assert noted == ([f"{rule} rewrites nothing here (1 site)"] if is_noted else [])

    assert main(["check", "--select", rule, "--statistics"]) == 0
    sites = api.explain(project / "app.py", line or 1, options=options).sites
    assert [one.status for one in sites] == (["left"] if line else [])
