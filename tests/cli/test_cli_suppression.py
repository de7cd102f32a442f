"""Comments, baselines and ``--since`` as a user meets them, with the real rule on real files."""

from __future__ import annotations

import json

import pytest
from real_program import GOOD, GOOD_AFTER, QUERY, Program, commit

NAME = "awaken-baseline.json"
COMMENT = "  # awaken: ignore[query-to-select]"


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Program(tmp_path / "program", {"shop.py": GOOD, "app/old.py": GOOD})
    monkeypatch.chdir(made.root)
    return made


def test_comments_on_every_site_leave_the_program_alone(program, awaken):
    for name in ("shop.py", "app/old.py"):
        program.write(name, GOOD.replace(QUERY, QUERY + COMMENT))
    before = program.contents()

    code, out, err = awaken("apply", "--allow-dirty")

    assert (code, out) == (0, "")
    assert "Nothing to rewrite; 2 held by comments; 3 files read" in err
    assert program.contents() == before
    code, out, err = awaken("check", "--strict")
    assert (code, out) == (0, "")
    assert "No site found; 2 held by comments; 3 files read" in err


@pytest.mark.slow
def test_what_is_held_is_counted_apart(program, awaken):
    program.write("shop.py", GOOD.replace(QUERY, QUERY + COMMENT))

    code, _, err = awaken("check")

    assert code == 1
    assert "1 site (1 safe) in 1 file; 1 held by a comment; 3 files read" in err
    rows = [line.split() for line in err.splitlines()]
    assert ["Rule", "Sites", "Safe", "Unsafe", "Manual", "Held", "Files"] in rows
    assert ["query-to-select", "1", "1", "0", "0", "1", "1"] in rows
    assert awaken("check", "--statistics")[1].splitlines() == [
        "sites\trule\tlevel\treason",
        "1\tquery-to-select\tsafe",
        "1\tquery-to-select\theld",
    ]


def test_an_unused_comment_is_advice_that_fails_only_when_strict(program, awaken):
    program.write("shop.py", f"x = 1{COMMENT}\n")
    program.write("app/old.py", "")

    code, out, _ = awaken("check", "--output-format", "concise")

    assert code == 0
    assert out == (
        "shop.py:1:8: advice unused-suppression "
        "`# awaken: ignore[query-to-select]` suppresses nothing\n"
    )
    assert awaken("check", "--strict")[0] == 1
    assert awaken("apply", "--allow-dirty")[0] == 0


def test_a_baseline_is_written_and_read_without_being_named(program, awaken):
    code, out, err = awaken("check", "--write-baseline")

    assert (code, out) == (0, "")
    assert err.startswith(f"Wrote 2 sites to {NAME}\n")
    assert "No site found; 2 held by the baseline; 3 files read" in err
    listed = json.loads((program.root / NAME).read_text())["sites"]
    assert [site["path"] for site in listed] == ["app/old.py", "shop.py"]

    program.write("new.py", GOOD)
    code, out, _ = awaken("check", "--output-format", "concise")
    assert code == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == ["new.py"]
    assert awaken("apply", "--allow-dirty")[0] == 0
    assert program.contents()["new.py"] == GOOD_AFTER.encode()
    assert program.contents()["shop.py"] == GOOD.encode()


def test_a_named_baseline_is_used_from_any_directory(program, awaken, monkeypatch):
    monkeypatch.chdir(program.root / "app")

    code, _, err = awaken("check", "--write-baseline", "--baseline", "../known.json", "..")

    assert code == 0
    assert err.startswith("Wrote 2 sites to ../known.json\n")
    monkeypatch.chdir(program.root)
    assert awaken("check", "--baseline", "known.json")[0] == 0
    assert awaken("check")[0] == 1
    program.write("pyproject.toml", (program.root / "pyproject.toml").read_text() + SETTINGS)
    monkeypatch.chdir(program.root / "app")
    assert awaken("check", "..")[0] == 0


SETTINGS = '\n[tool.awaken]\nbaseline = "known.json"\n'


def test_quiet_writes_without_a_word(program, awaken):
    assert awaken("check", "--write-baseline", "-q") == (0, "", "")
    assert (program.root / NAME).exists()


def test_everything_is_shown_again_with_an_empty_baseline(program, awaken):
    awaken("check", "--write-baseline")
    program.write("empty.json", "")

    assert awaken("check", "--baseline", "empty.json")[0] == 1


def test_stale_entries_are_a_note_on_stderr(program, awaken):
    awaken("check", "--write-baseline")
    program.write("shop.py", "")

    code, _, err = awaken("check")

    assert code == 0
    assert f"note: 1 entry of {NAME} no longer matches anything; write it again with " in err
    assert "awaken check --write-baseline\n" in err
    assert "note: " not in awaken("check", "-q")[2]


@pytest.mark.parametrize(
    ("content", "line"), [("{", 1), ('{"version": 1,\n "sites": [\n {"path": 1}]}', 3)]
)
@pytest.mark.parametrize("command", [("check",), ("check", "--write-baseline"), ("diff",)])
def test_a_broken_baseline_is_one_sentence(program, awaken, content, line, command):
    program.write(NAME, content)

    code, out, err = awaken(*command)

    assert (code, out) == (2, "")
    assert f"{NAME}:{line}: the baseline is broken: " in err
    assert err.count("\n") == 1
    assert program.contents()[NAME] == content.encode()


def test_a_missing_baseline_is_one_sentence(program, awaken):
    code, out, err = awaken("check", "--baseline", "no.json")

    assert (code, out) == (2, "")
    assert err.startswith("error: --baseline: the baseline no.json does not exist; ")
    assert not (program.root / "no.json").exists()


def test_a_baseline_lists_all_sites_so_since_cannot_go_with_it(program, awaken):
    commit(program.root)

    code, _, err = awaken("check", "--write-baseline", "--since", "HEAD")

    assert code == 2
    assert "--write-baseline" in err
    assert "it cannot be combined with --since" in err
    assert not (program.root / NAME).exists()


def test_since_shows_and_rewrites_only_what_changed(program, awaken):
    commit(program.root)
    program.write("shop.py", GOOD.replace(QUERY, QUERY.replace("all()", "first()")))

    code, out, err = awaken("check", "--since", "HEAD", "--output-format", "concise")

    assert code == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == ["shop.py"]
    # The other file did not change: no site is looked for there.
    assert "1 site (1 safe) in 1 file; 3 files read" in err
    _, out, _ = awaken("diff", "--since", "HEAD")
    assert [line for line in out.splitlines() if line.startswith("+++")] == ["+++ b/shop.py"]
    assert "--since HEAD" in awaken("check", "--since", "HEAD")[2]


def test_an_unknown_commit_is_one_sentence(program, awaken):
    commit(program.root)

    code, out, err = awaken("check", "--since", "nowhere")

    assert (code, out) == (2, "")
    assert "git knows no commit 'nowhere'" in err
    assert err.count("\n") == 1


def test_no_repository_is_one_sentence(program, awaken):
    code, out, err = awaken("check", "--since", "HEAD")

    assert (code, out) == (2, "")
    assert f"--since needs a git repository around {program.root}" in err
    assert err.count("\n") == 1
