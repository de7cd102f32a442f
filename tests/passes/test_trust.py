"""What a project names itself is run only where the user says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from awaken import cli

SETTINGS = """
[project]
name = "shop"

[[tool.awaken.pass]]
libcst = "evil.Evil"
name = "evil"

[[tool.awaken.pass]]
bowler = "evil.py"
name = "worse"

[[tool.awaken.pass]]
bowler = "evil"
name = "worst"

[project.entry-points."awaken.rules"]
evil = "evil:Evil"
"""
PASSES = "evil,worse,worst"
HIDING = [
    *("awaken", "bowler", "click", "fissix", "libcst", "msgspec", "noop", "rich", "typer", "yaml"),
    *("argparse", "colorsys", "difflib", "multiprocessing", "string", "textwrap", "unittest"),
    *("conftest", "evil", "setup", "sitecustomize", "usercustomize"),
]
"""Modules of the repository that others would be hidden by, or that some tool runs."""
NAMED = """
[[pass]]
libcst = "evil.Evil"
name = "evil"
"""
OWN = """
from bowler import Query

def main():
    import colorsys, string
    Query().select_function("old").rename("new").write()
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a project whose every file that could be run leaves a trace."""
    root = tmp_path / "repository"
    (root / "libcst").mkdir(parents=True)
    text = f"open({str(tmp_path / 'trace')!r}, 'w').close()\n"
    for name in (*HIDING, "libcst/__init__", "src/bowler", "src/evil", "src/fissix"):
        path = root / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / ".libcst.codemod.yaml").write_text(
        "modules: [evil, conftest]\nformatter: [./evil.py]\n"
    )
    (root / "evil.pth").write_text("import evil\n")
    installed = root / "evil-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[awaken.rules]\nevil = evil:Evil\n")
    (root / "named.toml").write_text(NAMED)
    (tmp_path / "own.py").write_text(OWN)
    (root / "old.py").write_text("old()\n")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "--select", PASSES, "--unsafe-fixes"],
        ["check", "--config", "pyproject.toml", "--select", PASSES],
        ["check", "--config", "named.toml", "--select", "evil"],
        ["rules", "evil"],
        ["rules", "--config", "named.toml"],
        ["diff", "--bowler", "../own.py"],
        ["check", "--extend-select", "ALL", "--unsafe-fixes"],
        ["diff", "--unsafe-fixes"],
        ["apply", "--unsafe-fixes", "--allow-dirty"],
        ["doctor"],
        ["explain", "evil.py:1", "--unsafe-fixes"],
        ["rules"],
        ["check", "--show-settings"],
        ["check", "--libcst", "noop.NOOPCommand"],
        ["check", "--libcst", "noop.NOOPComand"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("repository")
@pytest.mark.sampled(4)
def test_nothing_of_a_repository_runs_unasked(tmp_path, words):
    cli.main(words)

    assert not (tmp_path / "trace").exists()


@pytest.mark.usefixtures("repository")
def test_nothing_of_a_repository_hides_what_a_pass_needs(capsys):
    code = cli.main(["check", "--bowler", "../own.py", "--unsafe-fixes", "--output-format", "json"])

    found = json.loads(capsys.readouterr().out)
    assert code == 1
    assert [one["path"] for one in found["findings"]] == ["old.py"]
    assert found["diagnostics"] == []


def test_nothing_of_a_repository_runs_when_awaken_starts(repository, tmp_path):
    # Those with which Python itself begins are out of reach of `python -m`.
    for name in ("awaken", "sitecustomize", "usercustomize"):
        (repository / f"{name}.py").unlink()

    words = [sys.executable, "-m", "awaken", "check", "--select", PASSES]
    done = subprocess.run(words, capture_output=True, check=False)

    assert b"--trust-passes" in done.stdout + done.stderr
    assert not (tmp_path / "trace").exists()


def test_a_tag_of_yaml_makes_no_object(repository, tmp_path):
    place = tmp_path / "trace"
    tag = f"modules: !!python/object/apply:os.system ['touch {place}']\n"
    (repository / ".libcst.codemod.yaml").write_text(tag)

    cli.main(["check", "--libcst", "noop.NOOPCommand"])

    assert not place.exists()


@pytest.mark.usefixtures("repository")
def test_the_trace_is_left_where_the_user_asks_for_it(tmp_path):
    cli.main(["check", "--select", "evil", "--trust-passes"])

    assert (tmp_path / "trace").exists()


@pytest.mark.usefixtures("repository")
def test_what_does_not_run_says_what_to_say(capsys):
    cli.main(["doctor", "--verbose"])

    said = " ".join(capsys.readouterr().out.split())
    assert "code that pyproject.toml names: say --trust-passes to run it" in said


def test_a_project_cannot_trust_itself(repository, tmp_path, capsys):
    settings = repository / "pyproject.toml"
    settings.write_text(SETTINGS.replace("[[tool", "[tool.awaken]\ntrust-passes = true\n[[tool", 1))

    code = cli.main(["check"])

    assert code == 2
    assert "'trust-passes' is not allowed in a project's own settings" in capsys.readouterr().err
    assert not (tmp_path / "trace").exists()


def test_a_file_of_the_project_is_the_projects_whoever_names_it(repository, tmp_path, capsys):
    (repository / "named.toml").write_text("trust-passes = true\n")
    inside = cli.main(["check", "--config", "named.toml"])
    said = capsys.readouterr().err
    (repository / "named.toml").rename(tmp_path / "outside.toml")
    outside = cli.main(["check", "--config", "../outside.toml"])

    assert (inside, outside) == (2, 0)
    assert "'trust-passes' is not taken from a file of the project" in said


CODEMOD = """
import libcst as cst
from libcst.codemod import CodemodCommand


class Marks(CodemodCommand):
    DESCRIPTION = "marks"

    def transform_module_impl(self, tree):
        return tree.with_changes(body=[*tree.body, cst.parse_statement("marked = 1")])
"""


@pytest.mark.parametrize("trusted", [True, False])
def test_whom_the_user_trusts_runs(tmp_path, monkeypatch, trusted):
    (tmp_path / "marks.py").write_text(CODEMOD)
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\n[[tool.awaken.pass]]\nlibcst = "marks.Marks"\npaths = ["a.py"]\n'
    )
    monkeypatch.chdir(tmp_path)

    words = ["apply", "--unsafe-fixes", "--allow-dirty", "--select", "marks"]
    cli.main([*words, *(["--trust-passes"] if trusted else [])])

    assert (Path("a.py").read_text() == "x = 1\nmarked = 1\n") is trusted
