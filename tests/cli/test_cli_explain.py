"""``awaken explain`` as a user calls it, on a program on disk."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest
from real_program import GOOD, QUERY, Program

from awaken import api
from awaken.cli.options.file_position import FilePlace, parse_place

SITE = next(n for n, line in enumerate(GOOD.splitlines(), 1) if QUERY in line)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a program with one site in app.py; the test stands in its directory."""
    found = Program(tmp_path / "program", {"app.py": GOOD, "a:1.py": GOOD, "notes.txt": "x\n"})
    monkeypatch.chdir(found.root)
    return found


def test_a_site_is_explained_and_nothing_is_written(program, awaken):
    before = program.contents()

    code, out, err = awaken("explain", f"app.py:{SITE}")

    assert (code, err) == (0, "")
    assert out.startswith("query-to-select safe: `query(...).all()` becomes `db.scalars(")
    assert f" --> app.py:{SITE}:12 in find\n" in out
    assert "│-     return db.query(User).all()\n" in out
    assert "│+     return db.scalars(select(User)).all()\n" in out
    assert "│+ from sqlalchemy import select\n" in out
    assert program.contents() == before


@pytest.mark.usefixtures("program")
def test_a_place_that_is_no_site_is_explained_with_0(awaken):
    code, out, _ = awaken("explain", f"app.py:{SITE - 1}")

    assert code == 0
    assert out.startswith(f"app.py:{SITE - 1}: nothing is rewritten here.\n")
    assert "= why: session-to-async would find a site here" in out
    assert "looks for" not in out
    assert f"= nearest: the nearest site is at line {SITE}\n" in out


@pytest.mark.usefixtures("program")
def test_json(awaken):
    _, out, _ = awaken("explain", f"app.py:{SITE}", "--output-format", "json")
    assert json.loads(out)["sites"][0]["status"] == "rewritten"


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("ap.py:1", "error: there is no file ap.py; did you mean 'app.py'?\n"),
        ("app.py:99", "error: app.py has no line 99: it ends with line "),
        (".:1", "error: . is a directory; name one of its files, as in app.py:12\n"),
        ("app.py", "names no line; write FILE:LINE, for instance app.py:12\n"),
        ("app.py:0", "lines and columns count from 1\n"),
        ("asyncio", "error: asyncio is a recipe: `awaken recipes asyncio` explains it\n"),
        ("raw-sql-text", "raw-sql-text is a rule: `awaken rules raw-sql-text` explains it\n"),
        ("--recipe=asyncio", "--preview); `awaken recipes NAME` explains a recipe, and"),
    ],
)
def test_a_place_that_does_not_exist_is_2(awaken, place, sentence):
    code, out, err = awaken("explain", place)

    assert (code, out) == (2, "")
    assert sentence in err


def test_the_options_of_a_run_count(program, awaken):
    _, out, _ = awaken("explain", f"app.py:{SITE}", "--ignore", "sqlalchemy")
    assert "= why: query-to-select would find a site here (safe), but it does not run" in out
    _, out, _ = awaken("explain", f"app.py:{SITE}", "--target", "sqlalchemy=1.3")
    assert "= reason: engine/needs-other-versions\n" in out
    _, out, _ = awaken("explain", f"app.py:{SITE}", "--extend-exclude", "app.py")
    assert "the file matches the pattern `app.py` in the setting exclude (" in out
    program.write("app.py", GOOD.replace(QUERY, f"{QUERY}  # awaken: ignore[query-to-select]"))
    _, out, _ = awaken("explain", f"app.py:{SITE}")
    assert "nothing, because a comment suppresses it (app.py:" in out


def test_an_unsafe_site_is_rewritten_only_if_that_is_asked_for(program, awaken):
    caveat = "return db.query(func.lower('x'), func.lower('y')).all()"
    program.write(
        "app.py",
        f"from sqlalchemy import func\nfrom sqlalchemy.orm import Session\n"
        f"def find(db: Session):\n    {caveat}\n\n\ndef keys(row):\n    return row._mapping\n",
    )
    _, out, _ = awaken("explain", "app.py:4")
    assert "query-to-select unsafe: " in out
    assert "what happens: `awaken apply --unsafe-fixes` rewrites it; without " in out
    assert "│+     return db.execute(" in out
    _, out, _ = awaken("explain", "app.py:4", "--unsafe-fixes")
    assert "what happens: `awaken apply` rewrites it\n" in out


