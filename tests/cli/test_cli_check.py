from __future__ import annotations

import json

import pytest

from awaken import api
from awaken.contract import Level
from awaken.engine.report import Diagnostic

SAFE, UNSAFE, MANUAL, ADVICE = Level.SAFE, Level.UNSAFE, Level.MANUAL, Level.ADVICE
FAILURE = Diagnostic("bad.py", 3, "does not parse: invalid syntax")


@pytest.mark.parametrize(
    ("levels", "options", "code"),
    [
        ((), [], 0),
        ((ADVICE,), [], 0),
        ((SAFE,), [], 1),
        ((UNSAFE,), [], 1),
        ((MANUAL,), [], 1),
        ((SAFE, UNSAFE, MANUAL, ADVICE), [], 1),
        ((SAFE, MANUAL), ["--exit-zero"], 0),
    ],
)
def test_the_exit_code_says_whether_sites_were_found(engine, awaken, levels, options, code):
    engine.levels = levels

    assert awaken("check", *options)[0] == code


@pytest.mark.parametrize("options", [[], ["--exit-zero"], ["-q"], ["--statistics"]])
def test_a_diagnostic_always_ends_with_2_and_is_said(engine, awaken, options):
    engine.levels, engine.diagnostics = (SAFE,), (FAILURE,)

    code, out, err = awaken("check", *options)

    assert code == 2
    assert "error: bad.py:3: does not parse: invalid syntax\n" in err
    assert "does not parse" not in out


def test_findings_go_to_stdout_and_what_surrounds_them_to_stderr(engine, awaken):
    engine.levels = (SAFE, MANUAL)

    _, out, err = awaken("check")

    assert out.splitlines()[:2] == ["query-to-select safe: this is safe", " --> app.py:1:5"]
    assert "= what to do: do it by hand" in out
    assert "Target: current versions; the project declares none\n" in err
    assert "2 sites (1 safe, 1 manual) in 1 file" in err
    assert "To show the rewrite of 1 site in 1 file: awaken diff\n" in err


@pytest.mark.usefixtures("engine")
def test_nothing_found_is_one_line_on_stderr(awaken):
    assert awaken("check") == (0, "", "No site found; 1 file read in 0.0 s.\n")


def test_quiet_leaves_the_findings_alone(engine, awaken):
    engine.levels = (SAFE,)

    _, out, err = awaken("check", "-q")

    assert out.startswith("query-to-select safe")
    assert err == ""


def test_concise_is_one_line_per_finding(engine, awaken):
    engine.levels = (SAFE, MANUAL)

    _, out, _ = awaken("check", "--output-format", "concise")

    assert out.splitlines() == [
        "app.py:1:5: safe query-to-select this is safe",
        "app.py:3:5: manual query-to-select this is manual [query-to-select/no]",
    ]


def test_json_is_one_document_and_nothing_else(engine, awaken):
    engine.levels = (SAFE, UNSAFE)

    code, out, _ = awaken("check", "--output-format", "json")

    assert code == 1
    assert [finding["level"] for finding in json.loads(out)["findings"]] == ["safe", "unsafe"]


@pytest.mark.usefixtures("engine")
def test_json_is_a_document_even_if_nothing_was_found(awaken):
    _, out, _ = awaken("check", "--output-format", "json")

    assert json.loads(out)["findings"] == []


def test_patch_is_what_diff_gives(engine, awaken):
    engine.levels = (SAFE,)

    _, out, _ = awaken("check", "--output-format", "patch")

    assert out == awaken("diff")[1]
    assert out.startswith("diff --git a/app.py b/app.py\n")


def test_statistics_stand_in_place_of_the_findings(engine, awaken):
    engine.levels = (SAFE, MANUAL)

    code, out, _ = awaken("check", "--statistics")

    assert code == 1
    assert out.splitlines() == [
        "sites\trule\tlevel\treason",
        "1\tquery-to-select\tsafe",
        "1\tquery-to-select\tmanual",
        "1\tquery-to-select\tmanual\tquery-to-select/no",
    ]


def test_it_writes_nothing(engine, awaken):
    engine.levels = (SAFE, UNSAFE)
    before = (engine.root / "app.py").read_bytes()

    awaken("check")
    awaken("diff", "--unsafe-fixes")

    assert (engine.root / "app.py").read_bytes() == before
    assert engine.applied == []


def test_a_rule_that_cannot_hold_on_the_targets_is_one_note(awaken, tmp_path, monkeypatch):
    manifest = '[project]\nname = "p"\ndependencies = ["sqlalchemy>=1.3"]\n'
    (tmp_path / "pyproject.toml").write_text(manifest)
    (tmp_path / "a.py").write_text(
        "from sqlalchemy import func\nfrom sqlalchemy.orm import Session\n\n\n"
        "def now(session: Session):\n    return session.query(func.now()).scalar()\n"
    )
    monkeypatch.chdir(tmp_path)

    code, out, err = awaken("check", "--output-format", "concise")

    assert (code, out) == (0, "")
    unmet = "it needs sqlalchemy>=1.4, but the project declares >=1.3 (pyproject.toml)"
    counted = "query-to-select rewrites nothing here (1 site)"
    assert f"note: {counted}: {unmet}; raise the requirement" in err
    assert "--target" in err


def test_what_a_family_leaves_out_is_said_once_for_all_projects(awaken, tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text('[project]\nname = "p"\n')
        (tmp_path / name / "a.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    notes = [
        [line for line in awaken("check", *options)[2].splitlines() if line.startswith("note: ")]
        for options in (["--select", "testing"], ["--select", "testing", "--preview"], [])
    ]

    preview = [one for one in api.rules() if one.family == "testing" and one.status == "preview"]
    assert notes == [
        [f"note: `--select testing` leaves out {len(preview)} rules in preview: {_CURE}"],
        [],
        [],
    ]


_CURE = "add --preview, or name them"


def test_unsafe_rewrites_outside_the_paths_are_not_offered(awaken, tmp_path, monkeypatch):
    unsafe = (
        "from sqlalchemy import literal\nfrom sqlalchemy.orm import Session\n\n\n"
        "def one(session: Session):\n    return session.query(literal(1)).all()\n"
    )
    manifest = '[project]\nname = "p"\ndependencies = ["sqlalchemy>=2,<2.1"]\n'
    (tmp_path / "pyproject.toml").write_text(manifest)
    (tmp_path / "a.py").write_text(unsafe)
    (tmp_path / "b.py").write_text("")
    monkeypatch.chdir(tmp_path)

    assert "--unsafe-fixes" in awaken("check", "a.py")[2]
    assert "--unsafe-fixes" not in awaken("check", "b.py")[2]
