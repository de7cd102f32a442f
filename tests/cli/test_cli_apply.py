from __future__ import annotations

import subprocess

import pytest

from awaken.contract import Level, UserError
from awaken.engine.report import Diagnostic

SAFE, UNSAFE, MANUAL = Level.SAFE, Level.UNSAFE, Level.MANUAL


def git(root, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(engine):
    git(engine.root, "init", "--quiet")
    git(engine.root, "add", "app.py")
    git(engine.root, "commit", "-m", "first")
    return engine


@pytest.mark.parametrize(
    ("levels", "options", "code"),
    [
        ((), [], 0),
        ((SAFE,), [], 0),
        ((SAFE, MANUAL), [], 0),
        ((SAFE, MANUAL), ["--exit-non-zero-on-manual"], 1),
        ((SAFE, UNSAFE), ["--exit-non-zero-on-manual"], 0),
    ],
)
def test_the_exit_code_is_0_unless_manual_sites_shall_count(engine, awaken, levels, options, code):
    engine.levels = levels

    assert awaken("apply", *options)[0] == code


def test_it_writes_and_says_how_to_go_back_and_on(engine, awaken):
    engine.levels = (SAFE, MANUAL)

    code, out, err = awaken("apply")

    assert (code, out) == (0, "")
    assert (engine.root / "app.py").read_bytes().startswith(b"a = select(1)\n")
    assert "1 site rewritten in 1 file; 1 manual site remains;" in err
    assert "awaken undo" in err
    assert "awaken check" in err


def test_verbose_names_the_rules_and_the_files(engine, awaken):
    engine.levels = (SAFE,)

    assert awaken("apply", "-qv") == (0, "", "Rules: query-to-select\nrewrote app.py\n")


def test_the_journal_gets_the_command_line(engine, awaken):
    engine.levels = (SAFE,)

    awaken("apply", "app.py", "--select", "query-to-select", "--unsafe-fixes")

    assert engine.applied == ["awaken apply --select query-to-select --unsafe-fixes app.py"]


def test_a_diagnostic_ends_with_2_whatever_else_was_done(engine, awaken):
    engine.levels, engine.diagnostics = (SAFE,), (Diagnostic("bad.py", 1, "does not parse"),)

    code, _, err = awaken("apply")

    assert code == 2
    assert len(engine.applied) == 1
    assert "bad.py:1: does not parse" in err


def test_a_dirty_tree_stops_it_and_names_the_option(repository, awaken):
    repository.levels = (SAFE,)
    (repository.root / "app.py").write_bytes(b"a = query(1)  # edited\n")

    code, out, err = awaken("apply")

    assert (code, out, repository.applied) == (2, "", [])
    assert err.startswith("error: ")
    assert "uncommitted changes (app.py)" in err
    assert "--allow-dirty" in err


def test_a_dirty_tree_can_be_allowed(repository, awaken):
    repository.levels = (SAFE,)
    (repository.root / "app.py").write_bytes(b"a = query(1)  # edited\n")

    assert awaken("apply", "--allow-dirty")[0] == 0
    assert len(repository.applied) == 1


@pytest.mark.parametrize("state", ["clean", "untracked", "ignored"])
def test_a_tree_without_uncommitted_work_is_clean(repository, awaken, state):
    repository.levels = (SAFE,)
    if state != "clean":
        (repository.root / "notes.txt").write_text("mine")
    if state == "ignored":
        (repository.root / ".git" / "info" / "exclude").write_text("notes.txt\n")

    assert awaken("apply")[0] == 0


TABLE = "[tool.awaken]\nunsafe-fixes = true\n"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (("pyproject.toml", "[project]\nname = 'x'\n", "[project]\nname = 'x'\n\n" + TABLE), 0),
        (("pyproject.toml", "[tool.x]\ny = 1\n" + TABLE, "[tool.x]\ny = 1\n"), 0),
        (("pyproject.toml", "", "[tool.awaken.rules.session-to-async]\nlevels = 2\n"), 0),
        (("awaken.toml", "", "unsafe-fixes = true\n"), 0),
        ((".awaken.toml", "", "unsafe-fixes = true\n"), 0),
        (("pyproject.toml", "[project]\nname = 'x'\n", "[project]\nname = 'y'\n" + TABLE), 2),
        (("pyproject.toml", "tool = 1\n", "tool = 2\n"), 2),
        (("pyproject.toml", "", "[tool.awaken\n"), 2),
        (("notes.toml", "", TABLE), 2),
    ],
)
def test_what_a_file_says_to_awaken_alone_is_no_uncommitted_work(
    repository, awaken, file, expected
):
    name, before, after = file
    (repository.root / name).write_text(before)
    git(repository.root, "add", "--all")
    git(repository.root, "commit", "--quiet", "--allow-empty", "--message", "settings")
    repository.levels = (SAFE,)
    (repository.root / name).write_text(after)

    assert awaken("apply")[0] == expected


