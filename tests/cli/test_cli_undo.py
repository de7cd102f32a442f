from __future__ import annotations

import pytest

from awaken import api
from awaken.contract import Level

REAL_APPLY = api.apply


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
    assert err == "Took back awaken apply: 1 file as before.\n"
    assert (applied.root / "app.py").read_bytes() == applied.before


def test_verbose_names_the_files_and_quiet_says_nothing(applied, awaken):
    assert f"restored {(applied.root / 'app.py').resolve()}\n" in awaken("undo", "-v")[2]
    assert awaken("apply", "-q")[0] == 0
    assert awaken("undo", "-q") == (0, "", "")


def test_the_list_shows_what_can_be_taken_back(applied, awaken):
    code, out, err = awaken("undo", "--list")

    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    assert out.endswith("  1 file  awaken apply\n")
    assert (applied.root / "app.py").read_bytes() == applied.after


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
