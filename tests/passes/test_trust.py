"""What a project names itself is run only where the user says so."""

from __future__ import annotations

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
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a project whose every file that could be run leaves a trace."""
    root = tmp_path / "repository"
    (root / "libcst").mkdir(parents=True)
    text = f"open({str(tmp_path / 'trace')!r}, 'w').close()\n"
    for name in ("evil", "conftest", "noop", "libcst/__init__", "yaml", "awaken", "bowler"):
        (root / f"{name}.py").write_text(text)
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / ".libcst.codemod.yaml").write_text("modules: [evil]\n")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "--select", "evil,worse", "--unsafe-fixes"],
        ["check", "--extend-select", "ALL", "--unsafe-fixes"],
        ["diff", "--unsafe-fixes"],
        ["apply", "--unsafe-fixes", "--allow-dirty"],
        ["doctor"],
        ["explain", "evil.py:1", "--unsafe-fixes"],
        ["rules"],
        ["check", "--show-settings"],
        ["check", "--libcst", "noop.NOOPCommand"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("repository")
def test_nothing_of_a_repository_runs_unasked(tmp_path, words):
    cli.main(words)

    assert not (tmp_path / "trace").exists()


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
    assert "'trust-passes' is not taken from a project's own settings" in capsys.readouterr().err
    assert not (tmp_path / "trace").exists()


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
