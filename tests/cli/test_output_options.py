"""``--output-format`` and ``--output-file``: every form to either place, and nothing beside it."""

from __future__ import annotations

import json

import pytest

from awaken import api
from awaken.contract import Level
from awaken.engine.report import Diagnostic
from awaken.preview.choices import STAGED, Form

LEVELS = (Level.SAFE, Level.UNSAFE, Level.MANUAL, Level.ADVICE)
TROUBLE = Diagnostic("bad.py", 3, "does not parse")
OTHERS = [form for form in Form if form not in {Form.FULL, *STAGED}]
"""Staged forms run the real engine; test_staged_forms_on_a_program has them."""
STARTS = {
    Form.CONCISE: "app.py:1:5: safe",
    Form.GROUPED: "app.py:\n  1:5",
    Form.JSON: '{\n  "version": 1,',
    Form.JSON_LINES: '{"kind": "run", "version": 1,',
    Form.PATCH: "diff --git a/app.py b/app.py",
    Form.MARKDOWN: "## awaken: 4 places to look at",
    Form.GITHUB_COMMENT: "<!-- awaken -->\n## awaken: ",
    Form.HTML: "<!doctype html>\n",
    Form.GITLAB: '[\n  {\n    "description": "query-to-select: this is safe.",',
    Form.JUNIT: '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="awaken" tests="5"',
    Form.GITHUB: "::error title=awaken,file=bad.py,line=3::bad.py:3: does not parse",
}


@pytest.mark.parametrize("form", OTHERS)
@pytest.mark.parametrize("command", ["check", "diff"])
def test_stdout_holds_the_form_and_stderr_what_people_read(engine, awaken, command, form):
    engine.levels, engine.diagnostics = LEVELS, (TROUBLE,)

    code, out, err = awaken(command, "--output-format", form)

    assert code == 2
    assert out.startswith(STARTS[form])
    assert err.splitlines()[0] == "error: bad.py:3: does not parse"
    assert err.splitlines()[-1].startswith("3 sites (1 safe, 1 unsafe, 1 manual)")


@pytest.mark.parametrize("form", OTHERS)
def test_a_file_gets_what_stdout_would(engine, awaken, tmp_path, form):
    engine.levels = LEVELS
    file = tmp_path / "out"

    usual = awaken("check", "--output-format", form)
    code, out, err = awaken("check", "--output-format", form, "-o", str(file))

    assert (code, out) == (usual[0], "")
    assert file.read_text("utf-8") == usual[1]
    assert err == usual[2]


@pytest.mark.parametrize(("form", "key"), [(Form.SARIF, "runs"), (Form.RDJSON, "diagnostics")])
def test_staged_forms_on_a_program(engine, awaken, monkeypatch, form, key):
    monkeypatch.undo()
    monkeypatch.chdir(engine.root)

    code, out, err = awaken("check", "--output-format", form)

    assert code == 0
    held = json.loads(out)[key]
    assert (held if form is Form.RDJSON else held[0]["results"]) == []
    assert err.startswith("No site found")


@pytest.mark.parametrize("options", [["--color", "always"], []])
def test_a_file_never_has_colours(engine, awaken, tmp_path, monkeypatch, options):
    monkeypatch.setenv("FORCE_COLOR", "1")
    engine.levels = LEVELS
    file = tmp_path / "out"

    for command in ("check", "diff"):
        awaken(command, *options, "--output-format", "full", "-o", str(file))

        assert "app.py" in file.read_text()
        assert "\x1b" not in file.read_text()


def test_a_diff_to_a_file_is_a_patch(engine, awaken, tmp_path):
    engine.levels = LEVELS
    file = tmp_path / "out.patch"

    awaken("diff", "--color", "always", "-o", str(file))

    assert file.read_text().startswith("diff --git")


@pytest.mark.usefixtures("engine")
def test_nothing_found_is_an_empty_file(awaken, tmp_path):
    file = tmp_path / "out"
    file.write_text("from another run")

    awaken("check", "-o", str(file))

    assert file.read_text() == ""


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("..", "is a directory; name a file in it"),
        ("no/out", "there is no directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_done(
    engine, awaken, command, name, said
):
    engine.levels = LEVELS

    code, out, err = awaken(command, "--output-file", name)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert engine.paths == []
    assert engine.applied == []


def test_a_file_that_is_refused_later_is_one_sentence(engine, awaken, tmp_path, monkeypatch):
    engine.levels = LEVELS
    gone = tmp_path / "gone"
    gone.mkdir()
    before = engine.run
    monkeypatch.setattr(
        api, "run", lambda *words, **more: (gone.rmdir(), before(*words, **more))[1]
    )

    code, out, err = awaken("check", "-o", str(gone / "out"))

    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"error: cannot write to {gone}/out: No such file")
    assert "Traceback" not in err


def test_the_environment_names_the_form(engine, awaken, monkeypatch):
    engine.levels = LEVELS
    monkeypatch.setenv("AWAKEN_OUTPUT_FORMAT", "grouped")

    assert awaken("check")[1].startswith(STARTS[Form.GROUPED])
    assert awaken("check", "--output-format", "concise")[1].startswith(STARTS[Form.CONCISE])


def test_a_form_that_does_not_exist_is_one_sentence_with_the_names(engine, awaken, monkeypatch):
    monkeypatch.setenv("AWAKEN_OUTPUT_FORMAT", "xml")

    code, out, err = awaken("check")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "AWAKEN_OUTPUT_FORMAT" in err
    assert all(form in err for form in Form)
    assert engine.paths == []


def test_apply_can_report_as_well(engine, awaken, tmp_path):
    engine.levels = LEVELS
    file = tmp_path / "out.md"

    code, _, _ = awaken("apply", "--allow-dirty", "--output-format", "markdown", "-o", str(file))

    assert code == 0
    assert "`awaken apply` rewrote 1 site in 1 file" in file.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.md", "program"]


@pytest.mark.parametrize("target", ["../outside.json", ".git/hooks/pre-commit"])
def test_a_link_that_came_with_the_project_leads_nowhere_else(engine, awaken, target):
    (engine.root / ".git" / "hooks").mkdir(parents=True)
    victim = engine.root / target
    victim.write_text("mine")
    (engine.root / "report.json").symlink_to(victim)

    options = ("--output-format", "json", "--output-file", "report.json")
    code, _, err = awaken("check", *options)

    assert (code, victim.read_text()) == (2, "mine")
    assert "report.json: it is a link that leads to" in err
    assert "name that file itself" in err
