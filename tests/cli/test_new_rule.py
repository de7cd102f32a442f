"""``awaken new-rule`` begins a rule that runs, and fails where something is to be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rule_on_disk import RuleOnDisk

ROOT = Path(__file__).parents[2]
NEW = "awaken/codemods/asyncio"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty checkout of awaken, and the current directory in it."""
    for path in ("awaken/codemods/__init__.py", "awaken/codemods/pooling/__init__.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "fixtures").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_rule_of_a_new_family(awaken, checkout):
    before = files_in(checkout)

    code, out, err = awaken("new-rule", "asyncio/running-loop")

    assert (code, err) == (0, "")
    made = files_in(checkout) - before
    assert made == {
        "awaken/codemods/asyncio/__init__.py",
        "awaken/codemods/asyncio/running_loop.py",
        "fixtures/asyncio/running-loop/basic/case.toml",
        "fixtures/asyncio/running-loop/basic/before.py",
        "fixtures/asyncio/running-loop/basic/after.py",
    }
    assert [line for line in out.splitlines() if line.startswith("made ")] == [
        *(f"made {path}" for path in sorted(made) if path.startswith("awaken/")),
        "made fixtures/asyncio/running-loop/basic/case.toml",
        "made fixtures/asyncio/running-loop/basic/before.py",
        "made fixtures/asyncio/running-loop/basic/after.py",
    ]
    assert "-k running-loop\n" in out


def test_a_rule_of_a_family_that_is_there_from_a_folder_below(awaken, checkout, monkeypatch):
    monkeypatch.chdir(checkout / "fixtures")

    assert awaken("new-rule", "pooling/running-loop")[0] == 0

    assert (checkout / "awaken/codemods/pooling/__init__.py").read_text() == ""
    assert (checkout / "awaken/codemods/pooling/running_loop.py").is_file()


def test_it_says_what_to_write_next(awaken, checkout, monkeypatch):
    awaken("new-rule", "asyncio/running-loop")
    rule = RuleOnDisk(checkout, "asyncio", "running-loop", monkeypatch)

    page, *cases = rule.failures()

    assert page == (
        "the page of running-loop is not written yet: "
        "TODO: one sentence that says what becomes of what."
    )
    assert len(cases) == 2
    assert all("TODO: say in `rewrite` what becomes of the call" in one for one in cases)


def test_one_edit_makes_its_first_case_pass(awaken, checkout, monkeypatch):
    awaken("new-rule", "asyncio/running-loop")
    module = checkout / "awaken/codemods/asyncio/running_loop.py"
    text = module.read_text()
    raised = (
        '        raise NotImplementedError("TODO: say in `rewrite` what becomes of the call")\n'
    )
    assert raised in text
    rewrite = 'Rewrite("it goes", [site.replace(site.node.func, "things.new")])'
    written = text.replace(raised, f"        return {rewrite}\n")
    module.write_text(written.replace("TODO", "Done"))

    assert RuleOnDisk(checkout, "asyncio", "running-loop", monkeypatch).failures() == []


def test_what_is_written_passes_the_linter(awaken, checkout):
    awaken("new-rule", "asyncio/running-loop")

    for words in (["check"], ["format", "--check"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--config", ROOT / "pyproject.toml", NEW],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("running-loop", "'running-loop' is no FAMILY/NAME"),
        ("asyncio/", "'asyncio/' is no FAMILY/NAME"),
        ("asyncio/RunningLoop", "'asyncio/RunningLoop' is no FAMILY/NAME"),
        ("asyncio/running_loop", "'asyncio/running_loop' is no FAMILY/NAME"),
        ("../asyncio/x", "'../asyncio/x' is no FAMILY/NAME"),
        ("async/running-loop", "'async' is a keyword of Python"),
        ("asyncio/yield", "'yield' is a keyword of Python"),
        ("event-loop/running", "a family is one word"),
    ],
)
def test_a_name_that_cannot_be_one(awaken, checkout, wanted, said):
    before = files_in(checkout)

    code, out, err = awaken("new-rule", wanted)

    assert (code, out) == (2, "")
    assert err.startswith(f"error: {said}")
    assert files_in(checkout) == before


def test_a_rule_that_is_there(awaken, checkout):
    awaken("new-rule", "asyncio/running-loop")
    before = files_in(checkout)

    code, _, err = awaken("new-rule", "pooling/running-loop")

    assert code == 2
    assert err == (
        "error: there is a rule 'running-loop' already: awaken/codemods/asyncio/running_loop.py\n"
    )
    assert files_in(checkout) == before


def test_outside_of_a_checkout(awaken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, _, err = awaken("new-rule", "asyncio/running-loop")

    assert code == 2
    assert "is not in a checkout of awaken" in err
    assert list(tmp_path.iterdir()) == []
