from __future__ import annotations

import json
import re

import pytest

PYPROJECT = """\
[project]
name = "shop"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2.0"]
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", "")
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "main.py").write_text("import sqlalchemy\n")
    monkeypatch.chdir(root)
    return root


def test_it_says_what_was_detected_and_ends_with_0(awaken, program):
    code, out, err = awaken("doctor")

    assert (code, err) == (0, "")
    assert f"  Root        {program} (pyproject.toml:1, [project])\n" in out
    assert "  Python      >=3.11 (pyproject.toml:3)\n" in out
    assert "  Libraries   sqlalchemy >=2.0 (pyproject.toml:4)\n" in out
    assert re.search(r"^  Rules +\d+ run: .*\bquery-to-select\b", out, re.MULTILINE)
    assert f"  State       {program.parent / 'state'}\n" in out
    assert out.endswith("\n1 project; nothing to act on.\n")


def test_nothing_is_written(awaken, program):
    awaken("doctor")

    assert {path.name for path in program.iterdir()} == {"pyproject.toml", "main.py"}
    assert not (program.parent / "state").exists()


@pytest.mark.usefixtures("program")
def test_the_options_of_a_run_count(awaken):
    code, out, _ = awaken("doctor", "--target", "sqlalchemy=1.4", "-j", "3", "--no-cache", "-v")

    assert code == 0
    assert "sqlalchemy ==1.4.* (--target sqlalchemy=1.4; pyproject.toml:4 says >=2.0)" in out
    assert "  Processes   3 (--jobs)\n" in out
    assert "  Cache       not used (--no-cache)\n" in out
    assert "force-exclude = false (default)" in out


def test_advice_alone_is_no_failure(awaken, program):
    (program / "pyproject.toml").write_text('[project]\nname = "shop"\n')

    code, out, err = awaken("doctor")

    assert (code, err) == (0, "")
    assert "  advice: sqlalchemy is not declared: awaken assumes >=2.1,<2.2\n" in out
    assert "  advice: no Python version is declared, so awaken assumes >=3.11\n" in out
    assert out.endswith("\n1 project; 2 of advice.\n")


@pytest.mark.usefixtures("program")
def test_an_error_ends_with_2_and_the_rest_is_still_said(awaken):
    code, out, _ = awaken("doctor", ".", "nowhere")

    assert code == 2
    assert "  error: nowhere: no such file or directory\n" in out
    assert "  Python      >=3.11 (pyproject.toml:3)\n" in out


def test_settings_that_are_none_end_with_2_and_one_sentence(awaken, program):
    (program / "pyproject.toml").write_text(PYPROJECT + '[tool.awaken]\nselect = ["nope"]\n')

    code, out, err = awaken("doctor")

    assert code == 2
    assert "error: pyproject.toml:6: there is no rule or family named 'nope'" in out
    assert "0 projects; 1 error." in out
    assert err == ""


def test_several_projects_have_a_part_each(awaken, program):
    inner = program / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text(PYPROJECT.replace("2.0", "1.4"))
    (inner / "main.py").write_text("")

    code, out, _ = awaken("doctor")

    assert code == 0
    assert "\n── shop ──\n" in out
    assert "\n── inner ──\n" in out
    assert "  1 project inside: inner\n" in out
    assert out.endswith("\n2 projects; nothing to act on.\n")


@pytest.mark.usefixtures("program")
def test_the_json_is_one_document_and_nothing_else(awaken):
    code, out, err = awaken("doctor", "--output-format", "json")

    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["version"] == 1
    assert found["roots"][0]["python"]["specifier"] == ">=3.11"
    assert found["summary"] == {"roots": 1, "errors": 0, "advice": 0}


@pytest.mark.usefixtures("program")
def test_the_json_also_ends_with_2_on_errors(awaken):
    code, out, _ = awaken("doctor", "nowhere", "--output-format", "json")

    assert code == 2
    assert json.loads(out)["remarks"][0]["message"] == "no such file or directory"


@pytest.mark.usefixtures("program")
def test_colours_come_only_when_asked_for(awaken, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert "\x1b[" not in awaken("doctor")[1]
    assert "\x1b[" in awaken("doctor", "--color", "always")[1]
