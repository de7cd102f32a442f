from __future__ import annotations

import re
import tomllib

import pytest

PYPROJECT = """\
[project]
name = "shop"

[tool.awaken]
extend-exclude = ["gen/**", "old"]
unsafe-fixes = true
target-version = "py310"
baseline = "known/sites.json"

[tool.awaken.target]
sqlalchemy = "2.0"

[[tool.awaken.overrides]]
paths = ["tests/"]
ignore = ["sqlalchemy"]

[[tool.awaken.overrides]]
paths = ["legacy/**/*.py"]
unsafe-fixes = false
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    root = tmp_path / "shop"
    for name in ("b.py", "a.py", "pkg/c.py", "old/d.py", "gen/e.py", ".venv/f.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    monkeypatch.chdir(root)
    return root


@pytest.mark.usefixtures("program")
def test_files_are_listed_one_per_line_and_nothing_else(awaken):
    assert awaken("check", "--show-files") == (0, "a.py\nb.py\ngen/e.py\nold/d.py\npkg/c.py\n", "")


def test_files_are_those_that_the_paths_and_settings_leave(awaken, program):
    (program / "pyproject.toml").write_text(PYPROJECT)

    assert awaken("check", "--show-files")[1] == "a.py\nb.py\npkg/c.py\n"
    assert awaken("check", "--show-files", "pkg", "a.py")[1] == "a.py\npkg/c.py\n"


def test_files_are_named_from_where_the_user_stands(awaken, program, monkeypatch):
    monkeypatch.chdir(program / "pkg")

    assert awaken("check", "--show-files", "..", "--exclude", "old,gen")[1].splitlines() == [
        "../.venv/f.py",
        "../a.py",
        "../b.py",
        "c.py",
    ]


@pytest.mark.usefixtures("program")
def test_a_path_that_is_none_ends_with_2_and_stays_out_of_stdout(awaken):
    code, out, err = awaken("check", "--show-files", "a.py", "nowhere")

    assert (code, out) == (2, "a.py\n")
    assert err == "error: nowhere: no such file or directory\n"


@pytest.mark.usefixtures("program")
def test_the_default_settings_say_that_they_are(awaken):
    code, out, err = awaken("check", "--show-settings")

    found = tomllib.loads(out)
    assert (code, err) == (0, "")
    assert out.startswith("# Settings in the form of awaken.toml; no settings file was found.\n")
    assert re.search(r"^select = \[[^=]*# default$", out, re.MULTILINE)
    assert "query-to-select" in found["select"]
    assert found["unsafe-fixes"] is False
    assert ".venv" in found["exclude"]
    assert "baseline" not in found


def test_every_setting_has_its_origin(awaken, program):
    (program / "pyproject.toml").write_text(PYPROJECT)

    out = awaken("check", "--show-settings", "--no-unsafe-fixes")[1]

    assert "read from pyproject.toml." in out.splitlines()[0]
    assert "unsafe-fixes = false  # the command line\n" in out
    assert 'target-version = "py310"  # pyproject.toml\n' in out
    assert "exclude = [  # extend-exclude: pyproject.toml\n" in out
    assert 'target = { sqlalchemy = "2.0" }  # sqlalchemy: pyproject.toml\n' in out
    assert 'baseline = "known/sites.json"  # pyproject.toml\n' in out
    assert '[[overrides]]  # pyproject.toml\npaths = ["tests/"]\n' in out
    assert (
        '[[overrides]]  # pyproject.toml\npaths = ["legacy/**/*.py"]\nunsafe-fixes = false' in out
    )


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--ignore", "query-to-select"),
        ("--exclude", "a.py,pkg/"),
        ("--target-version", "3.12", "--unsafe-fixes", "--force-exclude"),
    ],
)
def test_what_is_printed_means_the_same_when_it_is_pasted(awaken, program, options):
    (program / "pyproject.toml").write_text(PYPROJECT)
    printed = awaken("check", "--show-settings", *options)[1]
    files = awaken("check", "--show-files", *options)[1]
    (program / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    (program / "awaken.toml").write_text(printed)

    again = awaken("check", "--show-settings")[1]

    assert tomllib.loads(again) == tomllib.loads(printed)
    assert awaken("check", "--show-files")[1] == files


def test_patterns_of_another_directory_are_said_in_terms_of_the_root(awaken, program, monkeypatch):
    monkeypatch.chdir(program / "pkg")
    out = awaken("check", "--show-settings", "..", "--exclude", "c.py,/sub/x.py")[1]

    assert tomllib.loads(out)["exclude"] == ["/pkg/**/c.py", "/pkg/sub/x.py"]

    monkeypatch.chdir(program.parent)
    out = awaken("check", "--show-settings", "shop", "--exclude", "c.py,shop/pkg/c.py,other/x")[1]

    assert tomllib.loads(out)["exclude"] == ["c.py", "/pkg/c.py"]


def test_each_root_has_a_document_of_its_own(awaken, program):
    inner = program / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text(PYPROJECT)

    out = awaken("check", "--show-settings")[1]

    outer_text, inner_text = out.split("\n\n# Settings")
    assert tomllib.loads(outer_text)["unsafe-fixes"] is False
    assert tomllib.loads("#" + inner_text)["unsafe-fixes"] is True
    assert "inner/awaken.toml; read from inner/pyproject.toml." in inner_text.splitlines()[0]
