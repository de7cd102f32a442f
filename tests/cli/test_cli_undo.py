from __future__ import annotations

import re

import pytest

from awaken import api
from awaken.contract import Level
from awaken.engine.writing.applying import FileWrite, apply
from awaken.preview.terminal.undo_lines import stack_lines

REAL_APPLY = api.apply
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def applied(engine, awaken, monkeypatch, tmp_path):
    """Return the engine after a real apply of its one change."""
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(api, "apply", REAL_APPLY)
    (engine.root / "pyproject.toml").write_text('[project]\nname = "program"\n')
    engine.levels = (Level.SAFE,)
    engine.before = (engine.root / "app.py").read_bytes()
    assert awaken("apply", "-q") == (0, "", "")
    engine.after = (engine.root / "app.py").read_bytes()
    assert engine.after != engine.before
    return engine


def test_it_takes_the_last_apply_back(applied, awaken):
    code, out, err = awaken("undo")

    assert (code, out) == (0, "")
    assert re.fullmatch(rf"Took back awaken apply of {TIME}: 1 file as before\.\n", err)
    assert (applied.root / "app.py").read_bytes() == applied.before


@pytest.mark.usefixtures("applied")
def test_verbose_names_the_files_and_quiet_says_nothing(awaken):
    assert awaken("undo", "-v")[2].startswith("restored app.py\n")
    assert awaken("apply", "-q")[0] == 0
    assert awaken("undo", "-q") == (0, "", "")


def test_the_list_shows_what_can_be_taken_back(applied, awaken):
    code, out, err = awaken("undo", "--list")

    assert (code, err) == (0, "")
    assert re.fullmatch(rf"{TIME}  1 file  awaken apply\n", out)
    assert (applied.root / "app.py").read_bytes() == applied.after


@pytest.mark.usefixtures("applied")
def test_the_list_names_files_and_journal_if_asked(awaken, tmp_path):
    (journal,) = (tmp_path / "state").rglob("*.done")

    _, out, _ = awaken("undo", "--list", "-v")

    assert out.splitlines()[1:] == ["    app.py", f"    journal: {journal}"]


def test_the_list_is_in_columns_the_latest_first(applied, tmp_path):
    first, second = (
        FileWrite((applied.root / name).resolve(), b"", b"x = 1\n") for name in ("b.py", "c.py")
    )
    apply(applied.root, [first, second], command="awaken apply later", state=tmp_path / "state")

    lines = list(stack_lines(api.undo_list(applied.root), applied.root, verbose=False))

    assert [line.partition("  ")[2] for line in lines] == [
        "2 files  awaken apply later",
        "1 file   awaken apply",
    ]


def test_files_that_were_made_are_said_to_be_removed(applied, awaken, tmp_path):
    made = FileWrite((applied.root / "b.py").resolve(), b"", b"x = 1\n")
    apply(applied.root, [made], command="awaken apply", state=tmp_path / "state")

    _, _, err = awaken("undo", "-v")

    assert err.startswith("removed b.py\nTook back awaken apply of ")
    assert err.endswith(": 0 files as before, 1 new file removed.\n")


@pytest.mark.usefixtures("applied")
def test_a_damaged_journal_is_said_and_ends_with_2(awaken, tmp_path):
    (entry,) = (tmp_path / "state").rglob("*.done")
    entry.write_bytes(b"damaged")

    code, out, err = awaken("undo", "--list")

    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_a_path_names_the_project(applied, awaken, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert awaken("undo", "program", "-q")[0] == 0
    assert (applied.root / "app.py").read_bytes() == applied.before


def test_nothing_to_undo_is_one_sentence(applied, awaken):
    awaken("undo")
    code, out, err = awaken("undo")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert awaken("undo", "--list") == (0, "", "Nothing to undo.\n")
    assert (applied.root / "app.py").read_bytes() == applied.before


def test_from_above_a_project_it_is_said_where_to_look(applied, awaken, monkeypatch):
    monkeypatch.chdir(applied.root.parent)

    _, _, err = awaken("undo", "--list")

    assert err == (
        "Nothing to undo.\nTo see those of a project inside: "
        f"awaken undo --list {applied.root.name}\n"
    )


def test_an_edited_file_stops_it_and_is_named(applied, awaken):
    (applied.root / "app.py").write_bytes(b"mine\n")

    code, _, err = awaken("undo")

    assert (code, err.count("\n")) == (2, 1)
    assert "app.py" in err
    assert "--keep-edited" in err
    assert (applied.root / "app.py").read_bytes() == b"mine\n"


def test_edited_files_can_be_kept(applied, awaken):
    (applied.root / "app.py").write_bytes(b"mine\n")

    code, _, err = awaken("undo", "--keep-edited")

    assert code == 0
    assert "it was edited since" in err
    assert (applied.root / "app.py").read_bytes() == b"mine\n"