def test_what_stands_unsaved_in_an_editor_is_explained(program, awaken, monkeypatch):
    text = GOOD.replace("\n\n\ndef", "\n# more\n\n\ndef")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))

    code, out, _ = awaken("explain", f"app.py:{SITE + 1}", "--stdin-filename", "app.py")

    assert code == 0
    assert f" --> app.py:{SITE + 1}:12 in find\n" in out
    assert (program.root / "app.py").read_text() == GOOD


def test_paths_are_shown_from_where_the_user_stands(program, awaken, monkeypatch):
    monkeypatch.chdir(program.root.parent)
    assert " --> program/app.py:" in awaken("explain", f"program/app.py:{SITE}")[1]


@pytest.mark.usefixtures("program")
def test_a_file_with_a_colon_in_its_name(awaken):
    assert f" --> a:1.py:{SITE}:12" in awaken("explain", f"a:1.py:{SITE}")[1]


# ------------------------------------------------------------------------------- FILE:LINE:COLUMN
@pytest.mark.parametrize(
    ("text", "file", "line", "column"),
    [
        ("app.py:12", "app.py", 12, None),
        ("app.py:12:5", "app.py", 12, 5),
        ("app.py:12:", "app.py", 12, None),
        ("app.py:12:5:", "app.py", 12, 5),
        ("a/b c.py:1", "a/b c.py", 1, None),
        (r"C:\x\app.py:12", r"C:\x\app.py", 12, None),
        (r"C:\x\app.py:12:5", r"C:\x\app.py", 12, 5),
        ("C:/x/app.py:12:5", "C:/x/app.py", 12, 5),
        ("a:b.py:3", "a:b.py", 3, None),
        ("a:1.py:3:4", "a:1.py", 3, 4),
    ],
)
def test_a_place_is_read_as_it_is_pasted(text, file, line, column):
    found = parse_place(text)
    assert (str(found.file), found.line, found.column) == (file, line, column)


def test_the_file_that_exists_decides_between_two_readings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_place("odd:1:2") == FilePlace(parse_place("odd:1").file, 1, 2)
    (tmp_path / "odd:1").touch()
    assert (str(parse_place("odd:1:2").file), parse_place("odd:1:2").line) == ("odd:1", 2)
    (tmp_path / "odd").touch()
    assert (str(parse_place("odd:1:2").file), parse_place("odd:1:2").column) == ("odd", 2)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("app.py", "app.py:12"),
        ("app.py:x", "app.py:12"),
        (r"C:\x\app.py", r"C:\x\app.py:12"),
        ("", "app.py:12"),
        (":12", "app.py:12"),
        ("app.py:9999999999", "app.py:12"),
    ],
)
def test_what_names_no_line_is_answered_with_an_example(awaken, text, example):
    code, _, err = awaken("explain", text)
    assert code == 2
    assert f"write FILE:LINE, for instance {example}\n" in err


def test_a_directory_is_answered_with_a_file_in_it(awaken, tmp_path):
    code, _, err = awaken("explain", str(tmp_path))
    assert code == 2
    assert f"write FILE:LINE, for instance {tmp_path / 'app.py'}:12\n" in err


def test_the_code_of_a_reason_is_explained(awaken):
    code, out, err = awaken("explain", "query-to-select/unknown-entity")

    assert (code, err) == (0, "")
    assert out.startswith("query-to-select/unknown-entity: `…` may be a mapped class, ")
    assert api.reasons(api.rules())["query-to-select/unknown-entity"][0].help in out
    assert "= page: `awaken rules query-to-select`\n" in out


@pytest.mark.parametrize("code", ["engine/too-large", "lazy-raise/unknown-load"])
def test_every_reason_has_its_rule_and_cure_as_json(awaken, code):
    said = json.loads(awaken("explain", code, "--output-format", "json")[1])
    reason, rule = api.reasons(api.rules())[code]

    assert said["reason"] == code
    assert said["cure"] == reason.help
    assert said["rule"] == (rule and rule.name)


def test_a_code_that_does_not_exist_is_2(awaken):
    code, out, err = awaken("explain", "query-to-select/unknown-entty")

    assert (code, out) == (2, "")
    assert "there is no reason 'query-to-select/unknown-entty'; did you mean " in err
    assert "'query-to-select/unknown-entity'" in err


def test_a_path_that_looks_like_a_code_is_a_path(program, awaken):
    program.write("shop/users", "x = 1\n")

    assert "names no line" in awaken("explain", "shop/users")[2]