def test_an_untracked_file_that_would_be_rewritten_is_uncommitted_work(engine, awaken):
    engine.levels = (SAFE,)
    git(engine.root, "init", "--quiet")

    assert awaken("apply")[0] == 2
    assert engine.applied == []


def test_a_staged_change_elsewhere_in_the_repository_counts(repository, awaken):
    repository.levels = (SAFE,)
    (repository.root / "naïve name.txt").write_text("mine")
    git(repository.root, "add", ".")

    code, _, err = awaken("apply")

    assert code == 2
    assert "(naïve name.txt)" in err


def test_the_whole_repository_counts_where_the_program_is_a_part_of_it(engine, awaken):
    engine.levels = (SAFE,)
    git(engine.root.parent, "init", "--quiet")

    assert "(program/app.py)" in awaken("apply")[2]
    git(engine.root.parent, "add", ".")
    git(engine.root.parent, "commit", "-m", "first")
    (engine.root.parent / "other.txt").write_text("mine")
    git(engine.root.parent, "add", ".")
    assert "(other.txt)" in awaken("apply")[2]
    assert engine.applied == []


def test_a_dirty_tree_does_not_matter_where_nothing_is_rewritten(repository, awaken):
    repository.levels = (MANUAL,)
    (repository.root / "app.py").write_bytes(b"edited\n")

    assert awaken("apply")[0] == 0


def test_what_the_engine_refuses_is_one_sentence(engine, awaken, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise UserError("nothing was written: app.py is read-only; make it writable")

    engine.levels = (SAFE,)
    monkeypatch.setattr("awaken.api.apply", refuse, raising=False)

    assert awaken("apply") == (
        2,
        "",
        "error: nothing was written: app.py is read-only; make it writable\n",
    )


def test_a_deleted_file_is_uncommitted_work(repository, awaken):
    repository.levels = (SAFE,)
    (repository.root / "gone.txt").write_text("mine")
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "second")
    (repository.root / "gone.txt").unlink()

    code, _, err = awaken("apply")

    assert (code, repository.applied) == (2, [])
    assert "(gone.txt)" in err


def test_an_ignored_file_that_would_be_rewritten_is_uncommitted_work(engine, awaken):
    engine.levels = (SAFE,)
    (engine.root / ".gitignore").write_text("app.py\n")
    git(engine.root, "init", "--quiet")
    git(engine.root, "add", ".gitignore")
    git(engine.root, "commit", "-m", "first")

    code, _, err = awaken("apply")

    assert (code, engine.applied) == (2, [])
    assert "(app.py)" in err


@pytest.mark.parametrize("inner", ["submodule", "repository of its own"])
def test_a_file_counts_for_the_innermost_repository(repository, awaken, tmp_path, inner):
    repository.levels = (SAFE,)
    repository.path = "sub/app.py"
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    if inner == "submodule":
        local = ["-c", "protocol.file.allow=always"]
        git(outer, *local, "submodule", "add", str(repository.root), "sub")
        git(outer, "config", "diff.ignoreSubmodules", "all")
        git(outer, "commit", "-m", "with a submodule")
    else:
        (outer / "staged.txt").write_text("of another repository")
        git(outer, "add", "staged.txt")
        repository.root.rename(outer / "sub")
    repository.root = outer

    (outer / "sub" / "app.py").write_bytes(b"a = query(1)  # edited\n")
    assert "(app.py)" in awaken("apply", "..")[2]
    assert repository.applied == []
    git(outer / "sub", "checkout", "app.py")
    assert awaken("apply", "..")[0] == 0


def test_inside_a_hook_of_git_the_tree_is_asked_as_elsewhere(repository, awaken, monkeypatch):
    repository.levels = (SAFE,)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")

    assert awaken("apply")[0] == 0
    (repository.root / "app.py").write_bytes(b"edited\n")
    assert "(app.py)" in awaken("apply", "app.py")[2]


def test_what_git_refuses_to_tell_is_said(repository, awaken, monkeypatch):
    repository.levels = (SAFE,)
    (repository.root / ".git" / "index").write_bytes(b"no index")
    monkeypatch.setenv("LANGUAGE", "de")

    code, out, err = awaken("apply")

    assert (code, out, repository.applied) == (2, "", [])
    assert "index file" in err
    assert "--allow-dirty" in err
    assert err.count("\n") == 1
    assert awaken("apply", "--allow-dirty")[0] == 0


def test_a_repository_of_somebody_else_is_asked(repository, awaken, monkeypatch):
    """Git refuses because of its configuration, which awaken never lets git see."""
    repository.levels = (SAFE,)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    assert awaken("apply")[0] == 0
    (repository.root / "app.py").write_bytes(b"edited\n")
    assert "(app.py)" in awaken("apply")[2]


def test_a_broken_repository_is_not_taken_for_none(engine, awaken):
    engine.levels = (SAFE,)
    (engine.root / ".git").write_text("gitdir: nowhere\n")

    code, _, err = awaken("apply")

    assert (code, engine.applied) == (2, [])
    assert "missing git repository" in err


@pytest.mark.parametrize("missing", ["git", "repository"])
def test_without_git_or_a_repository_there_is_nothing_to_ask(
    repository, awaken, monkeypatch, tmp_path, missing
):
    repository.levels = (SAFE,)
    (repository.root / "app.py").write_bytes(b"a = query(1)  # edited\n")
    if missing == "git":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        (repository.root / ".git").rename(tmp_path / "elsewhere")

    assert awaken("apply")[0] == 0
    assert len(repository.applied) == 1


def test_it_says_where_the_journal_is_and_how_to_go_back(engine, awaken):
    engine.levels = (SAFE,)

    _, _, err = awaken("apply", "--output-format", "concise")

    assert f"To undo this: awaken undo\nThe original files are in {engine.journal}\n" in err
    assert awaken("apply")[2].count("awaken undo") == 1


def test_nothing_is_said_of_a_journal_where_nothing_was_written(engine, awaken):
    engine.levels = (MANUAL,)

    assert "original files" not in awaken("apply")[2]


@pytest.mark.parametrize("word", ["--diff", "--dry-run"])
@pytest.mark.parametrize("more", [[], ["--color", "always", "-U1"], ["--output-format", "json"]])
def test_what_other_tools_call_a_dry_run_is_the_diff(repository, awaken, word, more):
    repository.levels = (SAFE, UNSAFE, MANUAL)
    (repository.root / "app.py").write_bytes(b"a = query(1)  # edited\n")
    as_diff = awaken("diff", *more)

    assert awaken("apply", word, *more) == as_diff
    assert as_diff[0] == 0
    assert repository.applied == []


def test_a_dry_run_exits_with_2_where_the_diff_does(engine, awaken):
    engine.levels, engine.diagnostics = (SAFE,), (Diagnostic("bad.py", 1, "does not parse"),)

    assert awaken("apply", "--dry-run")[0] == 2
